// What the counters of ARM make of the input under a tile of pixels: every word four times, side by side, so that one
// load brings it to all lanes of a vector. ISA files only.
//
// There is an instruction that loads one word to all lanes (LD1R), but Cortex-A72, A76 and Neoverse execute it as a
// load and an operation of the vector pipes, where the counter has no room: for a tile of 4 pixels and 4 vectors it
// would be 4 operations beside 48. Here it happens once for a tile and all its channel blocks.
//
//   shared     The runs of neighbouring pixels overlap (a 3x3 of stride 1 reads a pixel up to three times), so each row
//              under the tile is spread once, and pixels and taps keep their distances in it.
//   separate   Where that would be more work (strides, dilations, groups) the runs of each pixel lie one behind the
//              other.
//   parts      Windows that do not fit go through the buffer in parts, for every channel block anew.
//
// kAlternating: every second word of a pixel is inverted, which a carry-save counter asks for (popcount_neonsha3.h). A
// word that several pixels share would stand at even places of some and at odd ones of others, so windows are separate.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"

namespace bnn::kernels {
namespace {

inline constexpr int64_t kSpreadVectors = 1024;  // 16 KB, half of the L1 of most cores

// Spreads `words` words, every other one inverted, the first by `invert`, if it is all ones.
template <bool kAlternating>
BNN_INLINE void Spread(const uint32_t* from, int64_t words, uint32_t invert, uint32x4_t* to) {
  for (int64_t i = 0; i < words; ++i) {
    to[i] = vdupq_n_u32(kAlternating ? from[i] ^ invert : from[i]);
    invert = ~invert;
  }
}

template <int kPixels, bool kAlternating = false>
class SpreadWindow {
 public:
  // A walk over spread words: its steps, and that between pixels, in vectors. There is a vector to read behind every
  // run.
  struct Walk {
    TapWalk taps;
    int64_t pixel_step;
    const uint32x4_t* in;
  };

  BNN_INLINE SpreadWindow() {}
  BNN_INLINE void Start(const TileInput& input) {
    window_ = input.walk;
    in_ = input.in;
    in_pixel_step_ = input.pixel_step;
    Fill();
  }

  // Calls count(walk, words) for the parts of the window in order; `words` is the length of a part of one pixel.
  template <class Function>
  BNN_INLINE void ForEachPart(const Function& count) {
    if (fits_) return count(walk_, window_->TotalWords());
    Place at = {0, 0, 0};
    while (at.row < window_->rows) {
      const int64_t words = FillPart(at);
      count(walk_, words);
    }
  }

 private:
  static constexpr int64_t kPixelStep = kSpreadVectors / kPixels;
  static constexpr int64_t kPartWords = kPixelStep - 1;

  struct Place {
    int64_t row, col, word;
  };

  BNN_NOINLINE void Fill() {
    const int64_t words = window_->TotalWords();
    const int64_t span = (kPixels - 1) * in_pixel_step_ + (window_->cols - 1) * window_->col_step + window_->words;
    walk_.in = spread_;
    const bool is_shared = span <= kPixels * window_->cols * window_->words && window_->rows * span < kSpreadVectors;
    if (is_shared && !kAlternating) {
      for (int64_t row = 0; row < window_->rows; ++row) {
        Spread<false>(in_ + row * window_->row_step, span, 0, spread_ + row * span);
      }
      spread_[window_->rows * span] = vdupq_n_u32(0);
      walk_.taps = {window_->rows, span, window_->cols, window_->col_step, window_->words};
      walk_.pixel_step = in_pixel_step_;
      fits_ = true;
      return;
    }
    fits_ = words <= kPartWords;
    if (!fits_) return;
    Place at = {0, 0, 0};
    FillPart(at);
  }

  // Spreads what comes next of every pixel, as much as fits, and moves on behind it.
  BNN_NOINLINE int64_t FillPart(Place& at) {
    int64_t filled = 0;
    while (filled < kPartWords && at.row < window_->rows) {
      const int64_t left = window_->words - at.word;
      const int64_t words = left < kPartWords - filled ? left : kPartWords - filled;
      const uint32_t* from = in_ + at.row * window_->row_step + at.col * window_->col_step + at.word;
      const uint32_t invert = filled % 2 == 0 ? 0 : ~uint32_t{0};
      for (int p = 0; p < kPixels; ++p) {
        Spread<kAlternating>(from + p * in_pixel_step_, words, invert, spread_ + p * kPixelStep + filled);
      }
      filled += words;
      at.word += words;
      if (at.word < window_->words) break;
      at.word = 0;
      if (++at.col < window_->cols) continue;
      at.col = 0;
      ++at.row;
    }
    for (int p = 0; p < kPixels; ++p) spread_[p * kPixelStep + filled] = vdupq_n_u32(0);
    walk_.taps = {1, 0, 1, 0, filled};
    walk_.pixel_step = kPixelStep;
    walk_.in = spread_;
    return filled;
  }

  const TapWalk* window_;
  const uint32_t* in_;
  int64_t in_pixel_step_;
  bool fits_;
  Walk walk_;
  uint32x4_t spread_[kSpreadVectors];
};

}  // namespace
}  // namespace bnn::kernels
