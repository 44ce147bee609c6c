// The binary dense layer for AVX2, for a single row: the inner loop of kernels/x86/popcount_row_avx2.h (tile, registers
// and ports are argued there) in the loops of kernels/simd/binary_loops.h. It takes any number of rows, but bdense_avx2
// is faster from two on.
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/x86/popcount_row_avx2.h"

namespace bnn::kernels {

const BDenseKernel kBDenseRowAvx2 = {"bdense_row_avx2",           Isa::kAvx2,        RefuseBlockedBDense,
                                     BlockedBDenseWords,          PackBlockedBDense, UnpackBlockedBDense,
                                     RunBDenseTiles<CountRowAvx2>};

}  // namespace bnn::kernels
