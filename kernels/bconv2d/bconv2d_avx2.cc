// Binary convolution for AVX2: the inner loop of kernels/x86/popcount_avx2.h (tile, registers and ports are argued
// there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/bconv2d/bconv2d_tiles.h"
#include "kernels/x86/popcount_avx2.h"

namespace bnn::kernels {

const BConv2dKernel kBConv2dAvx2 = {
    "bconv2d_avx2",    Isa::kAvx2,          RefuseBlockedBConv2d,      NibbleBConv2dWords,
    PackNibbleBConv2d, UnpackNibbleBConv2d, RunBConv2dTiles<CountAvx2>};

}  // namespace bnn::kernels
