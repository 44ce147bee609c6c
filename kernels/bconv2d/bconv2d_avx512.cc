// Binary convolution for AVX-512 without VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512.h (tile, registers
// and ports are argued there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/bconv2d/bconv2d_tiles.h"
#include "kernels/pack_weights.h"
#include "kernels/x86/popcount_avx512.h"

namespace bnn::kernels {
namespace {

WeightShape WeightsOf(const BConv2dShape& shape) {
  return {shape.out_channels, shape.kernel_h * shape.kernel_w, shape.in_channels};
}

int64_t PackedWords(const BConv2dShape& shape) { return NibbleWeightWords(WeightsOf(shape)); }

void Pack(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackNibbleWeights(WeightsOf(shape), weights, packed);
}

}  // namespace

const BConv2dKernel kBConv2dAvx512 = {"bconv2d_avx512", Isa::kAvx512, RefuseBlockedBConv2d,
                                      PackedWords,      Pack,         RunBConv2dTiles<CountAvx512>};

}  // namespace bnn::kernels
