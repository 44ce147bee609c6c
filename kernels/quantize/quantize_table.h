// The kernels that quantize_list.cc orders. Each is defined in the file of its name, which exports nothing else.
#pragma once

#include "kernels/quantize/quantize.h"

namespace bnn::kernels {

extern const QuantizeKernel kQuantizeRef;
extern const QuantizeKernel kQuantizeNeon;
extern const QuantizeKernel kQuantizeAvx2;
extern const QuantizeKernel kQuantizeAvx512;

}  // namespace bnn::kernels
