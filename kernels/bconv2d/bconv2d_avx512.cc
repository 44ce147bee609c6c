// Binary convolution for AVX-512 without VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512.h (tile, registers
// and ports are argued there) in the loops of kernels/simd/binary_loops.h.
#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/bconv2d/bconv2d_tiles.h"
#include "kernels/x86/popcount_avx512.h"

namespace bnn::kernels {

const BConv2dKernel kBConv2dAvx512 = {
    "bconv2d_avx512", Isa::kAvx512,      RefuseBlockedBConv2d,        ByteBConv2dWords,
    PackByteBConv2d,  UnpackByteBConv2d, RunBConv2dTiles<CountAvx512>};

}  // namespace bnn::kernels
