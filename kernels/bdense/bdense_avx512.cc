// The binary dense layer for AVX-512 without VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512.h (tile,
// registers and ports are argued there) in the loops of kernels/simd/binary_loops.h.
//
// That loop takes rows in pairs and hides its latencies behind several pairs. A few rows are left to bdense_row_avx512.
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/x86/popcount_avx512.h"

namespace bnn::kernels {
namespace {

const char* Refuse(const BDenseShape& shape) {
  if (const char* reason = RefuseBlockedBDense(shape); reason != nullptr) return reason;
  return shape.rows < 4 ? "fewer than 4 rows are too few pairs to hide the latencies of its lookups" : nullptr;
}

}  // namespace

const BDenseKernel kBDenseAvx512 = {"bdense_avx512",
                                    Isa::kAvx512,
                                    Refuse,
                                    ByteBDenseWords,
                                    PackByteBDense,
                                    UnpackByteBDense,
                                    RunBDenseTiles<CountAvx512>};

}  // namespace bnn::kernels
