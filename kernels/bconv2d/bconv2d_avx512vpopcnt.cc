// Binary convolution for AVX-512 VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512vpopcnt.h (tile, registers and
// ports are argued there) in the loops of kernels/simd/binary_loops.h. Two kernels, nearly all of whose code is the
// same: "_csa", by carry-save adders, counts long windows with carries saved.
#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/bconv2d/bconv2d_tiles.h"
#include "kernels/x86/popcount_avx512vpopcnt.h"

namespace bnn::kernels {

const BConv2dKernel kBConv2dAvx512Vpopcnt = {"bconv2d_avx512vpopcnt",
                                             Isa::kAvx512Vpopcnt,
                                             RefuseBlockedBConv2d,
                                             BlockedBConv2dWords,
                                             PackBlockedBConv2d,
                                             UnpackBlockedBConv2d,
                                             RunBConv2dTiles<CountAvx512Vpopcnt>};

const BConv2dKernel kBConv2dAvx512VpopcntCsa = {"bconv2d_avx512vpopcnt_csa",
                                                Isa::kAvx512Vpopcnt,
                                                RefuseBlockedBConv2d,
                                                BlockedBConv2dWords,
                                                PackBlockedBConv2d,
                                                UnpackBlockedBConv2d,
                                                RunBConv2dTiles<CountAvx512Vpopcnt, kCarrySaving>,
                                                RefuseToSaveCarries};

}  // namespace bnn::kernels
