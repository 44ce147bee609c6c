// The vector wrapper of kernels/simd/epilogue_tile.h for NEON, 64-bit and 32-bit ARM. ISA files only.
//
// In 32-bit ARM, NEON is not IEEE 754: it takes denormal floats for zeros and makes zeros of them. Kernels give the
// bits of their reference, so there arithmetic goes lane by lane through VFP, which is exact and has the fused
// multiply-add from version 4 on, and comparisons compare integers (OrderedKey). An epilogue is a few operations for
// each output, beside the hundreds of bits that were counted for it.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

#if defined(__aarch64__)

struct NeonFloat {
  using Float = float32x4_t;
  using Mask = uint32x4_t;

  static BNN_INLINE Float Fma(Float x, Float scale, Float bias) { return vfmaq_f32(bias, x, scale); }
  static BNN_INLINE Float Mul(Float a, Float b) { return vmulq_f32(a, b); }
  static BNN_INLINE Float Add(Float a, Float b) { return vaddq_f32(a, b); }
  static BNN_INLINE Mask Less(Float a, Float b) { return vcltq_f32(a, b); }
  static BNN_INLINE Mask IsAtLeast(Float a, Float b) { return vcgeq_f32(a, b); }
};

#else

struct NeonFloat {
  using Float = float32x4_t;
  using Mask = uint32x4_t;

  static BNN_INLINE Float Fma(Float x, Float scale, Float bias) {
    BNN_UNROLL for (int i = 0; i < 4; ++i) x[i] = __builtin_fmaf(x[i], scale[i], bias[i]);
    return x;
  }
  static BNN_INLINE Float Mul(Float a, Float b) {
    BNN_UNROLL for (int i = 0; i < 4; ++i) a[i] *= b[i];
    return a;
  }
  static BNN_INLINE Float Add(Float a, Float b) {
    BNN_UNROLL for (int i = 0; i < 4; ++i) a[i] += b[i];
    return a;
  }

  // Floats are a sign and a magnitude: the magnitude with the sign, as an integer, orders them, both zeros being 0.
  static BNN_INLINE int32x4_t OrderedKey(Float x) {
    const int32x4_t bits = vreinterpretq_s32_f32(x);
    const int32x4_t sign = vshrq_n_s32(bits, 31);
    return vsubq_s32(veorq_s32(vandq_s32(bits, vdupq_n_s32(0x7FFFFFFF)), sign), sign);
  }
  static BNN_INLINE Mask IsNumber(int32x4_t key) { return vcleq_s32(vabsq_s32(key), vdupq_n_s32(0x7F800000)); }
  static BNN_INLINE Mask Less(Float a, Float b) {
    const int32x4_t x = OrderedKey(a), y = OrderedKey(b);
    return vandq_u32(vcltq_s32(x, y), vandq_u32(IsNumber(x), IsNumber(y)));
  }
  static BNN_INLINE Mask IsAtLeast(Float a, Float b) {
    const int32x4_t x = OrderedKey(a), y = OrderedKey(b);
    return vandq_u32(vcgeq_s32(x, y), vandq_u32(IsNumber(x), IsNumber(y)));
  }
};

#endif

struct Neon : NeonFloat {
  using NeonFloat::Add, NeonFloat::IsAtLeast, NeonFloat::Less;
  using Int = int32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kVectors = 8;

  static BNN_INLINE Float Load(const float* from) { return vld1q_f32(from); }
  static BNN_INLINE Float LoadPart(const float* from, uint32_t lanes) {
    Float x = vdupq_n_f32(0);
    if (lanes & 1) x = vld1q_lane_f32(from, x, 0);
    if (lanes & 2) x = vld1q_lane_f32(from + 1, x, 1);
    if (lanes & 4) x = vld1q_lane_f32(from + 2, x, 2);
    if (lanes & 8) x = vld1q_lane_f32(from + 3, x, 3);
    return x;
  }
  static BNN_INLINE void Store(float* to, Float x) { vst1q_f32(to, x); }
  static BNN_INLINE void StorePart(float* to, uint32_t lanes, Float x) {
    if (lanes & 1) vst1q_lane_f32(to, x, 0);
    if (lanes & 2) vst1q_lane_f32(to + 1, x, 1);
    if (lanes & 4) vst1q_lane_f32(to + 2, x, 2);
    if (lanes & 8) vst1q_lane_f32(to + 3, x, 3);
  }
  static BNN_INLINE Float Splat(float x) { return vdupq_n_f32(x); }
  static BNN_INLINE Float Select(Mask mask, Float yes, Float no) { return vbslq_f32(mask, yes, no); }
  static BNN_INLINE Float Min(Float limit, Float x) { return Select(Less(limit, x), limit, x); }
  static BNN_INLINE Float Max(Float limit, Float x) { return Select(Less(x, limit), limit, x); }
  static BNN_INLINE Float PRelu(Float x, Float slope) { return Select(Less(x, Splat(0)), Mul(x, slope), x); }

  // Eight masks to one word, channel by channel: narrowed to bytes, of which each keeps the bit of its place, and
  // neighbours added until four bytes are left.
  static BNN_INLINE uint32_t ToWord(const uint32x4_t (&masks)[8]) {
    uint8x8_t bytes[4];
    BNN_UNROLL for (int i = 0; i < 4; ++i) {
      bytes[i] = vmovn_u16(vcombine_u16(vmovn_u32(masks[2 * i]), vmovn_u32(masks[2 * i + 1])));
    }
    return ToWord(bytes);
  }
  static BNN_INLINE uint32_t ToWord(uint8x8_t (&bytes)[4]) {
    alignas(8) static constexpr uint8_t kBit[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x8_t bit = vld1_u8(kBit);
    BNN_UNROLL for (int i = 0; i < 4; ++i) bytes[i] = vand_u8(bytes[i], bit);
    const uint8x8_t four = vpadd_u8(vpadd_u8(bytes[0], bytes[1]), vpadd_u8(bytes[2], bytes[3]));
    return vget_lane_u32(vreinterpret_u32_u8(vpadd_u8(four, four)), 0);
  }
  static BNN_INLINE uint32_t AtLeast(const Float (&x)[8], const Float (&limit)[8]) {
    uint32x4_t masks[8];
    BNN_UNROLL for (int v = 0; v < 8; ++v) masks[v] = IsAtLeast(x[v], limit[v]);
    return ToWord(masks);
  }

  // 16-bit integers (kernels/simd/short_levels.h), in the order of channels.
  using Short = int16x8_t;
  using ShortMask = uint16x8_t;
  static constexpr int kShorts = 4;
  static constexpr int kShortLanes = 8;
  static constexpr bool kHalving = false;
  static BNN_INLINE void Narrow(const Int (&x)[8], Short (&to)[4]) {
    BNN_UNROLL for (int s = 0; s < 4; ++s) to[s] = vcombine_s16(vmovn_s32(x[2 * s]), vmovn_s32(x[2 * s + 1]));
  }
  static BNN_INLINE void NarrowSaturated(const Int (&x)[8], Short (&to)[4]) {
    BNN_UNROLL for (int s = 0; s < 4; ++s) to[s] = vcombine_s16(vqmovn_s32(x[2 * s]), vqmovn_s32(x[2 * s + 1]));
  }
  static BNN_INLINE Short LoadShort(const int16_t* from) { return vld1q_s16(from); }
  static BNN_INLINE void StoreShort(int16_t* to, Short x) { vst1q_s16(to, x); }
  static BNN_INLINE ShortMask IsAtLeast(Short a, Short b) { return vcgeq_s16(a, b); }
  static BNN_INLINE ShortMask Xor(ShortMask a, ShortMask b) { return veorq_u16(a, b); }
  static BNN_INLINE uint32_t ToWord(const ShortMask (&masks)[4]) {
    uint8x8_t bytes[4];
    BNN_UNROLL for (int s = 0; s < 4; ++s) bytes[s] = vmovn_u16(masks[s]);
    return ToWord(bytes);
  }

  static BNN_INLINE Mask Less(Int a, Int b) { return vcltq_s32(a, b); }
  static BNN_INLINE Mask Xor(Mask a, Mask b) { return veorq_u32(a, b); }

  static BNN_INLINE Int LoadInt(const int32_t* from) { return vld1q_s32(from); }
  static BNN_INLINE void StoreInt(int32_t* to, Int x) { vst1q_s32(to, x); }
  static BNN_INLINE Int Zero() { return vdupq_n_s32(0); }
  static BNN_INLINE Int SplatInt(int32_t x) { return vdupq_n_s32(x); }
  static BNN_INLINE Int Half(Int x) { return vshrq_n_s32(x, 1); }
  static BNN_INLINE Int HalfUp(Int x) { return vrshrq_n_s32(x, 1); }
  static BNN_INLINE Int TwicePlusOdd(Int x, Int odd) {
    return vaddq_s32(vaddq_s32(x, x), vandq_s32(odd, vdupq_n_s32(1)));
  }
  static BNN_INLINE Int Add(Int a, Int b) { return vaddq_s32(a, b); }
  static BNN_INLINE Float ToFloat(Int x) { return vcvtq_f32_s32(x); }
  static BNN_INLINE uint32_t AtLeast(const Int (&x)[8], const Int (&limit)[8]) {
    uint32x4_t masks[8];
    BNN_UNROLL for (int v = 0; v < 8; ++v) masks[v] = vcgeq_s32(x[v], limit[v]);
    return ToWord(masks);
  }
};

}  // namespace
}  // namespace bnn::kernels
