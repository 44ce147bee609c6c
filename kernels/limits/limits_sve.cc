// eor + cnt + add on vectors of whatever length the processor has (kernels/arm/popcount_sve.h). A round is one of 256
// bits: longer vectors take as many fewer rounds.
#include <arm_sve.h>

#include "kernels/limits/limits_table.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

constexpr int kSums = 8;
constexpr int kRoundBits = 256;

BNN_INLINE void Count(svuint8_t in, svuint8_t weights, svuint8_t& sum) {
  const svbool_t all = svptrue_b8();
  sum = svadd_u8_x(all, sum, svcnt_u8_x(all, sveor_u8_x(all, in, weights)));
}

void RunBinary(int64_t rounds, uint32_t* sink) {
  const svuint8_t weights = svdup_n_u8(0x5A);
  svuint8_t in = svdup_n_u8(0x13);
  svuint8_t s0 = svdup_n_u8(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const int64_t bits = 8 * static_cast<int64_t>(svcntb());
  for (int64_t left = rounds * kRoundBits; left > 0; left -= bits) {
    __asm__ volatile("" : "+w"(in));
    Count(in, weights, s0), Count(in, weights, s1), Count(in, weights, s2), Count(in, weights, s3);
    __asm__ volatile("" : "+w"(in));
    Count(in, weights, s4), Count(in, weights, s5), Count(in, weights, s6), Count(in, weights, s7);
  }
  const svbool_t all = svptrue_b8();
  const svuint8_t low = sveor_u8_x(all, sveor_u8_x(all, s0, s1), sveor_u8_x(all, s2, s3));
  const svuint8_t high = sveor_u8_x(all, sveor_u8_x(all, s4, s5), sveor_u8_x(all, s6, s7));
  *sink += svlastb_u8(svpfalse_b(), sveor_u8_x(all, low, high));
}

}  // namespace

extern const LimitProbes kLimitsSve = {"limits_sve",
                                       Isa::kSve,
                                       /*needs_vnni=*/false,
                                       {"eor, cnt, add of SVE", kSums* kRoundBits, RunBinary},
                                       /*float32=*/{},
                                       /*int8=*/{},
                                       nullptr,
                                       nullptr};

}  // namespace bnn::kernels
