// Windows balanced by inverted bits: counted so, half accumulators must come out, of an even number of words without a
// rest.
#include "kernels/simd/balance.h"

#include <doctest/doctest.h>

#include <bit>
#include <random>
#include <vector>

namespace bnn::kernels {
namespace {

// Random bits of `words` words, spare ones 0.
std::vector<uint32_t> RandomWindow(int64_t words, int64_t channels, std::mt19937& random) {
  std::vector<uint32_t> window;
  for (int64_t word = 0; word < words; ++word) {
    window.push_back(static_cast<uint32_t>(random()) & WordMask(channels, word % WordsFor(channels)));
  }
  return window;
}

TEST_CASE("balanced windows count half accumulators, an even number of words without a rest") {
  std::mt19937 random(1);
  for (int64_t words = 1; words <= kMaxBalancedWords; ++words) {
    for (int64_t taps = 1; taps <= words; ++taps) {
      if (words % taps != 0) continue;
      const int64_t tap_words = words / taps;
      for (int64_t channels = 32 * tap_words - 31; channels <= 32 * tap_words; ++channels) {
        const int64_t terms = taps * channels;
        if (terms % 2 != 0) continue;
        CAPTURE(words);
        CAPTURE(channels);
        const Balance balance = BalanceWindow(words, channels, 1);
        if (words % 2 == 0) CHECK(balance.rest == 0);
        const auto in = RandomWindow(words, channels, random);
        const auto weights = RandomWindow(words, channels, random);
        int64_t differing = 0, half = balance.rest;
        for (int64_t word = 0; word < words; ++word) {
          const uint32_t bits = in[word] ^ weights[word];
          differing += std::popcount(bits);
          half += std::popcount(bits ^ balance.inverted[word]) * (word < AddedWords(words) ? 1 : -1);
        }
        CHECK(half == terms / 2 - differing);
      }
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
