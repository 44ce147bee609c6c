// AVX-512 without a popcount: products a XOR w are not counted block by block but added bit by bit with carry-save
// adders (Harley and Seal). A bit-sliced counter of four vectors (ones, twos, fours, eights) takes 16 products and
// emits one vector of carries worth 16, the only one that is counted, by table lookups.
//
//   8 full adders over two products and the ones, 4 operations each, all without a copy:                 32
//       both = (a1 ^ a2) ^ (w1 ^ w2)      a1 ^ a2 serves all output channels, w1 ^ w2 all pixels: weights can be
//       first = a1 ^ w1                   packed as (w1, w1 ^ w2) instead of (w1, w2)
//       carry = both ? ones : first
//       ones' = ones ^ both
//   4 + 2 + 1 full adders over two carries and the next digit, 2 operations each (xor3, majority):       14
//   the popcount of the bytes: and, shuffle; shift, and, shuffle; add; add to the byte sums:              7
//
// 53 operations for 16 blocks of 512 MACs = 3.31 a block. Fewer are possible (t = ones ^ a1 ^ w1; ones' = t ^ a2 ^ w2;
// carry = t ? ~ones' : ones makes 45), but vpternlog overwrites an input that is still needed, so each such adder
// brings two copies, and the chain through the ones doubles: on Zen 5 that sequence reached 1.9 to 2.1, this one 2.5
// to 2.6 million MACs a microsecond. Byte sums would be widened once in 31 trees and digits counted at the end of a
// window; neither is in here.
//
// Several trees grow in step, which hides the latency of their chains. The empty assembly makes the compiler believe
// that the input changed.
#include <immintrin.h>

#include "bench/limit_probe.h"

namespace bnn::bench {
namespace {

constexpr int kDigits = 4;
constexpr int kBlocks = 1 << kDigits;  // products that a tree takes in
constexpr int kTrees = 3;

#define BNN_BENCH_INLINE inline __attribute__((always_inline))

struct Trees {
  __m512i digits[kDigits][kTrees];
};
struct Carries {
  __m512i of[kTrees];
};

// The next input, as far as the compiler knows.
BNN_BENCH_INLINE __m512i Next(__m512i& in) {
  __asm__ volatile("" : "+v"(in));
  return in;
}

// Adds 2^digit products to the digits below `digit` of every tree; returns the carries out of the highest of them.
template <int digit>
BNN_BENCH_INLINE Carries AddProducts(Trees& trees, __m512i& in, __m512i weights) {
  Carries carries;
  if constexpr (digit == 1) {
#pragma GCC unroll 8
    for (int i = 0; i < kTrees; ++i) {
      const __m512i both = _mm512_xor_si512(Next(in), weights);
      const __m512i first = _mm512_xor_si512(Next(in), weights);
      carries.of[i] = _mm512_ternarylogic_epi32(first, both, trees.digits[0][i], 0xB8);  // both ? ones : first
      trees.digits[0][i] = _mm512_xor_si512(trees.digits[0][i], both);
    }
  } else {
    const Carries first = AddProducts<digit - 1>(trees, in, weights);
    const Carries second = AddProducts<digit - 1>(trees, in, weights);
#pragma GCC unroll 8
    for (int i = 0; i < kTrees; ++i) {
      __m512i& digit_sum = trees.digits[digit - 1][i];
      carries.of[i] = _mm512_ternarylogic_epi32(first.of[i], second.of[i], digit_sum, 0xE8);  // majority
      digit_sum = _mm512_ternarylogic_epi32(digit_sum, first.of[i], second.of[i], 0x96);      // xor of three
    }
  }
  return carries;
}

void Run(int64_t rounds, uint32_t* sink) {
  alignas(64) static constexpr char kPopcounts[64] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2,
                                                      2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3,
                                                      2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
  const __m512i table = _mm512_load_si512(kPopcounts);
  const __m512i nibble = _mm512_set1_epi8(0x0F);
  const __m512i weights = _mm512_set1_epi32(0x5A5A1234);
  __m512i in = _mm512_set1_epi32(0x13579BDF);
  Trees trees = {};
  __m512i bytes[kTrees] = {};
  for (int64_t round = 0; round < rounds; ++round) {
    const Carries carries = AddProducts<kDigits>(trees, in, weights);
#pragma GCC unroll 8
    for (int i = 0; i < kTrees; ++i) {
      const __m512i shifted = _mm512_maskz_srli_epi32(0xFFFF, carries.of[i], 4);  // masked: gcc 12 warns of its header
      const __m512i low = _mm512_shuffle_epi8(table, _mm512_and_si512(carries.of[i], nibble));
      const __m512i high = _mm512_shuffle_epi8(table, _mm512_and_si512(shifted, nibble));
      bytes[i] = _mm512_add_epi8(bytes[i], _mm512_add_epi8(low, high));
    }
  }
  alignas(64) uint32_t words[16];
  for (int i = 0; i < kTrees; ++i) {
    for (int d = 0; d < kDigits; ++d) bytes[i] = _mm512_add_epi8(bytes[i], trees.digits[d][i]);
    _mm512_store_si512(words, bytes[i]);
    *sink += words[i];
  }
}

}  // namespace

extern const LimitProbe kLimitProbeAvx512 = {kernels::Isa::kAvx512,
                                             "carry-save adders over 16 products, shuffle popcount of the carries",
                                             kTrees* kBlocks * 512, Run};

}  // namespace bnn::bench
