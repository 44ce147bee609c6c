// The table entries of bitpack, each the only symbol that its source file exports. bitpack_list.cc orders them.
#pragma once

#include "kernels/bitpack/bitpack.h"

namespace bnn::kernels {

extern const BitpackKernel kBitpackRef;        // bitpack_ref.cc
extern const BitpackKernel kBitpackNeon;       // bitpack_neon.cc
extern const BitpackKernel kBitpackAvx2;       // bitpack_avx2.cc
extern const BitpackKernel kBitpackAvx512;     // bitpack_avx512.cc
extern const BitpackKernel kBitpackAvx512Ymm;  // the same file

}  // namespace bnn::kernels
