// The binary dense layer for NEON with EOR3: the inner loop of kernels/arm/popcount_neonsha3.h (tile, registers and
// pipes are argued there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/arm/popcount_neonsha3.h"
#include "kernels/bdense/bdense_table.h"
#include "kernels/bdense/bdense_tiles.h"

namespace bnn::kernels {

const BDenseKernel kBDenseNeonSha3 = {
    "bdense_neonsha3",   Isa::kNeonSha3,      RefuseBlockedBDense,          ReadAheadBDenseWords,
    PackReadAheadBDense, UnpackBlockedBDense, RunBDenseTiles<CountNeonSha3>};

}  // namespace bnn::kernels
