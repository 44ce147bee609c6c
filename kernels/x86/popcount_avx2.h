// The inner loop of binary convolution and of the binary dense layer for AVX2. ISA files only.
//
// AVX2 has no popcount, but a byte shuffle (vpshufb) looks up 32 bytes in a table of 16. Looking up the popcounts of
// the nibbles (4 bits) of in XOR weight costs 8 operations for a block of 256 bits (popcount_row_avx2.h). Here the
// weights themselves are the indices, and the nibble of the activation chooses the table. That needs no XOR, no shift
// and no mask, the lanes are output channels, and, since the entries of a table are ours to choose, one lookup counts
// for two pixels.
//
// 1. The table. Let x be a nibble of the activation, n a nibble of the weights, differ(x, n) their differing bits (0 to
//    4), and odd(v) = 1 if v has an odd number of ones. differ(x, n) is even exactly if odd(x) = odd(n), so
//
//      half(x, n) = (differ(x, n) + odd(x) - odd(n)) / 2
//
//    is an integer, and it is 0, 1 or 2: for odd(x) = odd(n) half of 0, 2 or 4, else differ is 1 or 3. Summed up,
//
//      sum of differ = 2 * (sum of half) + (sum of odd(n)) - (sum of odd(x))
//
//    where the second sum is a constant of the output channel (pack() writes it before the weights) and the third one
//    of the pixel. With values of at most 2, seven lookups fit into 4 bits (differ itself: three), so a byte counts for
//    two pixels x and y: the entry is half(x, n) + 16 * half(y, n). The tables of all 256 pairs of nibbles are 4 KB.
//
// 2. The loop. A lookup (a load of the table into both 128-bit lanes, a shuffle) and an addition count 4 bits of 2
//    pixels x 32 channels = 256 MACs. After seven, s holds two sums of at most 14 in each byte and is folded:
//
//      low  += s AND 15    bytes; the first pixel
//      high += s >> 4      16-bit lanes, without a mask: the second pixel of the even byte, 16 * the first pixel of the
//                          odd byte, and 256 * the second pixel of the odd byte. What is too much is known from `low`.
//
//    so that 7 shuffles + 6 + 4 = 17 operations do 7 * 256 MACs: 2.43 a block of 256 bits instead of 8. The bytes of
//    `low` and `high` hold 18 folds (252), then they are widened to 16 bits, once in 126 lookups.
//
// 3. The window. The loop wants the address of a table for every pair of nibbles: 16-bit offsets in a buffer, made by
//    vector code from the words of the pixels, 4 words at a time. This is work for an input, not for a MAC, but a fifth
//    of the time if every channel block repeats it (3x3 over 128 channels). So the buffer lives as long as the tile,
//    and the loops around take a tile through a group of blocks. It holds kWindowWords words of every pixel; longer
//    windows go through it in parts, for every block anew.
//
// Tile: 8 pixels (4 pairs) x 32 output channels. Registers (16): 4 sums s, 4 `low`, 4 `high`, the index, a table, a
// mask, one to spare. Tiles of 2 pairs read the weights twice as often and are 15 to 20 % slower; an odd last pixel
// costs as much as a pair. The tables (4 KB), the offsets (16 bytes a word and pair: 9 KB for 3x3 over 512 channels)
// and the weights that pass by share L1; the weights may come from L2, they need 12 bytes a cycle.
//
// Operations for 256 MACs, a lookup of one pair: a scalar load of an offset, 1.25 vector loads, 2.43 vector operations,
// 1.14 of which (shuffles and shifts) are bound to the ports of shuffles: 4.7 instructions.
//
//    Zen 2 to 4: 4 vector pipes, 2 of them shuffle and shift, 2 vector loads, 6 instructions a cycle: 0.78 cycles by
//      instructions, 0.63 by loads, 0.61 by operations.
//    Zen 5: 8 instructions a cycle: 0.63 by loads, 0.61 by operations. Measured: 0.71 on registers only (53 % of the
//      limit with VPOPCNT), because pipes that can shuffle take additions as well; 0.8 in this loop.
//    Skylake: 3 vector ports, 1 of them (p5) shuffles, 2 loads, 4 instructions a cycle: 1.18 cycles by instructions,
//      1.13 by loads, 1 by p5. With one pixel a byte p5 alone would need 2.
//    Alder Lake: 3 vector ports, 2 of them shuffle within lanes, 3 loads, 6 instructions a cycle: 0.81 by operations,
//      0.78 by instructions.
//
// Order: for 7 nibbles, the pairs innermost: an index is loaded once for 4 pairs, and 4 independent chains of additions
// hide the latencies of loads and shuffles.
#pragma once

#include <cstdint>

#include "kernels/pack_weights.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"
#include "kernels/x86/vec_avx2.h"

// The compiler takes `x` for changed. Without this it reorders sums into trees of many short-lived values, which do not
// fit into 16 registers.
#define BNN_KEEP_ORDER(x) __asm__("" : "+x"(x))

namespace bnn::kernels {
namespace {

// entry[x | y << 4][n] = half(x, n) | half(y, n) << 4, as derived above.
struct HalfCountTables {
  alignas(64) uint8_t entry[256][16];
};

constexpr HalfCountTables MakeHalfCountTables() {
  HalfCountTables tables{};
  const auto half = [](int x, int n) {
    return (__builtin_popcount(x ^ n) + __builtin_parity(x) - __builtin_parity(n)) / 2;
  };
  for (int pair = 0; pair < 256; ++pair) {
    for (int n = 0; n < 16; ++n) {
      tables.entry[pair][n] = static_cast<uint8_t>(half(pair & 15, n) | half(pair >> 4, n) << 4);
    }
  }
  return tables;
}

constexpr HalfCountTables kHalfCountTables = MakeHalfCountTables();

// The first n of 4 lanes: 16 bytes from kFirstLanes + 4 - n on.
alignas(32) constexpr int32_t kFirstLanes[8] = {-1, -1, -1, -1, 0, 0, 0, 0};

// Of the parts of a window behind the first one.
alignas(32) constexpr int32_t kNoOddWeights[32] = {};

struct CountAvx2 {
  using Vector = Avx2;
  static constexpr int kMaxPixels = 8;
  static constexpr int kPixelStep = 2;
  static constexpr PackedOrder kOrder = kNibbleOrder;
  static constexpr int64_t kNibblesPerWord = 8;

  static constexpr int kLookupsPerFold = 7;     // 7 * 2 <= 15
  static constexpr int kFoldsPerWiden = 18;     // 18 * 14 <= 255
  static constexpr int64_t kWindowWords = 320;  // 320 * 8 * 2 <= 65535
  static constexpr int64_t kStepWords = 4;      // what one step of FillWindow takes
  static constexpr int kStepsPerSum = 15;       // the nibbles that count odd ones hold 15

  // A part of what lies under the pixels of a tile, as the loop wants it.
  template <int kPairs>
  struct Window {
    int64_t words = 0;
    int32_t odd[2 * kPairs];  // the odd nibbles of every pixel
    alignas(64) uint16_t offsets[kPairs][(kWindowWords + kStepWords) * kNibblesPerWord];  // bytes into the tables

    BNN_INLINE Window() {}
  };

  template <int kPixels>
  struct Input : TileInput {
    static constexpr int kPairs = (kPixels + 1) / 2;
    Window<kPairs> window;
    int64_t begin = -1;  // the first word in the window; -1: nothing is

    BNN_INLINE explicit Input(const TileInput& where) : TileInput(where) {}
  };

  // The two pixels of a pair, byte by byte: x0 y0 x1 y1 ... of `words` (1 to 4) words; the words behind are 0.
  static BNN_INLINE __m256i LoadPair(const uint32_t* x, const uint32_t* y, int64_t words) {
    const __m128i lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kFirstLanes + 4 - words));
    const __m128i x_words = _mm_maskload_epi32(reinterpret_cast<const int*>(x), lanes);
    const __m128i y_words = _mm_maskload_epi32(reinterpret_cast<const int*>(y), lanes);
    return _mm256_set_m128i(_mm_unpackhi_epi8(x_words, y_words), _mm_unpacklo_epi8(x_words, y_words));
  }

  // The offsets 16 * (x | y << 4) of all nibbles, in the order of the bits. Always 4 words, so 64 bytes.
  static BNN_INLINE void StoreOffsets(__m256i pair, uint16_t* to) {
    const __m256i of_x = _mm256_set1_epi16(0x00F0);
    const __m256i of_y = _mm256_set1_epi16(0x0F00);
    const __m256i low = _mm256_or_si256(_mm256_and_si256(_mm256_slli_epi16(pair, 4), of_x),  //
                                        _mm256_and_si256(pair, of_y));
    const __m256i high = _mm256_or_si256(_mm256_and_si256(pair, of_x),  //
                                         _mm256_and_si256(_mm256_srli_epi16(pair, 4), of_y));
    const __m256i words_0_2 = _mm256_unpacklo_epi16(low, high);
    const __m256i words_1_3 = _mm256_unpackhi_epi16(low, high);
    __m128i* out = reinterpret_cast<__m128i*>(to);
    _mm_storeu_si128(out, _mm256_castsi256_si128(words_0_2));
    _mm_storeu_si128(out + 1, _mm256_castsi256_si128(words_1_3));
    _mm_storeu_si128(out + 2, _mm256_extracti128_si256(words_0_2, 1));
    _mm_storeu_si128(out + 3, _mm256_extracti128_si256(words_1_3, 1));
  }

  // 1 in every nibble with an odd number of ones, else 0.
  static BNN_INLINE __m256i OddNibbles(__m256i x) {
    const __m256i of_pairs = _mm256_xor_si256(x, _mm256_srli_epi16(x, 1));
    const __m256i of_nibbles = _mm256_xor_si256(of_pairs, _mm256_srli_epi16(of_pairs, 2));
    return _mm256_and_si256(of_nibbles, _mm256_set1_epi8(0x11));
  }

  // Adds the sums of the nibbles in all even bytes to to[0], and in all odd ones to to[1].
  static BNN_INLINE void AddSumsOfNibbles(__m256i nibbles, int32_t* to) {
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i bytes =
        _mm256_add_epi8(_mm256_and_si256(nibbles, nibble), _mm256_and_si256(_mm256_srli_epi16(nibbles, 4), nibble));
    const __m256i zero = _mm256_setzero_si256();
    const __m256i even = _mm256_sad_epu8(_mm256_and_si256(bytes, _mm256_set1_epi16(255)), zero);
    const __m256i odd = _mm256_sad_epu8(_mm256_srli_epi16(bytes, 8), zero);
    const __m256i both = _mm256_or_si256(even, _mm256_slli_epi64(odd, 32));
    const __m128i halves = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    const __m128i sums = _mm_add_epi32(halves, _mm_unpackhi_epi64(halves, halves));
    __m128i* out = reinterpret_cast<__m128i*>(to);
    _mm_storel_epi64(out, _mm_add_epi32(_mm_loadl_epi64(out), sums));
  }

  // Where the walk stands.
  struct Place {
    const uint32_t* run;
    int64_t row, col;
    int64_t left;   // words of the run
    int64_t total;  // words of the window
  };

  static BNN_INLINE Place Start(const TapWalk& walk, const uint32_t* in) {
    return {in, 0, 0, walk.words, walk.rows * walk.cols * walk.words};
  }

  static BNN_INLINE void Advance(const TapWalk& walk, const uint32_t* in, int64_t words, Place& at) {
    at.run += words;
    at.left -= words;
    at.total -= words;
    if (at.left > 0) return;
    at.left = walk.words;
    if (++at.col == walk.cols) {
      at.col = 0;
      ++at.row;
    }
    at.run = in + at.row * walk.row_step + at.col * walk.col_step;
  }

  // The next words of the walk, as many as fit. The second pixel of the last pair is `last_step` words behind the first
  // one: 0 where a pixel has no partner and is its own. Never inlined, like SumWindow: one copy serves tiles of an odd
  // and an even number of pixels and all epilogues.
  template <int kPairs>
  static BNN_NOINLINE void FillWindow(const TileInput& input, int64_t last_step, Place& at, Window<kPairs>& window) {
    BNN_UNROLL for (int p = 0; p < 2 * kPairs; ++p) window.odd[p] = 0;
    window.words = 0;
    while (window.words < kWindowWords && at.total > 0) {
      __m256i odd[kPairs];
      BNN_UNROLL for (int q = 0; q < kPairs; ++q) odd[q] = _mm256_setzero_si256();
      for (int step = 0; step < kStepsPerSum && window.words < kWindowWords && at.total > 0; ++step) {
        const int64_t words = at.left < kStepWords ? at.left : kStepWords;
        BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
          const uint32_t* x = at.run + 2 * q * input.pixel_step;
          const __m256i pair = LoadPair(x, x + (q + 1 < kPairs ? input.pixel_step : last_step), words);
          StoreOffsets(pair, window.offsets[q] + window.words * kNibblesPerWord);
          odd[q] = _mm256_add_epi8(odd[q], OddNibbles(pair));
        }
        window.words += words;
        Advance(input.walk, input.in, words, at);
      }
      BNN_UNROLL for (int q = 0; q < kPairs; ++q) AddSumsOfNibbles(odd[q], window.odd + 2 * q);
    }
  }

  // The lookups of one nibble of all pairs: s[q] += half counts, or = if it is the first.
  template <int kPairs>
  static BNN_INLINE void Lookup(const Window<kPairs>& window, int64_t nibble, const uint8_t* weights, bool first,
                                __m256i (&s)[kPairs]) {
    const __m256i index = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      const uint8_t* entry = &kHalfCountTables.entry[0][0] + window.offsets[q][nibble];
      const __m256i table = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(entry)));
      const __m256i halves = _mm256_shuffle_epi8(table, index);
      s[q] = first ? halves : _mm256_add_epi8(s[q], halves);
      BNN_KEEP_ORDER(s[q]);
    }
  }

  template <int kPairs>
  static BNN_INLINE void Fold(const __m256i (&s)[kPairs], __m256i (&low)[kPairs], __m256i (&high)[kPairs]) {
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      low[q] = _mm256_add_epi8(low[q], _mm256_and_si256(s[q], _mm256_set1_epi8(15)));
      high[q] = _mm256_add_epi16(high[q], _mm256_srli_epi16(s[q], 4));
      BNN_KEEP_ORDER(low[q]);
      BNN_KEEP_ORDER(high[q]);
    }
  }

  // sums[q] += 16-bit sums: the first pixel's even bytes and odd bytes, the second pixel's even bytes and odd bytes.
  template <int kPairs>
  static BNN_INLINE void Widen(const __m256i (&low)[kPairs], const __m256i (&high)[kPairs],
                               __m256i (&sums)[kPairs][4]) {
    const __m256i even = _mm256_set1_epi16(255);
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      const __m256i low_odd = _mm256_srli_epi16(low[q], 8);
      const __m256i second = _mm256_sub_epi16(high[q], _mm256_slli_epi16(low_odd, 4));
      sums[q][0] = _mm256_add_epi16(sums[q][0], _mm256_and_si256(low[q], even));
      sums[q][1] = _mm256_add_epi16(sums[q][1], low_odd);
      sums[q][2] = _mm256_add_epi16(sums[q][2], _mm256_and_si256(second, even));
      sums[q][3] = _mm256_add_epi16(sums[q][3], _mm256_srli_epi16(second, 8));
    }
  }

  // The half counts of the window and one channel block. `weights`: of the window's first nibble.
  template <int kPairs>
  static BNN_NOINLINE void SumWindow(const Window<kPairs>& window, const uint8_t* weights, __m256i (&sums)[kPairs][4]) {
    const __m256i zero = _mm256_setzero_si256();
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) { BNN_UNROLL for (int i = 0; i < 4; ++i) sums[q][i] = zero; }
    const int64_t nibbles = window.words * kNibblesPerWord;
    int64_t nibble = 0;
    while (nibble < nibbles) {
      __m256i s[kPairs], low[kPairs], high[kPairs];
      BNN_UNROLL for (int q = 0; q < kPairs; ++q) low[q] = high[q] = zero;
      int64_t end = nibble + kFoldsPerWiden * kLookupsPerFold;
      if (end > nibbles) end = nibbles;
      for (; end - nibble >= kLookupsPerFold; nibble += kLookupsPerFold) {
        BNN_UNROLL for (int i = 0; i < kLookupsPerFold; ++i) {
          Lookup(window, nibble + i, weights + i * 32, i == 0, s);
        }
        weights += kLookupsPerFold * 32;
        Fold(s, low, high);
      }
      if (nibble < end) {
        BNN_UNROLL for (int q = 0; q < kPairs; ++q) s[q] = zero;
        BNN_NO_UNROLL for (; nibble < end; ++nibble) {
          Lookup(window, nibble, weights, false, s);
          weights += 32;
        }
        Fold(s, low, high);
      }
      Widen(low, high, sums);
    }
  }

  // halves -= 2 * sums - odd nibbles of the pixel + odd nibbles of the weights. Byte 4 * l + v of the weights is
  // channel 8 * v + l, so every v takes one 16-bit half of each 32-bit lane.
  template <int kPixels, int kPairs>
  static BNN_INLINE void SubtractSums(const Window<kPairs>& window, const int32_t* odd_weights,
                                      const __m256i (&sums)[kPairs][4], __m256i (&halves)[kPixels][4]) {
    const __m256i of_low = _mm256_set1_epi32(0xFFFE);  // -2 times the low 16 bits, 0 times the high ones
    const __m256i of_high = _mm256_set1_epi32(-2 * 65536);
    BNN_UNROLL for (int v = 0; v < 4; ++v) {
      const __m256i odd_of_weights = _mm256_load_si256(reinterpret_cast<const __m256i*>(odd_weights + v * 8));
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
        const __m256i odd = _mm256_sub_epi32(_mm256_set1_epi32(window.odd[p]), odd_of_weights);
        const __m256i minus_twice = _mm256_madd_epi16(sums[p / 2][p % 2 * 2 + v % 2], v < 2 ? of_low : of_high);
        halves[p][v] = _mm256_add_epi32(halves[p][v], _mm256_add_epi32(minus_twice, odd));
      }
    }
  }

  // halves[p][v] -= the number of differing bits between the window of pixel p and the weights of the block, channels
  // 8 * v + (0 to 7). The first block fills the buffer; a window that does not fit into it is filled anew by each.
  template <int kPixels>
  static BNN_INLINE void Count(Input<kPixels>& input, const uint32_t* weights, __m256i (&halves)[kPixels][4]) {
    constexpr int kPairs = Input<kPixels>::kPairs;
    const int64_t total = input.walk.rows * input.walk.cols * input.walk.words;
    const int32_t* odd_weights = reinterpret_cast<const int32_t*>(weights);
    weights += kOrder.header_words;
    Place at = Start(input.walk, input.in);
    int64_t begin = 0;
    do {
      if (input.begin != begin) {
        FillWindow(input, kPixels % 2 == 0 ? input.pixel_step : 0, at, input.window);
        input.begin = begin;
      }
      __m256i sums[kPairs][4];
      SumWindow(input.window, reinterpret_cast<const uint8_t*>(weights), sums);
      SubtractSums<kPixels, kPairs>(input.window, odd_weights, sums, halves);
      odd_weights = kNoOddWeights;
      weights += input.window.words * kOrder.words_per_word;
      begin += input.window.words;
    } while (begin < total);
  }
};

}  // namespace
}  // namespace bnn::kernels

#undef BNN_KEEP_ORDER
