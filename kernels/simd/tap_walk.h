// The input words under one output pixel: `rows` x `cols` runs of `words` neighbouring words.
//
// For a convolution the runs are its taps. Where the taps of a kernel row touch each other in memory (no dilation, no
// other group's channels between them) they are one longer run: 3x3 over 64 channels is 3 runs of 6 words, not 9 of 2.
// A dense layer is one run. There is at least one row, one column and one word. The packed weights lie in the order of
// the walk, so they are read straight through.
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/simd/tuning.h"

namespace bnn::kernels {

struct TapWalk {
  int64_t rows = 1;
  int64_t row_step = 0;  // words
  int64_t cols = 1;
  int64_t col_step = 0;  // words
  int64_t words = 0;
  Tuning tuning = {};  // of the kernel that counts

  BNN_KERNEL_INLINE int64_t TotalWords() const { return rows * cols * words; }
};

}  // namespace bnn::kernels
