// ISA files only.
#pragma once

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// The same pointer, but the compiler does not know. Otherwise gcc addresses pixels side by side from the first one,
// with an offset for each load, which are more than there are registers.
template <class T>
BNN_INLINE T* Opaque(T* pointer) {
  asm("" : "+r"(pointer));
  return pointer;
}

}  // namespace
}  // namespace bnn::kernels
