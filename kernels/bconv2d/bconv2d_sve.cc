// Binary convolution for SVE: the inner loop of kernels/arm/popcount_sve.h (tile, registers and pipes are argued there)
// in the loops of kernels/simd/binary_loops.h.
#include "kernels/arm/popcount_sve.h"
#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/bconv2d/bconv2d_tiles.h"

namespace bnn::kernels {

const BConv2dKernel kBConv2dSve = {"bconv2d_sve",
                                   Isa::kSve,
                                   RefuseBlockedBConv2d,
                                   BlockedBConv2dWords,
                                   PackBlockedBConv2d,
                                   UnpackBlockedBConv2d,
                                   RunBConv2dTiles<CountSve>};

}  // namespace bnn::kernels
