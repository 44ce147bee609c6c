// The vector wrapper of kernels/simd/epilogue_tile.h for AVX-512 F, BW, VL and DQ. ISA files only.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

struct Avx512 {
  using Float = __m512;
  using Int = __m512i;
  using Mask = __mmask16;
  static constexpr int kLanes = 16;
  static constexpr int kVectors = 2;

  static BNN_INLINE Float Load(const float* from) { return _mm512_loadu_ps(from); }
  static BNN_INLINE Float LoadPart(const float* from, uint32_t lanes) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>(lanes), from);
  }
  static BNN_INLINE void Store(float* to, Float x) { _mm512_storeu_ps(to, x); }
  // As narrow as will do: it is the vector that lies across two cache lines, or not, whatever its mask. (Unpacking 116
  // channels on Zen 4: from 73 to 80 % of the speed of reading.) The empty assembly keeps gcc 12 from storing a part of
  // the long vector with vextractf32x8, whose mask does not suppress faults.
  static BNN_INLINE void StorePart(float* to, uint32_t lanes, Float x) {
    if ((lanes & 0xFFF0) == 0) {
      __m128 low = __builtin_shufflevector(x, x, 0, 1, 2, 3);
      __asm__("" : "+v"(low));
      _mm_mask_storeu_ps(to, static_cast<__mmask8>(lanes), low);
    } else if ((lanes & 0xFF00) == 0) {
      __m256 low = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
      __asm__("" : "+v"(low));
      _mm256_mask_storeu_ps(to, static_cast<__mmask8>(lanes), low);
    } else {
      _mm512_mask_storeu_ps(to, static_cast<__mmask16>(lanes), x);
    }
  }
  static BNN_INLINE Float Splat(float x) { return _mm512_set1_ps(x); }
  static BNN_INLINE Float Fma(Float x, Float scale, Float bias) { return _mm512_fmadd_ps(x, scale, bias); }
  static BNN_INLINE Float Mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static BNN_INLINE Float Add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static BNN_INLINE Mask Less(Float a, Float b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  // As each lane's class says: negative ones and -inf (0) are the product, all others (1) are x itself.
  static BNN_INLINE Float PRelu(Float x, Float slope) {
    return _mm512_fixupimm_ps(_mm512_mul_ps(x, slope), x, SplatInt(0x10101111), 0);
  }
  static BNN_INLINE Float Select(Mask mask, Float yes, Float no) { return _mm512_mask_blend_ps(mask, no, yes); }
  // Both masks in one word before it leaves the mask registers: to move each on its own and shift there was slower.
  static BNN_INLINE uint32_t AtLeast(const Float (&x)[2], const Float (&limit)[2]) {
    return _mm512_kunpackw(_mm512_cmp_ps_mask(x[1], limit[1], _CMP_GE_OQ),
                           _mm512_cmp_ps_mask(x[0], limit[0], _CMP_GE_OQ));
  }

  static BNN_INLINE Mask IsAtLeast(Float x, Float limit) { return _mm512_cmp_ps_mask(x, limit, _CMP_GE_OQ); }
  static BNN_INLINE Mask Less(Int a, Int b) { return _mm512_cmplt_epi32_mask(a, b); }
  static BNN_INLINE Mask Xor(Mask a, Mask b) { return _kxor_mask16(a, b); }
  static BNN_INLINE uint32_t ToWord(const Mask (&masks)[2]) { return _mm512_kunpackw(masks[1], masks[0]); }

  // 16-bit integers (kernels/simd/short_levels.h), in the order of channels.
  using Short = __m512i;
  using ShortMask = __mmask32;
  static constexpr int kShorts = 1;
  static constexpr int kShortLanes = 32;
  static constexpr bool kHalving = true;
  // The lower halves of all lanes.
  static BNN_INLINE void Narrow(const Int (&x)[2], Short (&to)[1]) {
    const __m512i lower = _mm512_set_epi16(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28, 26,
                                           24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    to[0] = _mm512_permutex2var_epi16(x[0], lower, x[1]);
  }
  static BNN_INLINE void NarrowSaturated(const Int (&x)[2], Short (&to)[1]) {
    to[0] = _mm512_maskz_inserti64x4(0xFF, _mm512_castsi256_si512(_mm512_maskz_cvtsepi32_epi16(0xFFFF, x[0])),
                                     _mm512_maskz_cvtsepi32_epi16(0xFFFF, x[1]), 1);
  }
  static BNN_INLINE Short LoadShort(const int16_t* from) { return _mm512_loadu_si512(from); }
  static BNN_INLINE void StoreShort(int16_t* to, Short x) { _mm512_storeu_si512(to, x); }
  static BNN_INLINE Short AddShort(Short a, Short b) { return _mm512_add_epi16(a, b); }
  static BNN_INLINE ShortMask IsAtLeast(Short a, Short b) { return _mm512_cmpge_epi16_mask(a, b); }
  static BNN_INLINE Short Select(ShortMask mask, Short yes, Short no) { return _mm512_mask_blend_epi16(mask, no, yes); }
  static BNN_INLINE uint32_t ToWord(const ShortMask (&masks)[1]) {
    uint32_t word = masks[0];
    __asm__("" : "+r"(word));  // as in AtLeast
    return word;
  }

  static BNN_INLINE Int LoadInt(const int32_t* from) { return _mm512_loadu_si512(from); }
  static BNN_INLINE void StoreInt(int32_t* to, Int x) { _mm512_storeu_si512(to, x); }
  static BNN_INLINE Int Zero() { return _mm512_setzero_si512(); }
  static BNN_INLINE Int SplatInt(int32_t x) { return _mm512_set1_epi32(x); }
  // Here and below with the mask of all lanes, which costs nothing: gcc 12 warns of its own header's unmasked forms.
  static BNN_INLINE Float Min(Float limit, Float x) { return _mm512_maskz_min_ps(0xFFFF, limit, x); }
  static BNN_INLINE Float Max(Float limit, Float x) { return _mm512_maskz_max_ps(0xFFFF, limit, x); }
  static BNN_INLINE Int Half(Int x) { return _mm512_maskz_srai_epi32(0xFFFF, x, 1); }
  static BNN_INLINE Int HalfUp(Int x) {
    return _mm512_add_epi32(_mm512_maskz_srai_epi32(0xFFFF, x, 1), _mm512_and_si512(x, _mm512_set1_epi32(1)));
  }
  static BNN_INLINE Int TwicePlusOdd(Int x, Int odd) {
    return _mm512_add_epi32(_mm512_add_epi32(x, x), _mm512_and_si512(odd, _mm512_set1_epi32(1)));
  }
  static BNN_INLINE Int Add(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static BNN_INLINE Int Sub(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static BNN_INLINE Float ToFloat(Int x) { return _mm512_maskz_cvtepi32_ps(0xFFFF, x); }
  // The word is flipped next: the empty assembly keeps clang from doing that in mask registers, which is slow.
  static BNN_INLINE uint32_t AtLeast(const Int (&x)[2], const Int (&limit)[2]) {
    uint32_t word = _mm512_kunpackw(_mm512_cmpge_epi32_mask(x[1], limit[1]), _mm512_cmpge_epi32_mask(x[0], limit[0]));
    __asm__("" : "+r"(word));
    return word;
  }
};

}  // namespace
}  // namespace bnn::kernels
