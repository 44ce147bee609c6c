// Counting a short window so that its half accumulators need no constant.
//
// A half accumulator is K / 2 minus the number of bits in which a window and its weights differ. Where a word of
// weights is inverted, popcount(in XOR w) is the number of bits that agree, which is the word's bits minus those that
// differ. So with the first half of a window's words inverted
//
//   h = K / 2 - (differing bits) = popcounts of the inverted words - popcounts of the others + rest
//   rest = K / 2 - inverted bits
//
// and the rest is 0 where as many bits are inverted as are not. Spare bits help out where words are not full: they are
// 0 in windows and weights, and inverted in the weights they count one each, whatever the window is. An even number of
// words can always be balanced so, for even K. An odd number starts with the longer half and, mostly, keeps a rest.
// Several planes are counted each by itself, so their sum by weights lacks the rest 2^planes - 1 times.
//
// That saves an operation for each vector of sums, which a window of two words notices: of 1x1 over 64 channels with
// residual and PReLU it is one of 11.
#pragma once

#include <cstdint>

#include "kernels/bits.h"

namespace bnn::kernels {

inline constexpr int64_t kMaxBalancedWords = 8;

// The number of leading words whose popcounts are added; those of the others are subtracted.
BNN_KERNEL_INLINE constexpr int64_t AddedWords(int64_t words) { return (words + 1) / 2; }

struct Balance {
  uint32_t inverted[kMaxBalancedWords] = {};  // by word: the bits of its weights that are inverted
  int32_t rest = 0;                           // of all planes
};

// For a window of `words` words, 1 to kMaxBalancedWords, whose taps have `channels` channels each, of `planes` planes.
Balance BalanceWindow(int64_t words, int64_t channels, int planes);

}  // namespace bnn::kernels
