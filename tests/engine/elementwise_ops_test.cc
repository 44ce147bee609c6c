// Unary and binary operators and softmax.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "engine/ops/make_step.h"
#include "tests/engine/step_harness.h"

namespace bnn::test {
namespace {

using formats::BinaryKind;
using formats::UnaryKind;

constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<float> RunUnary(const formats::Unary& op, int64_t batch, int threads, const std::vector<float>& x) {
  StepHarness harness(batch, threads);
  const std::vector<int64_t> dims = {static_cast<int64_t>(x.size()) / batch};
  const engine::FloatNode node = {"unary", {harness.Tensor(dims)}, harness.Tensor(dims)};
  harness.Take(engine::MakeUnary(harness.context(), node, op));
  return harness.Run({x}, 2);
}

TEST_CASE("unary operators that have one right answer are exact") {
  const std::vector<float> x = {-kInf, -7.5f, -3.0f, -2.5f, -1.5f, -0.5f, -0.0f, 0.0f,
                                0.3f,  0.5f,  1.5f,  2.5f,  3.0f,  7.25f, 1e9f,  kInf};
  const auto exact = [&](const formats::Unary& op, const std::function<float(float)>& expected) {
    std::vector<float> y;
    for (const float value : x) y.push_back(expected(value));
    CHECK(BitwiseEqual(RunUnary(op, 1, 1, x), y));
  };
  exact({UnaryKind::kAbs}, [](float v) { return v < 0 || std::signbit(v) ? -v : v; });
  exact({UnaryKind::kFloor}, [](float v) { return static_cast<float>(std::floor(static_cast<double>(v))); });
  exact({UnaryKind::kCeil}, [](float v) { return static_cast<float>(std::ceil(static_cast<double>(v))); });
  CHECK(RunUnary({UnaryKind::kRound}, 1, 1, {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 2.6f, 8388609.0f}) ==
        std::vector<float>{-2, -2, -0.0f, 0, 2, 2, 3, 8388609.0f});
  CHECK(RunUnary({UnaryKind::kSqrt}, 1, 1, {0, 1, 2, 6.25f}) == std::vector<float>{0, 1, 1.41421356f, 2.5f});
  CHECK(RunUnary({UnaryKind::kPow, 2}, 1, 1, {-3, 0, 1.5f}) == std::vector<float>{9, 0, 2.25f});
  CHECK(RunUnary({UnaryKind::kPow, 0.5f}, 1, 1, {4, 0, 2.25f}) == std::vector<float>{2, 0, 1.5f});
  // x * max(0, min(1, x / 6 + 0.5)) and max(0, min(1, 0.25 x + 0.5))
  CHECK(RunUnary({UnaryKind::kHardSwish}, 1, 1, {-4, -3, 0, 3, 5, 1.5f}) ==
        std::vector<float>{-0.0f, -0.0f, 0, 3, 5, 1.125f});
  CHECK(RunUnary({UnaryKind::kHardSigmoid, 0.25f, 0.5f}, 1, 1, {-9, -2, -1, 0, 1, 2, kInf}) ==
        std::vector<float>{0, 0, 0.25f, 0.5f, 0.75f, 1, 1});
}

TEST_CASE("exponentials are near, and equal for any number of threads and any place in the tensor") {
  const std::vector<std::pair<UnaryKind, std::function<double(double)>>> kinds = {
      {UnaryKind::kSigmoid, [](double v) { return 1 / (1 + std::exp(-v)); }},
      {UnaryKind::kTanh, [](double v) { return std::tanh(v); }},
      {UnaryKind::kExp, [](double v) { return std::exp(v); }}};
  for (const auto& entry : kinds) {
    const UnaryKind kind = entry.first;
    const auto& function = entry.second;
    for (const int64_t count : {1, 7, 1000, 100003}) {
      CAPTURE(static_cast<int>(kind));
      CAPTURE(count);
      const auto x = RandomFloats(3 * count, static_cast<uint32_t>(count), -12, 6);
      std::vector<double> expected;
      for (const float v : x) expected.push_back(function(static_cast<double>(v)));
      const auto y = RunUnary({kind}, 3, 1, x);
      CHECK(Near(y, expected));
      CHECK(BitwiseEqual(y, RunUnary({kind}, 3, 2, x)));
      CHECK(BitwiseEqual(y, RunUnary({kind}, 3, 3, x)));
    }
    // oneDNN's vector code and its code for the rest compute alike.
    const std::vector<float> same(37, 0.7f);
    const auto y = RunUnary({kind}, 1, 1, same);
    CHECK(BitwiseEqual(y, std::vector<float>(37, y[0])));
  }
}

float Expected(BinaryKind kind, float a, float b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
    case BinaryKind::kMax:
      return std::max(a, b);
    case BinaryKind::kMin:
      return std::min(a, b);
  }
  return 0;
}

// numpy's rule, element by element: axes are aligned at the end, an axis of size 1 is read at 0.
int64_t BroadcastIndex(const std::vector<int64_t>& dims, const std::vector<int64_t>& out, int64_t flat) {
  int64_t index = 0, stride = 1;
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t at = flat % out[out.size() - 1 - i];
    flat /= out[out.size() - 1 - i];
    if (i >= dims.size()) continue;
    const int64_t dim = dims[dims.size() - 1 - i];
    index += (dim == 1 ? 0 : at) * stride;
    stride *= dim;
  }
  return index;
}

struct BinaryCase {
  std::vector<int64_t> a, b, out;
};

TEST_CASE("binary operators broadcast as numpy does, exactly") {
  const BinaryCase cases[] = {
      {{5, 7, 3}, {5, 7, 3}, {5, 7, 3}},
      {{5, 7, 3}, {3}, {5, 7, 3}},
      {{5, 7, 3}, {7, 1}, {5, 7, 3}},
      {{5, 1, 3}, {1, 7, 1}, {5, 7, 3}},
      {{1}, {4, 5}, {4, 5}},
      {{5, 7, 3}, {1, 1, 1}, {5, 7, 3}},
      {{10}, {10}, {10}},
      {{2, 1, 3, 1, 5}, {4, 1, 6, 1}, {2, 4, 3, 6, 5}},
      {{40, 50, 32}, {32}, {40, 50, 32}},  // enough for several threads
  };
  uint32_t seed = 1;
  for (const BinaryCase& c : cases) {
    for (const int64_t batch : {1, 3}) {
      for (const BinaryKind kind : {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv,
                                    BinaryKind::kMax, BinaryKind::kMin}) {
        for (int form = 0; form < 3; ++form) {  // two tensors; constant second; constant first
          CAPTURE(engine::DimsText(c.a));
          CAPTURE(engine::DimsText(c.b));
          CAPTURE(batch);
          CAPTURE(form);
          const int64_t a_count = formats::ElementCount(c.a), b_count = formats::ElementCount(c.b);
          const int64_t out_count = formats::ElementCount(c.out);
          const auto a = RandomFloats(batch * a_count, seed++);
          const auto b = RandomFloats((form == 0 ? batch : 1) * b_count, seed++);
          const auto run = [&](int threads) {
            StepHarness harness(batch, threads);
            const int a_tensor = harness.Tensor(c.a);
            formats::Binary op{kind, formats::kNone, form == 2};
            engine::FloatNode node = {"binary", {a_tensor}, -1};
            if (form == 0) {
              node.inputs.push_back(harness.Tensor(c.b));
            } else {
              op.constant = harness.Blob(c.b, b);
            }
            node.output = harness.Tensor(c.out);
            harness.Take(engine::MakeBinary(harness.context(), node, op));
            return form == 0 ? harness.Run({a, b}) : harness.Run({a});
          };
          std::vector<float> expected;
          for (int64_t n = 0; n < batch; ++n) {
            for (int64_t i = 0; i < out_count; ++i) {
              const float x = a[static_cast<size_t>(n * a_count + BroadcastIndex(c.a, c.out, i))];
              const int64_t b_sample = form == 0 ? n * b_count : 0;
              const float y = b[static_cast<size_t>(b_sample + BroadcastIndex(c.b, c.out, i))];
              expected.push_back(form == 2 ? Expected(kind, y, x) : Expected(kind, x, y));
            }
          }
          CHECK(BitwiseEqual(run(1), expected));
          CHECK(BitwiseEqual(run(2), expected));
        }
      }
    }
  }
}

TEST_CASE("softmax and its logarithm along every axis") {
  const std::vector<int64_t> dims = {3, 50, 7};
  for (const int64_t batch : {1, 40}) {
    for (int64_t axis = 0; axis < 3; ++axis) {
      for (const bool log : {false, true}) {
        CAPTURE(axis);
        CAPTURE(log);
        const auto x = RandomFloats(batch * 3 * 50 * 7, static_cast<uint32_t>(axis), -90, 90);
        const auto run = [&](int threads) {
          StepHarness harness(batch, threads);
          const engine::FloatNode node = {"softmax", {harness.Tensor(dims)}, harness.Tensor(dims)};
          harness.Take(engine::MakeSoftmax(harness.context(), node, {axis, log}));
          return harness.Run({x});
        };
        const int64_t inner = axis == 0 ? 350 : axis == 1 ? 7 : 1, count = dims[static_cast<size_t>(axis)];
        std::vector<double> expected;
        for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
          const int64_t first = i / (inner * count) * inner * count + i % inner;
          double sum = 0;  // of exp(x_k - x_i): e^180 fits a double
          for (int64_t k = 0; k < count; ++k) {
            sum += std::exp(static_cast<double>(x[static_cast<size_t>(first + k * inner)]) -
                            static_cast<double>(x[static_cast<size_t>(i)]));
          }
          expected.push_back(log ? -std::log(sum) : 1 / sum);
        }
        CHECK(Near(run(1), expected));
        CHECK(BitwiseEqual(run(1), run(2)));
      }
    }
  }
}

}  // namespace
}  // namespace bnn::test
