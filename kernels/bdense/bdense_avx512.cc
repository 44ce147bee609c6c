// The binary dense layer for AVX-512 without VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512.h (tile,
// registers and ports are argued there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/x86/popcount_avx512.h"

namespace bnn::kernels {

const BDenseKernel kBDenseAvx512 = {"bdense_avx512",    Isa::kAvx512,      RefuseBlockedBDense,
                                    BlockedBDenseWords, PackBlockedBDense, RunBDenseTiles<CountAvx512>};

}  // namespace bnn::kernels
