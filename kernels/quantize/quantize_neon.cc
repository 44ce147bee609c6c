// Quantization for NEON.
#include "kernels/arm/vec_neon.h"
#include "kernels/quantize/quantize_loops.h"
#include "kernels/quantize/quantize_table.h"

namespace bnn::kernels {
namespace {

struct QuantizeVectors : Neon {
  static BNN_INLINE Int Sub(Int a, Int b) { return vsubq_s32(a, b); }
  // Not the instructions for this: those pass signaling NaNs on.
  static BNN_INLINE Float Max(Float a, Float b) { return Select(IsAtLeast(a, b), a, b); }
  static BNN_INLINE Float Min(Float a, Float b) { return Select(IsAtLeast(b, a), a, b); }
#if defined(__aarch64__)
  static BNN_INLINE Float Div(Float a, Float b) { return vdivq_f32(a, b); }
  static BNN_INLINE Int Round(Float x) { return vcvtnq_s32_f32(x); }
#else
  static BNN_INLINE Float Div(Float a, Float b) {
    BNN_UNROLL for (int i = 0; i < 4; ++i) a[i] /= b[i];
    return a;
  }
  // As quantize_ref.cc: beyond 2^23 floats are integers. Denormals may be taken for zeros here, they round to them.
  static BNN_INLINE Int Round(Float x) {
    const Float shift = vdupq_n_f32(12582912.0f);
    return vsubq_s32(vreinterpretq_s32_f32(vaddq_f32(x, shift)), vreinterpretq_s32_f32(shift));
  }
#endif

  static BNN_INLINE int16x8_t Words(Int a, Int b, int32_t zero_point) {
    return vaddq_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), vdupq_n_s16(static_cast<int16_t>(zero_point)));
  }
  static BNN_INLINE void StoreBytes(const Int (&n)[4], int32_t zero_point, int8_t* to) {
    vst1q_s8(to, vcombine_s8(vqmovn_s16(Words(n[0], n[1], zero_point)), vqmovn_s16(Words(n[2], n[3], zero_point))));
  }
  static BNN_INLINE void StoreBytes(const Int (&n)[4], int32_t zero_point, uint8_t* to) {
    vst1q_u8(to, vcombine_u8(vqmovun_s16(Words(n[0], n[1], zero_point)), vqmovun_s16(Words(n[2], n[3], zero_point))));
  }

  static BNN_INLINE uint32x2_t FourBytes(const void* from) {
    uint32_t bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    return vdup_n_u32(bytes);
  }
  static BNN_INLINE Int LoadBytes(const int8_t* from) {
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(FourBytes(from)))));
  }
  static BNN_INLINE Int LoadBytes(const uint8_t* from) {
    const uint16x8_t words = vmovl_u8(vreinterpret_u8_u32(FourBytes(from)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words)));
  }
};

}  // namespace

const QuantizeKernel kQuantizeNeon = {"quantize_neon", Isa::kNeon, RunQuantize<QuantizeVectors>,
                                      RunDequantize<QuantizeVectors>};

}  // namespace bnn::kernels
