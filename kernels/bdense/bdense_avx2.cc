// The binary dense layer for AVX2: the inner loop of kernels/x86/popcount_avx2.h (tile, registers and ports are argued
// there) in the loops of bdense_tiles.h.
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"
#include "kernels/x86/popcount_avx2.h"

namespace bnn::kernels {

const BDenseKernel kBDenseAvx2 = {"bdense_avx2",      Isa::kAvx2,        RefuseBlockedBDense,
                                  BlockedBDenseWords, PackBlockedBDense, RunBDenseTiles<CountAvx2>};

}  // namespace bnn::kernels
