// The 8 operations of kernels/x86/popcount_avx2.h on registers, into 8 independent sums as there: xor, two nibbles
// looked up (and, shuffle; shift, and, shuffle), the lookups added, and added to the sum. The empty assembly makes the
// compiler believe that the input changed, so that it repeats work on the same register.
#include <immintrin.h>

#include "bench/popcount_limit.h"

namespace bnn::bench {

int64_t ProbeAvx2(int64_t rounds, uint32_t* sink) {
  constexpr int kSums = 8;
  using Sum = char __attribute__((vector_size(32)));
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  const __m256i weights = _mm256_set1_epi32(0x5A5A1234);
  __m256i in = _mm256_set1_epi32(0x13579BDF);
  Sum sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 8
    for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+x"(in));
      const __m256i x = _mm256_xor_si256(in, weights);
      const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, nibble));
      const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi32(x, 4), nibble));
      sums[i] += reinterpret_cast<Sum>(_mm256_add_epi8(low, high));
    }
  }
  for (int i = 0; i < kSums; ++i) *sink += static_cast<uint32_t>(sums[i][i]);
  return rounds * kSums * 256;
}

}  // namespace bnn::bench
