// The kernels that bconv2d_list.cc orders. Each is defined in the file of its name, which exports nothing else.
#pragma once

#include "kernels/bconv2d/bconv2d.h"

namespace bnn::kernels {

extern const BConv2dKernel kBConv2dRef;
extern const BConv2dKernel kBConv2dNeon;
extern const BConv2dKernel kBConv2dNeonSha3;
extern const BConv2dKernel kBConv2dSve;
extern const BConv2dKernel kBConv2dAvx2;
extern const BConv2dKernel kBConv2dAvx512;
extern const BConv2dKernel kBConv2dAvx512Vpopcnt;
extern const BConv2dKernel kBConv2dAvx512VpopcntCsa;

}  // namespace bnn::kernels
