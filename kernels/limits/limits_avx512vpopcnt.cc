// xor + vpopcntd + vpaddd on registers, into 14 independent sums as in kernels/x86/popcount_avx512vpopcnt.h. The empty
// assembly makes the compiler believe that the input changed, so that it repeats work on the same register.
#include <immintrin.h>

#include "kernels/limits/limits_table.h"

namespace bnn::kernels {
namespace {

constexpr int kSums = 14;

void RunBinary(int64_t rounds, uint32_t* sink) {
  using Sum = uint32_t __attribute__((vector_size(64)));
  const __m512i weights = _mm512_set1_epi32(0x5A5A1234);
  __m512i in = _mm512_set1_epi32(0x13579BDF);
  Sum sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 14
    for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+v"(in));
      sums[i] += reinterpret_cast<Sum>(_mm512_popcnt_epi32(_mm512_xor_si512(in, weights)));
    }
  }
  for (int i = 0; i < kSums; ++i) *sink += sums[i][i];
}

}  // namespace

extern const LimitProbes kLimitsAvx512Vpopcnt = {
    "limits_avx512vpopcnt",
    Isa::kAvx512Vpopcnt,
    /*needs_vnni=*/false,
    {"xor, vpopcntd, vpaddd", kSums * 512, RunBinary},
    /*float32=*/{},
    /*int8=*/{},
    /*read=*/nullptr,
    /*write=*/nullptr,
};

}  // namespace bnn::kernels
