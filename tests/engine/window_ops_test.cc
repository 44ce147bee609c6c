// Float convolution, dense layers and pooling against plain sums in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "engine/ops/make_step.h"
#include "tests/engine/step_harness.h"

namespace bnn::test {
namespace {

struct WindowCase {
  int64_t h, w, in, out, groups;
  formats::Window2d window;  // kernel h, w; stride h, w; dilation h, w; pad top, left, bottom, right
};

int64_t OutSize(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pads) {
  return (in + pads - (kernel - 1) * dilation - 1) / stride + 1;
}
int64_t OutH(const WindowCase& c) {
  const auto& w = c.window;
  return OutSize(c.h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top + w.pad_bottom);
}
int64_t OutW(const WindowCase& c) {
  const auto& w = c.window;
  return OutSize(c.w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left + w.pad_right);
}

// Calls tap(kh, kw, index of the input pixel) for every tap of an output pixel that lies in the map.
void ForTaps(const WindowCase& c, int64_t oh, int64_t ow,
             const std::function<void(int64_t kh, int64_t kw, int64_t pixel)>& tap) {
  const auto& w = c.window;
  for (int64_t kh = 0; kh < w.kernel_h; ++kh) {
    for (int64_t kw = 0; kw < w.kernel_w; ++kw) {
      const int64_t ih = oh * w.stride_h - w.pad_top + kh * w.dilation_h;
      const int64_t iw = ow * w.stride_w - w.pad_left + kw * w.dilation_w;
      if (ih >= 0 && ih < c.h && iw >= 0 && iw < c.w) tap(kh, kw, ih * c.w + iw);
    }
  }
}

// Of `out` sums of `terms` products each, scaled so that a sum is about 1 and rounding errors of all cases compare.
std::vector<float> RandomWeights(int64_t out, int64_t terms, uint32_t seed) {
  const float limit = 1 / std::sqrt(static_cast<float>(terms));
  return RandomFloats(out * terms, seed, -limit, limit);
}

std::vector<double> Conv2dReference(const WindowCase& c, int64_t batch, const std::vector<float>& x,
                                    const std::vector<float>& weights, const std::vector<float>& bias) {
  const int64_t in_group = c.in / c.groups, out_group = c.out / c.groups;
  std::vector<double> y;
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t pixel = 0; pixel < OutH(c) * OutW(c); ++pixel) {
      for (int64_t o = 0; o < c.out; ++o) {
        double sum = bias.empty() ? 0 : bias[static_cast<size_t>(o)];
        ForTaps(c, pixel / OutW(c), pixel % OutW(c), [&](int64_t kh, int64_t kw, int64_t at) {
          for (int64_t i = 0; i < in_group; ++i) {
            const int64_t in = (n * c.h * c.w + at) * c.in + o / out_group * in_group + i;
            const int64_t weight = ((o * c.window.kernel_h + kh) * c.window.kernel_w + kw) * in_group + i;
            sum += double{x[static_cast<size_t>(in)]} * weights[static_cast<size_t>(weight)];
          }
        });
        y.push_back(sum);
      }
    }
  }
  return y;
}

constexpr float kSlope = 0.25f;

std::vector<float> RunConv2d(const WindowCase& c, int64_t batch, int threads, const std::vector<float>& x,
                             const std::vector<float>& weights, const std::vector<float>& bias,
                             const formats::Op* activation = nullptr) {
  StepHarness harness(batch, threads);
  const int in = harness.Tensor({c.h, c.w, c.in});
  const int out = harness.Tensor({OutH(c), OutW(c), c.out});
  formats::Conv2d op{c.window, c.groups, formats::kNone, formats::kNone};
  op.weights = harness.Blob({c.out, c.window.kernel_h, c.window.kernel_w, c.in / c.groups}, weights);
  if (!bias.empty()) op.bias = harness.Blob({c.out}, bias);
  const formats::Op prelu = formats::PRelu{harness.Blob({1}, {kSlope})};
  if (activation != nullptr && std::holds_alternative<formats::PRelu>(*activation)) activation = &prelu;
  harness.Take(engine::MakeConv2d(harness.context(), {"conv", {in}, out}, op, activation));
  CHECK(harness.step().description.macs == batch * OutH(c) * OutW(c) * static_cast<int64_t>(weights.size()));
  CHECK(harness.step().description.weight_bytes >= static_cast<int64_t>(weights.size() * 4));
  return harness.Run({x}, 2);
}

TEST_CASE("conv2d: odd sizes, groups, dilations, asymmetric pads; equal for any number of threads") {
  const WindowCase cases[] = {
      {8, 8, 3, 16, 1, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}},
      {7, 9, 5, 7, 1, {3, 2, 2, 1, 1, 1, 0, 1, 2, 0}},
      {1, 1, 1, 1, 1, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}},
      {13, 11, 12, 18, 3, {3, 3, 1, 2, 2, 1, 2, 1, 1, 2}},
      {15, 15, 33, 33, 33, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}},  // depthwise
      {6, 6, 4, 8, 2, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}},
      {5, 5, 2, 3, 1, {3, 3, 1, 1, 1, 1, 4, 3, 5, 3}},  // windows that lie in the padding
      {5, 20, 16, 16, 1, {5, 7, 1, 3, 1, 2, 2, 6, 2, 6}},
      {30, 31, 17, 19, 1, {3, 3, 1, 1, 9, 9, 9, 9, 9, 9}},
      {112, 97, 3, 65, 1, {7, 7, 2, 2, 1, 1, 3, 2, 1, 3}},   // several strips
      {40, 40, 64, 48, 1, {5, 5, 1, 1, 3, 3, 11, 6, 7, 6}},  // strips whose pads reach beyond the first strip
      {33, 64, 64, 256, 2, {3, 3, 2, 1, 1, 1, 0, 0, 0, 0}},  // rows at the bottom that no window reads
  };
  uint32_t seed = 1;
  for (const WindowCase& c : cases) {
    for (const int64_t batch : {1, 3}) {
      CAPTURE(c.h);
      CAPTURE(c.in);
      CAPTURE(c.out);
      CAPTURE(batch);
      const auto x = RandomFloats(batch * c.h * c.w * c.in, seed++);
      const auto weights = RandomWeights(c.out, c.window.kernel_h * c.window.kernel_w * c.in / c.groups, seed++);
      const auto bias = seed % 4 == 0 ? std::vector<float>() : RandomFloats(c.out, seed++);
      const auto y = RunConv2d(c, batch, 1, x, weights, bias);
      CHECK(Near(y, Conv2dReference(c, batch, x, weights, bias)));
      CHECK(BitwiseEqual(y, RunConv2d(c, batch, 2, x, weights, bias)));
      CHECK(BitwiseEqual(y, RunConv2d(c, batch, 5, x, weights, bias)));
    }
  }
}

TEST_CASE("conv2d: a small batch and a large one cut into groups of samples agree") {
  const WindowCase c = {14, 14, 8, 8, 1, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}};
  const int64_t batch = 131;  // several groups and a smaller last one
  const auto x = RandomFloats(batch * c.h * c.w * c.in, 3);
  const auto weights = RandomFloats(c.out * 9 * c.in, 4);
  const auto y = RunConv2d(c, batch, 1, x, weights, {});
  CHECK(Near(y, Conv2dReference(c, batch, x, weights, {})));
  CHECK(BitwiseEqual(y, RunConv2d(c, batch, 2, x, weights, {})));
}

std::vector<float> RunDense(int64_t batch, int threads, int64_t in, int64_t out, const std::vector<float>& x,
                            const std::vector<float>& weights, const std::vector<float>& bias) {
  StepHarness harness(batch, threads);
  const int from = harness.Tensor({in});
  const int to = harness.Tensor({out});
  formats::Dense op;
  op.weights = harness.Blob({out, in}, weights);
  if (!bias.empty()) op.bias = harness.Blob({out}, bias);
  harness.Take(engine::MakeDense(harness.context(), {"dense", {from}, to}, op));
  CHECK(harness.step().description.macs == batch * in * out);
  return harness.Run({x}, 2);
}

TEST_CASE("dense: one block and several, equal for any number of threads") {
  uint32_t seed = 100;
  for (const int64_t batch : {1, 3}) {
    const std::pair<int64_t, int64_t> sizes[] = {{1, 1}, {7, 10}, {63, 65}, {784, 10}, {1030, 1001}};
    for (const auto& size : sizes) {
      const int64_t in = size.first, out = size.second;
      CAPTURE(batch);
      CAPTURE(in);
      CAPTURE(out);
      const auto x = RandomFloats(batch * in, seed++);
      const auto weights = RandomWeights(out, in, seed++);
      const auto bias = seed % 3 == 0 ? std::vector<float>() : RandomFloats(out, seed++);
      std::vector<double> expected;
      for (int64_t n = 0; n < batch; ++n) {
        for (int64_t o = 0; o < out; ++o) {
          double sum = bias.empty() ? 0 : bias[static_cast<size_t>(o)];
          for (int64_t i = 0; i < in; ++i) {
            sum += double{x[static_cast<size_t>(n * in + i)]} * weights[static_cast<size_t>(o * in + i)];
          }
          expected.push_back(sum);
        }
      }
      const auto y = RunDense(batch, 1, in, out, x, weights, bias);
      CHECK(Near(y, expected));
      CHECK(BitwiseEqual(y, RunDense(batch, 2, in, out, x, weights, bias)));
      CHECK(BitwiseEqual(y, RunDense(batch, 7, in, out, x, weights, bias)));
    }
  }
}

enum class Pooling { kMax, kInclude, kExclude };

std::vector<float> RunPool(Pooling kind, const WindowCase& c, int64_t batch, int threads, const std::vector<float>& x) {
  StepHarness harness(batch, threads);
  const engine::FloatNode node = {"pool", {harness.Tensor({c.h, c.w, c.in})}, harness.Tensor({OutH(c), OutW(c), c.in})};
  if (kind == Pooling::kMax) {
    harness.Take(engine::MakeMaxPool(harness.context(), node, {c.window}));
  } else {
    harness.Take(engine::MakeAvgPool(harness.context(), node, {c.window, kind == Pooling::kInclude}));
  }
  const bool dilated = c.window.dilation_h != 1;
  if (dilated) CHECK(!harness.step().description.reason.empty());
  return harness.Run({x}, 2);
}

std::vector<double> PoolReference(Pooling kind, const WindowCase& c, int64_t batch, const std::vector<float>& x) {
  std::vector<double> y;
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t pixel = 0; pixel < OutH(c) * OutW(c); ++pixel) {
      for (int64_t channel = 0; channel < c.in; ++channel) {
        double max = -std::numeric_limits<double>::infinity(), sum = 0;
        int64_t count = 0;
        ForTaps(c, pixel / OutW(c), pixel % OutW(c), [&](int64_t, int64_t, int64_t at) {
          const double value = x[static_cast<size_t>((n * c.h * c.w + at) * c.in + channel)];
          max = std::max(max, value);
          sum += value;
          ++count;
        });
        if (kind == Pooling::kInclude) count = c.window.kernel_h * c.window.kernel_w;
        y.push_back(kind == Pooling::kMax ? max : count == 0 ? 0 : sum / static_cast<double>(count));
      }
    }
  }
  return y;
}

TEST_CASE("max and average pooling, through oneDNN and through plain loops") {
  const WindowCase cases[] = {
      {8, 8, 16, 16, 1, {2, 2, 2, 2, 1, 1, 0, 0, 0, 0}},    {7, 9, 5, 5, 1, {3, 2, 2, 1, 1, 1, 1, 1, 2, 0}},
      {7, 7, 70, 70, 1, {7, 7, 1, 1, 1, 1, 0, 0, 0, 0}},    // global
      {9, 9, 3, 3, 1, {3, 3, 1, 2, 2, 2, 1, 1, 1, 1}},      // dilated
      {9, 4, 3, 3, 1, {2, 2, 2, 2, 1, 1, 1, 1, 2, 3}},      // pads of a whole window
      {64, 64, 48, 48, 1, {3, 3, 2, 2, 1, 1, 1, 1, 0, 0}},  // several parts
      {130, 66, 24, 24, 1, {5, 3, 1, 1, 1, 1, 4, 2, 4, 2}},
  };
  uint32_t seed = 300;
  for (const WindowCase& c : cases) {
    for (const int64_t batch : {1, 3}) {
      for (const Pooling kind : {Pooling::kMax, Pooling::kInclude, Pooling::kExclude}) {
        CAPTURE(c.h);
        CAPTURE(c.in);
        CAPTURE(batch);
        CAPTURE(static_cast<int>(kind));
        const auto x = RandomFloats(batch * c.h * c.w * c.in, seed++);
        const auto y = RunPool(kind, c, batch, 1, x);
        auto expected = PoolReference(kind, c, batch, x);
        REQUIRE(y.size() == expected.size());
        for (size_t i = 0; i < y.size(); ++i) {  // windows of padding only
          if (std::isinf(expected[i])) {
            CHECK(static_cast<double>(y[i]) == expected[i]);
            expected[i] = 0;
          }
        }
        auto finite = y;
        for (float& value : finite) value = std::isinf(value) ? 0 : value;
        CHECK(Near(finite, expected, kind == Pooling::kMax ? 0 : 1e-5));
        CHECK(BitwiseEqual(y, RunPool(kind, c, batch, 2, x)));
        CHECK(BitwiseEqual(y, RunPool(kind, c, batch, 3, x)));
      }
    }
  }
}

TEST_CASE("sessions run the same step at once") {
  const WindowCase c = {64, 64, 32, 48, 1, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}};
  StepHarness conv(1, 2);
  formats::Conv2d op{c.window, 1, formats::kNone, formats::kNone};
  const int in = conv.Tensor({c.h, c.w, c.in});
  const int out = conv.Tensor({c.h, c.w, c.out});
  op.weights = conv.Blob({c.out, 3, 3, c.in}, RandomFloats(c.out * 9 * c.in, 5));
  conv.Take(engine::MakeConv2d(conv.context(), {"conv", {in}, out}, op));
  const auto a = RandomFloats(c.h * c.w * c.in, 6), b = RandomFloats(c.h * c.w * c.in, 7);
  const auto expected_a = conv.Run({a}), expected_b = conv.Run({b});
  std::vector<float> actual_a, actual_b;
  std::thread other([&] { actual_b = conv.Run({b}, 20); });
  actual_a = conv.Run({a}, 20);
  other.join();
  CHECK(BitwiseEqual(actual_a, expected_a));
  CHECK(BitwiseEqual(actual_b, expected_b));
}

TEST_CASE("conv2d with an activation is the activation of conv2d") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const WindowCase cases[] = {{17, 13, 3, 16, 1, {3, 3, 2, 2, 1, 1, 1, 1, 1, 1}},
                              {9, 9, 20, 40, 1, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}},
                              {12, 11, 24, 24, 24, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}}};
  for (const WindowCase& c : cases) {
    CAPTURE(c.in);
    const auto x = RandomFloats(c.h * c.w * c.in, 8);
    const auto weights = RandomFloats(c.out * c.window.kernel_h * c.window.kernel_w * (c.in / c.groups), 9);
    const auto bias = RandomFloats(c.out, 10);
    const std::vector<float> sums = RunConv2d(c, 1, 1, x, weights, bias);
    for (const auto& [low, high] : {std::pair{0.0f, kInfinity}, {0.0f, 0.5f}, {-0.25f, 0.5f}, {-kInfinity, 0.1f}}) {
      const formats::Op clamp = formats::Clamp{low, high};
      const std::vector<float> clamped = RunConv2d(c, 1, 1, x, weights, bias, &clamp);
      REQUIRE(clamped.size() == sums.size());
      for (size_t i = 0; i < sums.size(); ++i) {
        REQUIRE(clamped[i] == doctest::Approx(std::min(std::max(sums[i], low), high)).epsilon(1e-5));
      }
    }
    const formats::Op prelu = formats::PRelu{};  // its slope comes from the harness
    const std::vector<float> bent = RunConv2d(c, 1, 2, x, weights, bias, &prelu);
    for (size_t i = 0; i < sums.size(); ++i) {
      REQUIRE(bent[i] == doctest::Approx(sums[i] < 0 ? sums[i] * kSlope : sums[i]).epsilon(1e-5));
    }
  }
}

TEST_CASE("a convolution of something that is no feature map is refused with its name") {
  StepHarness harness(1);
  const engine::FloatNode node = {"stem", {harness.Tensor({10})}, harness.Tensor({1, 1, 1})};
  const auto step = engine::MakeConv2d(harness.context(), node, {});
  REQUIRE(!step.ok());
  CHECK(step.status().code() == StatusCode::kInvalidModel);
  CHECK(step.status().message().find("stem") != std::string::npos);
}

}  // namespace
}  // namespace bnn::test
