#include "engine/compile/threshold_branch.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "tests/formats/model_builder.h"

namespace bnn::engine {
namespace {

using formats::ModelBuilder;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Any float that is not NaN, all magnitudes alike.
float AnyFloat(std::mt19937& random) {
  while (true) {
    const auto bits = static_cast<uint32_t>(random());
    float x;
    std::memcpy(&x, &bits, sizeof(x));
    if (!std::isnan(x)) return x;
  }
}

// What the separate nodes do to one value.
bool Bit(float x, float scale, float bias, float slope, float low, float high, float threshold) {
  float y = std::fma(x, scale, bias);
  y = y < 0 ? y * slope : y;
  y = y < low ? low : (y > high ? high : y);
  return y >= threshold;
}

std::optional<ThresholdBranch> Branch(float scale, float bias, float slope, float low, float high, float threshold) {
  ModelBuilder b;
  const int x = b.Input({2, 2, 1});
  const int affine = b.Affine("affine", x, {scale}, {bias});
  const int prelu = b.Node("prelu", formats::PRelu{b.Floats({1}, {slope})}, {affine});
  const int clamp = b.Node("clamp", formats::Clamp{low, high}, {prelu});
  b.Binarize("sign", clamp, {threshold});
  return FindThresholdBranch(b.model(), Readers(b.model()), 0);
}

TEST_CASE("the moved threshold decides every float as the separate nodes do") {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> uniform(-3, 3);
  for (int trial = 0; trial < 400; ++trial) {
    const float sign = trial % 8 < 4 ? 1.0f : -1.0f;
    const float scale = sign * (trial % 7 == 0 ? std::fabs(AnyFloat(random)) : std::fabs(uniform(random)) + 0.01f);
    const float bias = trial % 5 == 0 ? 0 : uniform(random);
    const float slope = trial % 3 == 0 ? 0 : std::fabs(uniform(random));  // behind the scale, so 0 cuts the low end
    const float low = trial % 2 == 0 ? -kInfinity : -std::fabs(uniform(random));
    const float high = trial % 4 == 0 ? 1 : kInfinity;
    const float threshold = trial % 6 == 0 ? low : uniform(random);
    if (scale == 0 || !std::isfinite(scale)) continue;
    const auto branch = Branch(scale, bias, slope, low, high, threshold);
    REQUIRE(branch.has_value());
    REQUIRE(branch->nodes == std::vector<int>{0, 1, 2, 3});
    REQUIRE(branch->thresholds.size() == 1);
    REQUIRE(branch->signs == (sign > 0 ? std::vector<float>{} : std::vector<float>{-1}));
    const float moved = branch->thresholds[0][0];
    std::vector<float> values = {0.f,
                                 -0.f,
                                 kInfinity,
                                 -kInfinity,
                                 std::nanf(""),
                                 sign * moved,
                                 sign * std::nextafter(moved, -kInfinity),
                                 sign * std::nextafter(moved, kInfinity)};
    for (int i = 0; i < 200; ++i) values.push_back(i % 2 == 0 ? AnyFloat(random) : uniform(random));
    for (const float x : values) {
      REQUIRE_MESSAGE((x * sign >= moved) == Bit(x, scale, bias, slope, low, high, threshold),
                      "x " << x << " scale " << scale << " bias " << bias << " slope " << slope << " threshold "
                           << threshold << " moved " << moved);
    }
  }
}

TEST_CASE("a bit that is never set gets the threshold NaN") {
  const auto branch = Branch(1, 0, 1, -1, 1, 2);
  REQUIRE(branch.has_value());
  CHECK(std::isnan(branch->thresholds[0][0]));
}

TEST_CASE("a PReLU of slope 0 makes NaN of an infinity, which gives 0 at either end") {
  // x -> PReLU(0) -> times `scale` -> x >= -1: rising, the bit is 1 for all but -inf; falling, the order would begin
  // with 0 at +inf and end with 0 at -inf.
  const auto branch = [](float scale) {
    ModelBuilder b;
    const int bent = b.Node("prelu", formats::PRelu{b.Floats({1}, {0})}, {b.Input({2, 2, 1})});
    b.Binarize("sign", b.Affine("scale", bent, {scale}, {0}), {-1});
    return FindThresholdBranch(b.model(), Readers(b.model()), 0);
  };
  REQUIRE(branch(2).has_value());
  CHECK(branch(2)->thresholds[0] == std::vector<float>{std::numeric_limits<float>::lowest()});
  CHECK_FALSE(branch(-2).has_value());
}

TEST_CASE("rising and falling channels") {
  ModelBuilder b;
  b.Binarize("sign", b.Affine("scale", b.Input({2, 2, 3}), {2, -1, -4}, {1, 3, 0}));
  const auto branch = FindThresholdBranch(b.model(), Readers(b.model()), 0);
  REQUIRE(branch.has_value());
  CHECK(branch->signs == std::vector<float>{1, -1, -1});
  CHECK(branch->thresholds[0] == std::vector<float>{-0.5f, -3, -0.0f});
}

TEST_CASE("thresholds a channel") {
  ModelBuilder b;
  const int x = b.Input({2, 2, 3});
  b.Binarize("sign", b.Affine("shift", x, {1}, {1, -2, 0.5}));
  const auto branch = FindThresholdBranch(b.model(), Readers(b.model()), 0);
  REQUIRE(branch.has_value());
  CHECK(branch->thresholds[0] == std::vector<float>{-1, 2, -0.5});
}

TEST_CASE("a Binarize alone is a branch with its own thresholds") {
  ModelBuilder b;
  b.Binarize("sign", b.Input({2, 2, 2}), {0.25f, -1});
  const auto branch = FindThresholdBranch(b.model(), Readers(b.model()), 0);
  REQUIRE(branch.has_value());
  CHECK(branch->thresholds[0] == std::vector<float>{0.25f, -1});
}

TEST_CASE("several levels: each threshold moves, and the highest stays the highest where the branch falls") {
  ModelBuilder b;
  const int scaled = b.Affine("scale", b.Input({2, 2, 2}), {2, -1}, {0, 0});
  b.Node("levels", formats::Binarize{b.Floats({3, 2}, {0, -1, 1, 2, 3, 4}), 2}, {scaled});
  const auto branch = FindThresholdBranch(b.model(), Readers(b.model()), 0);
  REQUIRE(branch.has_value());
  CHECK(branch->signs == std::vector<float>{1, -1});
  CHECK(branch->thresholds == std::vector<std::vector<float>>{{0, -1}, {0.5f, 2}, {1.5f, 4}});
}

TEST_CASE("what is not monotonic in every channel is no branch") {
  CHECK_FALSE(Branch(0, 0, 1, -1, 1, 0).has_value());
  CHECK_FALSE(Branch(1, 0, -0.5f, -1, 1, 0).has_value());
  CHECK_FALSE(Branch(1, 0, 1, 1, -1, 0).has_value());
  CHECK_FALSE(Branch(kInfinity, 0, 1, -1, 1, 0).has_value());
  CHECK_FALSE(Branch(1, kInfinity, 1, -1, 1, 0).has_value());
  ModelBuilder b;
  b.Binarize("sign", b.Affine("scale", b.Input({2, 2, 2}), {1, 0}, {0}));
  CHECK_FALSE(FindThresholdBranch(b.model(), Readers(b.model()), 0).has_value());
}

}  // namespace
}  // namespace bnn::engine
