// AVX-512 without a popcount: the sequence of bench/limit_probe_avx2.cc in vectors of twice the size, 32 output
// channels of one block and 32 of the next (kernels/x86/popcount_avx512.h). One shuffle and one addition are 512 MACs;
// 7 + 6 + 4 operations are 7 * 512. Carry-save adders (kernels/x86/popcount_row_avx512.h) take 3.31 operations for 512
// MACs instead of 2.43: on Zen 5 their probe reached 2,400 GMAC/s where this one reaches 3,050.
//
// Left out are the same as there, and the insertion that joins the indices of two blocks (one for 7 lookups).
#include <immintrin.h>

#include "bench/limit_probe.h"

namespace bnn::bench {
namespace {

constexpr int kPairs = 7;
constexpr int kLookups = 7;

void Run(int64_t rounds, uint32_t* sink) {
  const __m512i weights = _mm512_set1_epi32(0x0A0A0204);
  const __m512i low_bits = _mm512_set1_epi8(15);
  alignas(64) static constexpr char kEntry[64] = {0, 1, 1, 2, 1, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2, 0, 1, 1, 2, 1, 2,
                                                  2, 2, 1, 2, 2, 2, 2, 2, 2, 2, 0, 1, 1, 2, 1, 2, 2, 2, 1, 2, 2, 2,
                                                  2, 2, 2, 2, 0, 1, 1, 2, 1, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2};
  __m512i table = _mm512_load_si512(kEntry);
  __m512i low[kPairs], high[kPairs];
  for (int i = 0; i < kPairs; ++i) low[i] = high[i] = _mm512_setzero_si512();
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 7
    for (int i = 0; i < kPairs; ++i) {
      __asm__ volatile("" : "+v"(table));
      __m512i sum = _mm512_shuffle_epi8(table, weights);
#pragma GCC unroll 6
      for (int lookup = 1; lookup < kLookups; ++lookup) {
        __asm__ volatile("" : "+v"(table));
        __m512i found = _mm512_shuffle_epi8(table, weights);
        __asm__ volatile("" : "+v"(found));
        sum = _mm512_add_epi8(sum, found);
      }
      low[i] = _mm512_add_epi8(low[i], _mm512_and_si512(sum, low_bits));
      high[i] = _mm512_add_epi16(high[i], _mm512_maskz_srli_epi16(0xFFFFFFFF, sum, 4));
    }
  }
  alignas(64) uint32_t words[16];
  for (int i = 0; i < kPairs; ++i) {
    _mm512_store_si512(words, _mm512_add_epi8(low[i], high[i]));
    *sink += words[0];
  }
}

}  // namespace

extern const LimitProbe kLimitProbeAvx512 = {kernels::Isa::kAvx512, "vpshufb into tables for 2 pixels, vpaddb; parted",
                                             kPairs* kLookups * 512, Run};

}  // namespace bnn::bench
