// The binary dense layer for AVX2: the inner loop of kernels/x86/popcount_avx2.h (tile, registers and ports are argued
// there) in the loops of kernels/simd/binary_loops.h.
//
// That loop takes rows in pairs and reads weights of twice the size. A single row has no partner, and reading weights
// is what bounds it: it is left to bdense_row_avx2. (On Zen 5 at 4096 -> 4096, two rows have 770 GMAC/s here, so one
// would have half of it, and one or two have 515 there.)
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/x86/popcount_avx2.h"

namespace bnn::kernels {
namespace {

const char* Refuse(const BDenseShape& shape) {
  if (const char* reason = RefuseBlockedBDense(shape); reason != nullptr) return reason;
  return shape.rows == 1 ? "a single row is bound by reading weights, which are twice as large in its order" : nullptr;
}

}  // namespace

const BDenseKernel kBDenseAvx2 = {"bdense_avx2",
                                  Isa::kAvx2,
                                  Refuse,
                                  NibbleBDenseWords,
                                  PackNibbleBDense,
                                  UnpackNibbleBDense,
                                  RunBDenseTiles<CountAvx2>};

}  // namespace bnn::kernels
