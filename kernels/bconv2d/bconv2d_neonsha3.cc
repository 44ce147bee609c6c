// Binary convolution for NEON with EOR3: the inner loop of kernels/arm/popcount_neonsha3.h (tile, registers and pipes
// are argued there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/arm/popcount_neonsha3.h"
#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/bconv2d/bconv2d_tiles.h"

namespace bnn::kernels {

const BConv2dKernel kBConv2dNeonSha3 = {
    "bconv2d_neonsha3",   Isa::kNeonSha3,       RefuseBlockedBConv2d,          ReadAheadBConv2dWords,
    PackReadAheadBConv2d, UnpackBlockedBConv2d, RunBConv2dTiles<CountNeonSha3>};

}  // namespace bnn::kernels
