// What kernels/x86/nibble_counter.h makes of the input under a tile of pixels, in AVX2. ISA files only.
//
// The counter wants the address of a table for every pair of nibbles: 16-bit offsets in a buffer, made by vector code
// from the words of the pixels, 4 words at a time. This is work for an input, not for a MAC, but a fifth of the time if
// every channel block repeats it (3x3 over 128 channels). So the buffer lives as long as the tile, and the loops around
// take a tile through a group of blocks. It holds kWindowWords words of every pixel; longer windows go through it in
// parts, for every block anew.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"
#include "kernels/x86/nibble_counter.h"

namespace bnn::kernels {
namespace {

constexpr int64_t kNibblesPerWord = 8;
constexpr int64_t kStepWords = 4;  // what one step of FillWindow takes
constexpr int kStepsPerSum = 15;   // the nibbles that count odd ones hold 15

// The first n of 4 lanes: 16 bytes from kFirstLanes + 4 - n on.
alignas(32) constexpr int32_t kFirstLanes[8] = {-1, -1, -1, -1, 0, 0, 0, 0};

// A part of what lies under the pixels of a tile, as the loop wants it.
template <int kPairs>
struct NibbleWindow {
  int64_t words = 0;
  int32_t odd[2 * kPairs];  // the odd nibbles of every pixel
  alignas(64) uint16_t offsets[kPairs][(kWindowWords + kStepWords) * kNibblesPerWord];  // bytes into the tables

  BNN_INLINE NibbleWindow() {}
};

// The two pixels of a pair, byte by byte: x0 y0 x1 y1 ... of `words` (1 to 4) words; the words behind are 0.
BNN_INLINE __m256i LoadPair(const uint32_t* x, const uint32_t* y, int64_t words) {
  const __m128i lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kFirstLanes + 4 - words));
  const __m128i x_words = _mm_maskload_epi32(reinterpret_cast<const int*>(x), lanes);
  const __m128i y_words = _mm_maskload_epi32(reinterpret_cast<const int*>(y), lanes);
  return _mm256_set_m128i(_mm_unpackhi_epi8(x_words, y_words), _mm_unpacklo_epi8(x_words, y_words));
}

// The offsets 16 * (x | y << 4) of all nibbles, in the order of the bits. Always 4 words, so 64 bytes.
BNN_INLINE void StoreOffsets(__m256i pair, uint16_t* to) {
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
BNN_INLINE __m256i OddNibbles(__m256i x) {
  const __m256i of_pairs = _mm256_xor_si256(x, _mm256_srli_epi16(x, 1));
  const __m256i of_nibbles = _mm256_xor_si256(of_pairs, _mm256_srli_epi16(of_pairs, 2));
  return _mm256_and_si256(of_nibbles, _mm256_set1_epi8(0x11));
}

// Adds the sums of the nibbles in all even bytes to to[0], and in all odd ones to to[1].
BNN_INLINE void AddSumsOfNibbles(__m256i nibbles, int32_t* to) {
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
struct WindowPlace {
  const uint32_t* run;
  int64_t row, col;
  int64_t left;   // words of the run
  int64_t total;  // words of the window

  BNN_INLINE explicit WindowPlace(const TileInput& input)
      : run(input.in), row(0), col(0), left(input.walk->words), total(input.walk->rows * input.walk->cols * left) {}
};

BNN_INLINE void Advance(const TapWalk& walk, const uint32_t* in, int64_t words, WindowPlace& at) {
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
BNN_NOINLINE void FillWindow(const TileInput& input, int64_t last_step, WindowPlace& at, NibbleWindow<kPairs>& window) {
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
      Advance(*input.walk, input.in, words, at);
    }
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) AddSumsOfNibbles(odd[q], window.odd + 2 * q);
  }
}

}  // namespace
}  // namespace bnn::kernels
