// Two eor3, bsl, cnt and add are 256 binary MACs, on registers (kernels/arm/popcount_neonsha3.h). The widening of
// bytes, once in 60 blocks, is not in here.
#include <arm_neon.h>

#include "kernels/limits/limits_table.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

constexpr int kSums = 8;

void RunBinary(int64_t rounds, uint32_t* sink) {
  const uint8x16_t weights = vdupq_n_u8(0x5A);
  uint8x16_t in = vdupq_n_u8(0x13), sums[kSums], ones[kSums];
  BNN_UNROLL for (int i = 0; i < kSums; ++i) sums[i] = ones[i] = vdupq_n_u8(0);
  for (int64_t round = 0; round < rounds; ++round) {
    BNN_UNROLL for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+w"(in));
      const uint8x16_t one = veor3q_u8(ones[i], in, weights);
      const uint8x16_t next = veor3q_u8(one, in, weights);
      sums[i] = vaddq_u8(sums[i], vcntq_u8(vbslq_u8(one, next, ones[i])));
      ones[i] = next;
    }
  }
  BNN_UNROLL for (int i = 0; i < kSums; ++i)* sink += vgetq_lane_u8(veorq_u8(sums[i], ones[i]), 0);
}

}  // namespace

extern const LimitProbes kLimitsNeonSha3 = {"limits_neonsha3",
                                            Isa::kNeonSha3,
                                            /*needs_vnni=*/false,
                                            {"2 eor3, bsl, cnt, add, 128 bit", kSums * 256, RunBinary},
                                            /*float32=*/{},
                                            /*int8=*/{},
                                            nullptr,
                                            nullptr};

}  // namespace bnn::kernels
