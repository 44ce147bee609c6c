// What kernels/x86/popcount_avx512.h makes of the input under a tile of pixels, in AVX-512. ISA files only.
//
// The counter chooses a table for every pair of nibbles, of a pixel x and its partner y. The number of that table is a
// byte, x | y << 4, so a byte of x and one of y make two: `low` holds those of the low nibbles, `high` those of the
// high ones. Whole vectors of words become whole vectors of table numbers, in the order in which they lie.
//
// Runs that overlap (taps of neighbouring pixels: a 3x3 of stride 1 reads a pixel up to three times) need not be made
// for every pixel anew. Partners are `pixel_step` words apart, so x and y of all pairs follow from one pass over the
// words of a kernel row: number i is that of words i and i + pixel_step, and pair q starts at 2 * q * pixel_step. That
// is 15 columns instead of 21 for a tile of 14 pixels of a 3x3, and vectors that are full however short the runs.
// Where it would be more work (1x1, dilations) the runs of every pair lie one behind the other.
//
// Of one group of channels the taps of a kernel row do not touch, there are other groups' words between them. Where
// taps are neighbouring pixels all the same, the group's words of a row are first moved together, so that they do: a
// 3x3 over two groups of 64 channels then is 3 rows of 24 bytes instead of 9 runs of 8. (On Zen 4, 28 x 28, of two
// groups of 64 channels a fifth faster, of four two fifths.)
//
//              one run of pair 0, 3 taps           columns of 128 channels, 4 words each
//          |--------------------|
//   x      c0    c1    c2    c3    c4    c5 ...    shared: a row of the window is c0c1 c1c2 c2c3 c3c4 ...
//   y      c1    c2    c3    c4    c5    c6 ...    pair 0 from c0c1 on, pair 1 from c2c3 on
//                      |--------------------|
//                        one run of pair 1
//
// The window is made once a tile and used by all channel blocks of a group. It holds kWindowWords words of every pixel;
// longer ones go through it in parts, for every block anew.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"
#include "kernels/x86/nibble_counter.h"

namespace bnn::kernels {
namespace {

constexpr int64_t kVectorWords = 16;
constexpr int64_t kBytesPerWord = 4;

// A part of what lies under the pixels of a tile.
template <int kPairs>
struct ByteWindow {
  static constexpr int64_t kWords = kPairs * kWindowWords;                    // of all pairs
  static constexpr int64_t kBytes = (kWords + kVectorWords) * kBytesPerWord;  // the last vector may be part of one

  int64_t words;            // of a pixel
  int64_t runs;             // of a pair, in bytes of `low` and of `high`:
  int64_t run_bytes;        // their length
  int64_t run_pitch;        // from one to the next
  int64_t pair_pitch;       // from those of a pair to those of the next one
  int32_t odd[2 * kPairs];  // the odd nibbles of every pixel
  alignas(64) uint8_t low[kBytes];
  alignas(64) uint8_t high[kBytes];
  int32_t odd_before[kWords + kVectorWords];  // shared runs: the odd nibbles of the words, then of all before a word

  BNN_INLINE ByteWindow() {}
};

// The first `words` of 16 lanes; none if there are fewer than 0.
BNN_INLINE __mmask16 FirstLanes(int64_t words) {
  return static_cast<__mmask16>(_bzhi_u32(0xFFFF, static_cast<uint32_t>(words < 0 ? 0 : words < 16 ? words : 16)));
}

BNN_INLINE __m512i LoadWords(const uint32_t* from, int64_t words) {
  return _mm512_maskz_loadu_epi32(FirstLanes(words), from);
}

// The numbers of the tables: x | y << 4 of the low nibbles and of the high ones. Always 64 bytes of each.
BNN_INLINE void StoreTableNumbers(__m512i x, __m512i y, uint8_t* low, uint8_t* high) {
  constexpr int kSelect = 0xCA;  // of three operands: the second where the first is 1, else the third
  const __m512i low_nibbles = _mm512_set1_epi8(15);
  const __m512i up = _mm512_maskz_slli_epi16(~0u, y, 4);
  const __m512i down = _mm512_maskz_srli_epi16(~0u, x, 4);
  _mm512_storeu_si512(low, _mm512_ternarylogic_epi32(low_nibbles, x, up, kSelect));
  _mm512_storeu_si512(high, _mm512_ternarylogic_epi32(low_nibbles, down, y, kSelect));
}

// The numbers of odd nibbles of 16 words, in 32-bit lanes.
BNN_INLINE __m512i OddNibblesOfWords(__m512i x) {
  const __m512i of_pairs = _mm512_xor_si512(x, _mm512_maskz_srli_epi16(~0u, x, 1));
  const __m512i of_nibbles =
      _mm512_and_si512(_mm512_xor_si512(of_pairs, _mm512_maskz_srli_epi16(~0u, of_pairs, 2)), _mm512_set1_epi8(0x11));
  const __m512i of_bytes =
      _mm512_and_si512(_mm512_add_epi8(of_nibbles, _mm512_maskz_srli_epi16(~0u, of_nibbles, 4)), _mm512_set1_epi8(3));
  return _mm512_madd_epi16(_mm512_maddubs_epi16(of_bytes, _mm512_set1_epi8(1)), _mm512_set1_epi16(1));
}

BNN_INLINE int32_t SumOfLanes(__m512i x) {
  const __m256i eight =
      _mm256_add_epi32(_mm512_maskz_extracti64x4_epi64(0xF, x, 0), _mm512_maskz_extracti64x4_epi64(0xF, x, 1));
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return _mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 1);
}

// What is left of a walk: from word `word` of run (row, col) on.
struct WindowPlace {
  const TapWalk* walk;
  const uint32_t* in;
  int64_t row, col, word;
  int64_t runs;  // with the current one

  BNN_INLINE explicit WindowPlace(const TileInput& input)
      : walk(input.walk), in(input.in), row(0), col(0), word(0), runs(walk->rows * walk->cols) {}

  BNN_INLINE const uint32_t* Words() const { return in + row * walk->row_step + col * walk->col_step + word; }
  BNN_INLINE void NextRun() {
    word = 0;
    --runs;
    if (++col < walk->cols) return;
    col = 0;
    ++row;
  }
  BNN_INLINE void Advance(int64_t words) {
    word += words;
    if (word == walk->words) NextRun();
  }
};

BNN_INLINE int64_t VectorsOf(int64_t words) { return (words + kVectorWords - 1) / kVectorWords; }

// Runs that overlap. Next: the words of the next run. `span`: from the first pixel's first to the last one's last.
template <int kPairs, class Next>
BNN_INLINE void FillShared(int64_t pixels, int64_t words, int64_t step, int64_t span, ByteWindow<kPairs>& window,
                           Next next) {
  window.run_bytes = words * kBytesPerWord;
  window.run_pitch = span * kBytesPerWord;
  window.pair_pitch = 2 * step * kBytesPerWord;
  uint8_t* low = window.low;
  uint8_t* high = window.high;
  for (int64_t run = 0; run < window.runs; ++run) {
    const uint32_t* const x = next();
    for (int64_t i = 0; i < span; i += kVectorWords) {
      const __m512i first = LoadWords(x + i, span - i);
      StoreTableNumbers(first, LoadWords(x + i + step, span - i - step), low + i * kBytesPerWord,
                        high + i * kBytesPerWord);
      const __m512i odd = OddNibblesOfWords(first);
      int32_t* sum = window.odd_before + i;
      _mm512_storeu_si512(sum, run == 0 ? odd : _mm512_add_epi32(odd, _mm512_loadu_si512(sum)));
    }
    low += window.run_pitch;
    high += window.run_pitch;
  }
  int32_t before = 0;
  for (int64_t i = 0; i < span; ++i) {
    const int32_t odd = window.odd_before[i];
    window.odd_before[i] = before;
    before += odd;
  }
  window.odd_before[span] = before;
  const int32_t* first = window.odd_before;
  for (int64_t p = 0; p < pixels; ++p) {
    window.odd[p] = first[words] - first[0];
    first += step;
  }
}

// Moves `pixels` times `words` words together that lie `step` words apart. Always 4 words at once, from the last ones
// to the first ones, which so overwrite what the last ones of the pixel in front left too much.
BNN_INLINE void MoveTogether(const uint32_t* from, int64_t step, int64_t pixels, int64_t words, uint32_t* to) {
  constexpr int64_t kFour = 4;
  for (int64_t i = (words - 1) / kFour * kFour; i >= 0; i -= kFour) {
    const auto lanes = static_cast<__mmask8>(FirstLanes(words - i < kFour ? words - i : kFour));
    const uint32_t* x = from + i;
    uint32_t* y = to + i;
    for (int64_t p = 0; p < pixels; ++p) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y), _mm_maskz_loadu_epi32(lanes, x));
      x += step;
      y += words;
    }
  }
}

// Runs of every pair by itself, one behind the other; `words` of each.
template <int kPairs>
BNN_INLINE void FillApart(WindowPlace& at, int64_t runs, int64_t words, int64_t pixels, int64_t step,
                          ByteWindow<kPairs>& window) {
  const WindowPlace start = at;
  uint8_t* low = window.low;
  uint8_t* high = window.high;
  for (int64_t p = 0; p < pixels; p += 2) {
    const bool partner = p + 1 < pixels;
    __m512i odd_x = _mm512_setzero_si512();
    __m512i odd_y = _mm512_setzero_si512();
    at = start;
    for (int64_t run = 0; run < runs; ++run) {
      const uint32_t* x = at.Words() + p * step;
      for (int64_t i = 0; i < words; i += kVectorWords) {
        const __m512i first = LoadWords(x + i, words - i);
        const __m512i second = LoadWords(x + i + step, partner ? words - i : 0);
        StoreTableNumbers(first, second, low + i * kBytesPerWord, high + i * kBytesPerWord);
        odd_x = _mm512_add_epi32(odd_x, OddNibblesOfWords(first));
        odd_y = _mm512_add_epi32(odd_y, OddNibblesOfWords(second));
      }
      low += words * kBytesPerWord;
      high += words * kBytesPerWord;
      at.Advance(words);
    }
    window.odd[p] = SumOfLanes(odd_x);
    window.odd[p + 1] = SumOfLanes(odd_y);
  }
}

// Rows of taps that are neighbouring pixels with other words between them; `span` of the words that are not. All rows
// move first: what was stored in pieces must have reached L1 before it is loaded as a vector.
template <int kPairs>
BNN_INLINE void FillParted(int64_t pixels, int64_t step, int64_t span, WindowPlace& at, ByteWindow<kPairs>& window) {
  const TapWalk& walk = *at.walk;
  const int64_t rows = at.runs / walk.cols;
  const int64_t most = ByteWindow<kPairs>::kWords / span;
  const int64_t row_words = walk.cols * walk.words;
  window.runs = rows < most ? rows : most;
  window.words = window.runs * row_words;
  uint32_t together[ByteWindow<kPairs>::kWords + kVectorWords];
  for (int64_t run = 0; run < window.runs; ++run) {
    MoveTogether(at.Words(), step, pixels + walk.cols - 1, walk.words, together + run * span);
    ++at.row;
    at.runs -= walk.cols;
  }
  const uint32_t* next = together;
  FillShared(pixels, row_words, walk.words, span, window, [&] {
    const uint32_t* const row = next;
    next += span;
    return row;
  });
}

// The next words of the walk, as many whole runs as fit, or a part of one. Never inlined: one copy serves tiles of an
// odd and an even number of pixels and all epilogues.
template <int kPairs>
BNN_NOINLINE void FillWindow(int64_t pixels, int64_t step, WindowPlace& at, ByteWindow<kPairs>& window) {
  constexpr int64_t kWords = ByteWindow<kPairs>::kWords;
  const TapWalk& walk = *at.walk;
  const int64_t words = walk.words;
  const int64_t parted_span = (pixels + walk.cols - 1) * words;
  if (walk.cols > 1 && walk.col_step == step && parted_span <= kWords) {
    return FillParted(pixels, step, parted_span, at, window);
  }
  const int64_t span = (pixels - 1) * step + words;
  const bool shared = span <= kWords && VectorsOf(span) < kPairs * VectorsOf(words);
  const int64_t run_words = shared ? span : kPairs * words;
  if (run_words > kWords) {
    const int64_t left = words - at.word;
    window.runs = 1;
    window.words = left < kWindowWords ? left : kWindowWords;
  } else {
    window.runs = run_words * at.runs <= kWords ? at.runs : kWords / run_words;
    window.words = window.runs * words;
  }
  if (shared) {
    FillShared(pixels, words, step, span, window, [&] {
      const uint32_t* const run = at.Words();
      at.NextRun();
      return run;
    });
  } else {
    const int64_t runs = window.runs;
    window.runs = 1;  // of a pair: they touch
    window.run_bytes = window.pair_pitch = window.words * kBytesPerWord;
    window.run_pitch = 0;
    FillApart(at, runs, window.words / runs, pixels, step, window);
  }
}

}  // namespace
}  // namespace bnn::kernels
