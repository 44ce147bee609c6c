// AVX2 has no popcount, but a byte shuffle looks up 32 entries of a table of 16 bytes at once. The weights of 32 output
// channels for the same 4 inputs are 32 indices of 4 bits; the 4 input bits of a pixel choose one of 16 tables, whose
// entry w is popcount(in ^ w). So one shuffle and one addition to byte sums do 4 x 32 = 128 MACs, without an xor and
// without taking nibbles apart.
//
// Byte sums would be widened every 63 lookups (each adds at most 4), and tables and weights would be loaded; neither is
// in here. The empty assembly makes the compiler believe that the table changed, so that it repeats the lookup.
#include <immintrin.h>

#include "bench/limit_probe.h"

namespace bnn::bench {
namespace {

constexpr int kSums = 8;

void Run(int64_t rounds, uint32_t* sink) {
  using Sum = unsigned char __attribute__((vector_size(32)));
  __m256i weights = _mm256_set1_epi32(0x0A0A0204);
  __asm__("" : "+x"(weights));  // unknown, or else the compiler chooses a cheaper shuffle for these indices
  __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  Sum sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 8
    for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+x"(table));
      sums[i] += reinterpret_cast<Sum>(_mm256_shuffle_epi8(table, weights));
    }
  }
  for (int i = 0; i < kSums; ++i) *sink += static_cast<uint32_t>(sums[i][i]);
}

}  // namespace

extern const LimitProbe kLimitProbeAvx2 = {kernels::Isa::kAvx2, "vpshufb into a table of 4 inputs, vpaddb", kSums * 128,
                                           Run};

}  // namespace bnn::bench
