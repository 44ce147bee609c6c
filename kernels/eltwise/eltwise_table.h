// The kernels that eltwise_list.cc orders. Each is defined in the file of its name, which exports nothing else.
#pragma once

#include "kernels/eltwise/eltwise.h"

namespace bnn::kernels {

extern const EltwiseKernel kEltwiseRef;
extern const EltwiseKernel kEltwiseNeon;
extern const EltwiseKernel kEltwiseAvx2;
extern const EltwiseKernel kEltwiseAvx512;

}  // namespace bnn::kernels
