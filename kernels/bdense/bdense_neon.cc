// The binary dense layer for NEON: the inner loop of kernels/arm/popcount_neon.h (tile, registers and pipes are argued
// there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/arm/popcount_neon.h"
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"

namespace bnn::kernels {

namespace {

int64_t PackedWords(const BDenseShape& shape) { return BlockedBDenseWords(shape) + kWeightsBehind; }

void Pack(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackBlockedBDense(shape, weights, packed);
  uint32_t* const behind = packed + BlockedBDenseWords(shape);
  for (int64_t i = 0; i < kWeightsBehind; ++i) behind[i] = 0;
}

}  // namespace

const BDenseKernel kBDenseNeon = {"bdense_neon", Isa::kNeon,          RefuseBlockedBDense,      PackedWords,
                                  Pack,          UnpackBlockedBDense, RunBDenseTiles<CountNeon>};

}  // namespace bnn::kernels
