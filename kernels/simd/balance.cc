#include "kernels/simd/balance.h"

#include <bit>

namespace bnn::kernels {

Balance BalanceWindow(int64_t words, int64_t channels, int planes) {
  const auto used_bits = [channels](int64_t word) { return WordMask(channels, word % WordsFor(channels)); };
  Balance balance;
  int terms = 0, inverted = 0;
  for (int64_t word = 0; word < words; ++word) {
    const uint32_t used = used_bits(word);
    terms += std::popcount(used);
    if (word >= AddedWords(words)) continue;
    balance.inverted[word] = used;
    inverted += std::popcount(used);
  }
  balance.rest = terms / 2 - inverted;
  for (int64_t word = 0; word < words; ++word) {
    const int32_t step = word < AddedWords(words) ? 1 : -1;  // what an inverted spare bit of the word adds
    uint32_t spare = ~used_bits(word);
    for (; spare != 0 && balance.rest * step > 0; spare &= spare - 1) {
      balance.inverted[word] |= spare & -spare;
      balance.rest -= step;
    }
  }
  balance.rest *= HighestLevel(planes);
  return balance;
}

}  // namespace bnn::kernels
