// The kernels that bdense_list.cc orders. Each is defined in the file of its name, which exports nothing else.
#pragma once

#include "kernels/bdense/bdense.h"

namespace bnn::kernels {

extern const BDenseKernel kBDenseRef;
extern const BDenseKernel kBDenseNeon;
extern const BDenseKernel kBDenseNeonSha3;
extern const BDenseKernel kBDenseSve;
extern const BDenseKernel kBDenseRowAvx2;
extern const BDenseKernel kBDenseAvx2;
extern const BDenseKernel kBDenseRowAvx512;
extern const BDenseKernel kBDenseAvx512;
extern const BDenseKernel kBDenseAvx512Vpopcnt;
extern const BDenseKernel kBDenseAvx512VpopcntCsa;

}  // namespace bnn::kernels
