// The table entries of bmaxpool, each the only symbol that its source file exports. bmaxpool_list.cc orders them.
#pragma once

#include "kernels/bmaxpool/bmaxpool.h"

namespace bnn::kernels {

extern const BMaxPoolKernel kBMaxPoolRef;     // bmaxpool_ref.cc
extern const BMaxPoolKernel kBMaxPoolNeon;    // bmaxpool_neon.cc
extern const BMaxPoolKernel kBMaxPoolAvx2;    // bmaxpool_avx2.cc
extern const BMaxPoolKernel kBMaxPoolAvx512;  // bmaxpool_avx512.cc

}  // namespace bnn::kernels
