// The binary dense layer for AVX-512 without VPOPCNTDQ, for a few rows: the inner loop of
// kernels/x86/popcount_row_avx512.h (tile, registers and ports are argued there) in the loops of
// kernels/simd/binary_loops.h. It takes any number of rows, but bdense_avx512 is faster from four or six on.
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/x86/popcount_row_avx512.h"

namespace bnn::kernels {

const BDenseKernel kBDenseRowAvx512 = {
    "bdense_row_avx512", Isa::kAvx512,        RefuseBlockedBDense,           BlockedBDenseWords,
    PackBlockedBDense,   UnpackBlockedBDense, RunBDenseTiles<CountRowAvx512>};

}  // namespace bnn::kernels
