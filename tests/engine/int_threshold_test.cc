#include "engine/compile/int_threshold.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace bnn::engine {
namespace {

TEST_CASE("the integer threshold decides every accumulator as the float chain does") {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-4, 4);
  for (int trial = 0; trial < 2000; ++trial) {
    const int64_t terms = 1 + static_cast<int64_t>(random() % 300);
    const float scale = uniform(random);
    const float bias = uniform(random) * static_cast<float>(terms) / 4;
    const float threshold = trial % 5 == 0 ? scale * static_cast<float>(random() % 9) + bias : uniform(random);
    const auto bit = [&](int32_t acc) { return std::fma(static_cast<float>(acc), scale, bias) >= threshold; };
    const IntThreshold found = FindIntThreshold(terms, scale < 0, bit);
    for (int64_t acc = -terms; acc <= terms; ++acc) {
      REQUIRE_MESSAGE(((acc >= found.threshold) != found.flip) == bit(static_cast<int32_t>(acc)),
                      "acc " << acc << " terms " << terms << " scale " << scale << " bias " << bias);
    }
  }
}

TEST_CASE("channels that are always 1 or always 0") {
  for (const bool decreasing : {false, true}) {
    for (const bool value : {false, true}) {
      const IntThreshold found = FindIntThreshold(9, decreasing, [&](int32_t) { return value; });
      for (int32_t acc = -9; acc <= 9; ++acc) CHECK(((acc >= found.threshold) != found.flip) == value);
    }
  }
}

}  // namespace
}  // namespace bnn::engine
