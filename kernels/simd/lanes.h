// Which lanes of a vector, or bits of a word, are in use. ISA files only.
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// The mask of the first `count` of up to 32 lanes; any count, so that -3 means none and 40 means all.
BNN_INLINE uint32_t FirstLanes(int64_t count) {
  if (count <= 0) return 0;
  return count >= 32 ? ~uint32_t{0} : (uint32_t{1} << count) - 1;
}

}  // namespace
}  // namespace bnn::kernels
