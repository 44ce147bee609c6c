// AVX2 has no popcount, but a byte shuffle looks up 32 times in a table of 16 bytes at once.
// kernels/x86/popcount_avx2.h derives the sequence: 4 bits of the weights of 32 output channels are the indices, the
// same 4 bits of two pixels choose the table, whose entries count for both, in 4 bits each. One shuffle and one
// addition are 4 x 32 x 2 = 256 MACs; after seven of them the sums are parted: bytes of one pixel, 16-bit lanes of the
// other. These 7 + 6 + 4 operations are below, into sums of 4 pairs of pixels as in the kernel.
//
// The bytes would be widened every 18 rounds, and tables and weights would be loaded; neither is in here. The empty
// assembly makes the compiler believe that tables change, so that it repeats lookups, and that their results do, so
// that it does not add the tables first and look up once.
#include <immintrin.h>

#include "bench/limit_probe.h"

namespace bnn::bench {
namespace {

constexpr int kPairs = 4;
constexpr int kLookups = 7;

void Run(int64_t rounds, uint32_t* sink) {
  const __m256i weights = _mm256_set1_epi32(0x0A0A0204);
  const __m256i low_bits = _mm256_set1_epi8(15);
  __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2));
  __m256i low[kPairs], high[kPairs];
  for (int i = 0; i < kPairs; ++i) low[i] = high[i] = _mm256_setzero_si256();
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 4
    for (int i = 0; i < kPairs; ++i) {
      __asm__ volatile("" : "+x"(table));
      __m256i sum = _mm256_shuffle_epi8(table, weights);
#pragma GCC unroll 6
      for (int lookup = 1; lookup < kLookups; ++lookup) {
        __asm__ volatile("" : "+x"(table));
        __m256i found = _mm256_shuffle_epi8(table, weights);
        __asm__ volatile("" : "+x"(found));
        sum = _mm256_add_epi8(sum, found);
      }
      low[i] = _mm256_add_epi8(low[i], _mm256_and_si256(sum, low_bits));
      high[i] = _mm256_add_epi16(high[i], _mm256_srli_epi16(sum, 4));
    }
  }
  for (int i = 0; i < kPairs; ++i) {
    *sink += static_cast<uint32_t>(_mm256_extract_epi32(_mm256_add_epi8(low[i], high[i]), 0));
  }
}

}  // namespace

extern const LimitProbe kLimitProbeAvx2 = {kernels::Isa::kAvx2, "vpshufb into tables for 2 pixels, vpaddb; parted",
                                           kPairs* kLookups * 256, Run};

}  // namespace bnn::bench
