// The binary dense layer for AVX-512 without VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512.h (tile,
// registers and ports are argued there) in the loops of kernels/simd/binary_loops.h.
//
// That loop takes rows in pairs and reads weights of twice the size. A single row has no partner, and reading weights
// is what bounds it: it is left to bdense_row_avx512. (On Zen 5 at 4096 -> 4096, two rows have 770 GMAC/s here, so one
// would have half of it, and one or two have 515 there.)
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/pack_weights.h"
#include "kernels/x86/popcount_avx512.h"

namespace bnn::kernels {
namespace {

WeightShape WeightsOf(const BDenseShape& shape) { return {shape.out_features, 1, shape.in_features}; }

const char* Refuse(const BDenseShape& shape) {
  if (shape.rows == 1) return "a single row is bound by reading weights, which are twice as large in its order";
  return RefuseBlockedBDense(shape);
}

int64_t PackedWords(const BDenseShape& shape) { return NibbleWeightWords(WeightsOf(shape)); }

void Pack(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackNibbleWeights(WeightsOf(shape), weights, packed);
}

}  // namespace

const BDenseKernel kBDenseAvx512 = {"bdense_avx512", Isa::kAvx512, Refuse,
                                    PackedWords,     Pack,         RunBDenseTiles<CountAvx512>};

}  // namespace bnn::kernels
