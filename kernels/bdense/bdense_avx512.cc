// The binary dense layer for AVX-512 without VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512.h (tile,
// registers and ports are argued there) in the loops of kernels/simd/binary_loops.h.
//
// That loop takes rows in pairs, reads weights of twice the size and hides its latencies behind several pairs. A few
// rows are left to bdense_row_avx512. (GMAC/s on Zen 5 at 4096 -> 4096, here and there: 2 rows 720 and 1330, 3 rows 930
// and 1200, 4 rows 1230 and 1280, 6 rows 1500 and 1430; at 1024 -> 1024, 4 rows 1330 and 1230.)
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/x86/popcount_avx512.h"

namespace bnn::kernels {
namespace {

const char* Refuse(const BDenseShape& shape) {
  if (const char* reason = RefuseBlockedBDense(shape); reason != nullptr) return reason;
  return shape.rows < 4 ? "fewer than 4 rows are bound by reading weights, which are twice as large in its order"
                        : nullptr;
}

}  // namespace

const BDenseKernel kBDenseAvx512 = {"bdense_avx512",
                                    Isa::kAvx512,
                                    Refuse,
                                    NibbleBDenseWords,
                                    PackNibbleBDense,
                                    UnpackNibbleBDense,
                                    RunBDenseTiles<CountAvx512>};

}  // namespace bnn::kernels
