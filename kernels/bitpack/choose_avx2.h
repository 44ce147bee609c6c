// Floats by bits, in vectors of 8. ISA files only.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/inline.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {
namespace {

struct ChooseAvx2 : Avx2 {
  static BNN_INLINE Int Spread(uint32_t word) { return _mm256_set1_epi32(static_cast<int32_t>(word)); }
  // A variable shift moves bit 8 * v + l to the sign of lane l, which is all that vblendvps looks at.
  static BNN_INLINE Float Choose(Int spread, int v, Float lo, Float hi) {
    const int top = 31 - kLanes * v;
    const Int to_sign = _mm256_setr_epi32(top, top - 1, top - 2, top - 3, top - 4, top - 5, top - 6, top - 7);
    return BySign(_mm256_sllv_epi32(spread, to_sign), lo, hi);
  }
  static BNN_INLINE Float BySign(Int signs, Float lo, Float hi) {
    return _mm256_blendv_ps(lo, hi, _mm256_castsi256_ps(signs));
  }
};

}  // namespace
}  // namespace bnn::kernels
