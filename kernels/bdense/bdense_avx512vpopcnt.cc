// The binary dense layer for AVX-512 VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512vpopcnt.h (tile, registers
// and ports are argued there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/x86/popcount_avx512vpopcnt.h"

namespace bnn::kernels {

const BDenseKernel kBDenseAvx512Vpopcnt = {"bdense_avx512vpopcnt",
                                           Isa::kAvx512Vpopcnt,
                                           RefuseBlockedBDense,
                                           BlockedBDenseWords,
                                           PackBlockedBDense,
                                           UnpackBlockedBDense,
                                           RunBDenseTiles<CountAvx512Vpopcnt>};

}  // namespace bnn::kernels
