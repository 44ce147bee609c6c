// eor + cnt + add are 128 binary MACs, on registers, into as many sums as the kernel has (kernels/arm/popcount_neon.h).
// The widening of bytes, once in 31 blocks, is not in here.
#include "kernels/arm/vec_neon.h"
#include "kernels/limits/limits_table.h"
#include "kernels/limits/vector_probes.h"

namespace bnn::kernels {
namespace {

struct Vectors {
  using Bytes = int8x16_t;
  static BNN_INLINE Bytes Zero() { return vdupq_n_s8(0); }
  static BNN_INLINE Bytes Splat8(int8_t x) { return vdupq_n_s8(x); }
  static BNN_INLINE Bytes Dot8(Bytes sums, Bytes a, Bytes b) {
    const int16x8_t products = vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(b)), vget_high_s8(a), vget_high_s8(b));
    return vreinterpretq_s8_s32(vpadalq_s16(vreinterpretq_s32_s8(sums), products));
  }
  static BNN_INLINE Bytes Load(const unsigned char* from) { return vreinterpretq_s8_u8(vld1q_u8(from)); }
  static BNN_INLINE void Store(unsigned char* to, Bytes x) { vst1q_u8(to, vreinterpretq_u8_s8(x)); }
  static BNN_INLINE Bytes Or(Bytes a, Bytes b) { return vorrq_s8(a, b); }
  static BNN_INLINE uint64_t Any(Bytes x) {
    const int64x2_t halves = vreinterpretq_s64_s8(x);
    return static_cast<uint64_t>(vgetq_lane_s64(halves, 0) | vgetq_lane_s64(halves, 1));
  }
};

void RunBinary(int64_t rounds, uint32_t* sink) {
  const uint8x16_t weights = vdupq_n_u8(0x5A);
  uint8x16_t in = vdupq_n_u8(0x13), sums[kSums];
  BNN_UNROLL for (int i = 0; i < kSums; ++i) sums[i] = vdupq_n_u8(0);
  for (int64_t round = 0; round < rounds; ++round) {
    BNN_UNROLL for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+w"(in));
      sums[i] = vaddq_u8(sums[i], vcntq_u8(veorq_u8(in, weights)));
    }
  }
  for (int i = 0; i < kSums; ++i) *sink += vgetq_lane_u8(sums[i], 0);
}

}  // namespace

extern const LimitProbes kLimitsNeon = {
    "limits_neon",
    Isa::kNeon,
    /*needs_vnni=*/false,
    {"eor, cnt, add, 128 bit", kSums * 128, RunBinary},
    {"4 fused multiply-adds", kSums * 4, RunFloatProbe<Neon>},
    {"smull, smlal, sadalp, 128 bit", kSums * 16, RunInt8Probe<Vectors>},
    ReadBytes<Vectors>,
    WriteBytes<Vectors>,
};

}  // namespace bnn::kernels
