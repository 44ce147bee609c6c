// The vector wrapper of kernels/simd/epilogue_tile.h for AVX2 and FMA. ISA files only.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

struct Avx2 {
  using Float = __m256;
  using Int = __m256i;
  using Mask = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kVectors = 4;

  // All ones in the lanes whose bit is set.
  static BNN_INLINE __m256i LaneMask(uint32_t lanes) {
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int32_t>(lanes)), bit), bit);
  }

  static BNN_INLINE Float Load(const float* from) { return _mm256_loadu_ps(from); }
  static BNN_INLINE Float LoadPart(const float* from, uint32_t lanes) {
    return _mm256_maskload_ps(from, LaneMask(lanes));
  }
  static BNN_INLINE void Store(float* to, Float x) { _mm256_storeu_ps(to, x); }
  // By halves of what is left. AMD's cores take some 20 operations for a vmaskmovps that stores (unpacking 116 channels
  // on Zen 4: from 44 to 59 % of the speed of reading).
  static BNN_INLINE void StorePart(float* to, uint32_t lanes, Float x) {
    if ((lanes & 0xFF) == 0xFF) return Store(to, x);
    __m128 part = _mm256_castps256_ps128(x);
    if ((lanes & 8) != 0) {
      _mm_storeu_ps(to, part);
      part = _mm256_extractf128_ps(x, 1);
      lanes >>= 4;
      to += 4;
    }
    if ((lanes & 2) != 0) {
      _mm_storel_pi(reinterpret_cast<__m64*>(to), part);
      part = _mm_movehl_ps(part, part);
      lanes >>= 2;
      to += 2;
    }
    if ((lanes & 1) != 0) _mm_store_ss(to, part);
  }
  static BNN_INLINE Float Splat(float x) { return _mm256_set1_ps(x); }
  static BNN_INLINE Float Fma(Float x, Float scale, Float bias) { return _mm256_fmadd_ps(x, scale, bias); }
  static BNN_INLINE Float Mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static BNN_INLINE Float Add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static BNN_INLINE Float Min(Float limit, Float x) { return _mm256_min_ps(limit, x); }
  static BNN_INLINE Float Max(Float limit, Float x) { return _mm256_max_ps(limit, x); }
  static BNN_INLINE Mask Less(Float a, Float b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static BNN_INLINE Float PRelu(Float x, Float slope) {
    return Select(Less(x, _mm256_setzero_ps()), _mm256_mul_ps(x, slope), x);
  }
  static BNN_INLINE Float Select(Mask mask, Float yes, Float no) { return _mm256_blendv_ps(no, yes, mask); }
  static BNN_INLINE uint32_t AtLeast(const Float (&x)[4], const Float (&limit)[4]) {
    uint32_t word = 0;
    BNN_UNROLL for (int v = 0; v < 4; ++v) {
      word |= static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x[v], limit[v], _CMP_GE_OQ))) << (8 * v);
    }
    return word;
  }

  static BNN_INLINE Mask IsAtLeast(Float x, Float limit) { return _mm256_cmp_ps(x, limit, _CMP_GE_OQ); }
  static BNN_INLINE Mask Less(Int a, Int b) { return _mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a)); }
  static BNN_INLINE Mask Xor(Mask a, Mask b) { return _mm256_xor_ps(a, b); }
  static BNN_INLINE uint32_t ToWord(const Mask (&masks)[4]) {
    uint32_t word = 0;
    BNN_UNROLL for (int v = 0; v < 4; ++v) word |= static_cast<uint32_t>(_mm256_movemask_ps(masks[v])) << (8 * v);
    return word;
  }

  // 16-bit integers (kernels/simd/short_levels.h). Packs work in 128-bit halves, so 4 channels each of x[0], x[1],
  // x[2], x[3] lie in the lower halves and the next 4 of each in the upper ones.
  using Short = __m256i;
  using ShortMask = __m256i;  // where a threshold is missed: AVX2 compares the other way round
  static constexpr int kShorts = 2;
  static constexpr int kShortLanes = 16;
  static constexpr bool kHalving = false;
  static BNN_INLINE void Narrow(const Int (&x)[4], Short (&to)[2]) {
    to[0] = _mm256_packs_epi32(x[0], x[1]);
    to[1] = _mm256_packs_epi32(x[2], x[3]);
  }
  static BNN_INLINE void NarrowSaturated(const Int (&x)[4], Short (&to)[2]) { Narrow(x, to); }
  static BNN_INLINE Short LoadShort(const int16_t* from) { return LoadInt(reinterpret_cast<const int32_t*>(from)); }
  static BNN_INLINE void StoreShort(int16_t* to, Short x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
  static BNN_INLINE ShortMask IsAtLeast(Short a, Short b) { return _mm256_cmpgt_epi16(b, a); }
  static BNN_INLINE ShortMask Xor(ShortMask a, ShortMask b) { return _mm256_xor_si256(a, b); }
  static BNN_INLINE uint32_t ToWord(const ShortMask (&masks)[2]) {
    const __m256i across = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(masks[0], masks[1]), across);
    return ~static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
  }

  static BNN_INLINE Int LoadInt(const int32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static BNN_INLINE void StoreInt(int32_t* to, Int x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
  static BNN_INLINE Int Zero() { return _mm256_setzero_si256(); }
  static BNN_INLINE Int SplatInt(int32_t x) { return _mm256_set1_epi32(x); }
  static BNN_INLINE Int Half(Int x) { return _mm256_srai_epi32(x, 1); }
  static BNN_INLINE Int HalfUp(Int x) {
    return _mm256_add_epi32(_mm256_srai_epi32(x, 1), _mm256_and_si256(x, _mm256_set1_epi32(1)));
  }
  static BNN_INLINE Int TwicePlusOdd(Int x, Int odd) {
    return _mm256_add_epi32(_mm256_add_epi32(x, x), _mm256_and_si256(odd, _mm256_set1_epi32(1)));
  }
  static BNN_INLINE Int Add(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static BNN_INLINE Float ToFloat(Int x) { return _mm256_cvtepi32_ps(x); }
  static BNN_INLINE uint32_t AtLeast(const Int (&x)[4], const Int (&limit)[4]) {
    uint32_t less = 0;
    BNN_UNROLL for (int v = 0; v < 4; ++v) {
      const __m256 mask = _mm256_castsi256_ps(_mm256_cmpgt_epi32(limit[v], x[v]));
      less |= static_cast<uint32_t>(_mm256_movemask_ps(mask)) << (8 * v);
    }
    return ~less;
  }
};

}  // namespace
}  // namespace bnn::kernels
