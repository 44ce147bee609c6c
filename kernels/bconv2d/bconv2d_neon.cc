// Binary convolution for NEON: the inner loop of kernels/arm/popcount_neon.h (tile, registers and pipes are argued
// there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/arm/popcount_neon.h"
#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/bconv2d/bconv2d_tiles.h"

namespace bnn::kernels {

namespace {

int64_t PackedWords(const BConv2dShape& shape) { return BlockedBConv2dWords(shape) + kWeightsBehind; }

void Pack(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackBlockedBConv2d(shape, weights, packed);
  uint32_t* const behind = packed + BlockedBConv2dWords(shape);
  for (int64_t i = 0; i < kWeightsBehind; ++i) behind[i] = 0;
}

}  // namespace

const BConv2dKernel kBConv2dNeon = {"bconv2d_neon", Isa::kNeon,           RefuseBlockedBConv2d,      PackedWords,
                                    Pack,           UnpackBlockedBConv2d, RunBConv2dTiles<CountNeon>};

}  // namespace bnn::kernels
