// The binary dense layer for SVE: the inner loop of kernels/arm/popcount_sve.h (tile, registers and pipes are argued
// there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/arm/popcount_sve.h"
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"

namespace bnn::kernels {

const BDenseKernel kBDenseSve = {"bdense_sve",      Isa::kSve,           RefuseBlockedBDense,     BlockedBDenseWords,
                                 PackBlockedBDense, UnpackBlockedBDense, RunBDenseTiles<CountSve>};

}  // namespace bnn::kernels
