// The binary dense layer for NEON: the inner loop of kernels/arm/popcount_neon.h (tile, registers and pipes are argued
// there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/arm/popcount_neon.h"
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"

namespace bnn::kernels {

const BDenseKernel kBDenseNeon = {
    "bdense_neon",       Isa::kNeon,          RefuseBlockedBDense,      ReadAheadBDenseWords,
    PackReadAheadBDense, UnpackBlockedBDense, RunBDenseTiles<CountNeon>};

}  // namespace bnn::kernels
