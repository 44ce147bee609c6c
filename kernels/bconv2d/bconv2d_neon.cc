// Binary convolution for NEON: the inner loop of kernels/arm/popcount_neon.h (tile, registers and pipes are argued
// there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/arm/popcount_neon.h"
#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/bconv2d/bconv2d_tiles.h"

namespace bnn::kernels {

const BConv2dKernel kBConv2dNeon = {
    "bconv2d_neon",       Isa::kNeon,           RefuseBlockedBConv2d,      ReadAheadBConv2dWords,
    PackReadAheadBConv2d, UnpackBlockedBConv2d, RunBConv2dTiles<CountNeon>};

}  // namespace bnn::kernels
