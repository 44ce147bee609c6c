// The operators of format 1.2, run through the public interface, against the executable specification.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/engine/run_model.h"
#include "tests/engine/step_harness.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/model_reference.h"
#include "tests/formats/square_window.h"

namespace bnn::test {
namespace {

using formats::Coordinates;
using formats::EpsMode;
using formats::ModelBuilder;
using formats::Nearest;
using formats::ReduceKind;
using formats::ResizeKind;
using Dims = std::vector<int64_t>;

// A model of one operator on one input. Tolerance as of Near(); 0: bit by bit. Results are equal for any number of
// threads. Returns the step's kernel.
std::string Check(ModelBuilder& b, const formats::Op& op, const Dims& dims, double tolerance, float low = -4,
                  float high = 4) {
  const int out = b.Add(op, {b.Input("x", dims)});
  REQUIRE(out != formats::kNone);
  b.Output(out);
  constexpr int64_t kBatch = 3;
  const int64_t sample = formats::ElementCount(dims);
  const std::vector<float> x = RandomFloats(kBatch * sample, static_cast<uint32_t>(sample), low, high);
  std::vector<double> expected;
  std::vector<float> exact;
  for (int64_t n = 0; n < kBatch; ++n) {
    const std::vector<float> one(x.begin() + n * sample, x.begin() + (n + 1) * sample);
    exact = formats::ReferenceOutputs(b.model(), {one})[0];
    expected.insert(expected.end(), exact.begin(), exact.end());
  }
  std::vector<float> first;
  std::string kernel;
  for (const int threads : {1, 2, 3}) {
    const Model model = LoadDef(b.model(), ModelOptions{kBatch, threads, ""});
    const std::vector<float> y = RunModel(model, {std::vector<float>(x.size(), 0.5f), x})[0];
    CHECK(Near(y, expected, tolerance));
    if (threads == 1) first = y;
    CHECK(BitwiseEqual(y, first));
    kernel = model.plan()[0].kernel;
  }
  return kernel;
}

TEST_CASE("FakeQuantize: limits per tensor and per channel, inverted, equal, any number of levels: exact") {
  for (const Dims& dims : {Dims{6, 7, 5}, Dims{40, 50, 16}, Dims{33}}) {
    const int64_t c = dims.back();
    for (const int64_t levels : {2, 3, 16, 255, 65536, 1 << 24}) {
      for (int form = 0; form < 4; ++form) {
        CAPTURE(levels);
        CAPTURE(form);
        ModelBuilder b(static_cast<uint64_t>(levels + form));
        formats::FakeQuantize op;
        op.levels = levels;
        if (form == 0)
          op = {levels, b.Floats({1}, {-1.3f}), b.Floats({1}, {2.1f}), b.Floats({1}, {-3}), b.Floats({1}, {4.1f})};
        if (form == 1)
          op = {levels, b.Floats({1}, {1.7f}), b.Floats({1}, {-2}), b.Floats({1}, {0}), b.Floats({1}, {1})};
        if (form == 2)
          op = {levels, b.Floats({1}, {0.5f}), b.Floats({1}, {0.5f}), b.Floats({1}, {0}), b.Floats({1}, {1})};
        if (form == 3)
          op = {levels, b.RandomFloats({c}), b.RandomFloats({c}), b.RandomFloats({1}), b.RandomFloats({c})};
        Check(b, op, dims, 0);
      }
    }
  }
}

TEST_CASE("activations of version 1.2 are near") {
  using formats::UnaryKind;
  for (const UnaryKind kind : {UnaryKind::kMish, UnaryKind::kSwish, UnaryKind::kElu, UnaryKind::kSoftplus,
                               UnaryKind::kErf, UnaryKind::kGelu, UnaryKind::kGeluTanh, UnaryKind::kLog}) {
    for (const float alpha : {1.0f, 0.6f, 1.7f}) {
      CAPTURE(static_cast<int>(kind));
      CAPTURE(alpha);
      ModelBuilder b(1);
      const bool is_log = kind == UnaryKind::kLog;
      Check(b, formats::Unary{kind, alpha, 0}, {7, 50, 131}, 1e-5, is_log ? 1e-6f : -30.0f, 30);
    }
  }
  ModelBuilder b(1);
  Check(b, formats::Unary{UnaryKind::kPow, -0.5f, 0}, {7, 9}, 1e-5, 0.25f, 30);
}

TEST_CASE("transposed convolutions: strides, pads, dilations, groups, holes, strips") {
  struct Case {
    Dims in;
    formats::Window2d window;
    int64_t output_pad_h, output_pad_w, groups, out;
  };
  const Case cases[] = {
      {{5, 4, 6}, {.kernel_h = 3, .kernel_w = 2}, 0, 0, 1, 10},
      {{5, 4, 6},
       {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 3, .pad_top = 1, .pad_right = 1},
       1,
       2,
       1,
       9},
      {{5, 4, 6}, Square(4, 2, 1), 0, 0, 2, 8},
      {{5, 4, 6},
       {.kernel_h = 3, .kernel_w = 2, .dilation_h = 2, .dilation_w = 3, .pad_top = 2, .pad_left = 3},
       0,
       0,
       1,
       3},
      {{3, 4, 6}, {.kernel_h = 1, .kernel_w = 1, .stride_h = 3, .stride_w = 2, .pad_top = 1}, 2, 1, 1, 5},
      {{3, 4, 6}, {.kernel_h = 2, .kernel_w = 2, .pad_top = 3, .pad_left = 2}, 0, 0, 1, 5},
      {{7, 6, 8}, Square(3, 2, 1), 1, 1, 8, 8},
      {{24, 24, 64}, Square(4, 2, 1), 0, 0, 1, 48},
      {{31, 24, 64},
       {.kernel_h = 3, .kernel_w = 3, .stride_h = 3, .stride_w = 2, .pad_top = 2, .pad_left = 1, .pad_right = 1},
       2,
       1,
       1,
       48},
      {{31, 24, 64},
       {.kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1, .dilation_h = 2, .pad_bottom = 2},
       0,
       0,
       1,
       48},
  };
  for (const Case& c : cases) {
    for (const bool with_bias : {false, true}) {
      CAPTURE(c.in[0]);
      CAPTURE(c.window.stride_h);
      CAPTURE(c.window.pad_top);
      ModelBuilder b(5);
      formats::ConvTranspose2d op{c.window, c.output_pad_h, c.output_pad_w, c.groups};
      op.weights = b.RandomFloats({c.out, c.window.kernel_h, c.window.kernel_w, c.in[2] / c.groups});
      if (with_bias) op.bias = b.RandomFloats({c.out});
      // Float sums of some hundred products of 4 on average: 2^-23 of what is added, apart from what cancels.
      const std::string kernel = Check(b, op, c.in, c.in[2] == 64 ? 3e-4 : 1e-5);
      CHECK(kernel.find(BNN_HAS_ONEDNN ? "onednn" : "plain") == 0);
    }
  }
}

TEST_CASE("Resize2d: every mode, by size and by scale") {
  for (int coordinates = 1; coordinates <= 5; ++coordinates) {
    for (int nearest = 1; nearest <= 4; ++nearest) {
      for (int form = 0; form < 4; ++form) {
        CAPTURE(coordinates);
        CAPTURE(nearest);
        CAPTURE(form);
        formats::Resize2d op{ResizeKind::kNearest, static_cast<Coordinates>(coordinates),
                             static_cast<Nearest>(nearest)};
        op.height = form == 0 ? 11 : form == 1 ? 1 : 0;
        op.width = form == 0 ? 3 : form == 1 ? 13 : 0;
        op.scale_h = form == 2 ? 2.0f : form == 3 ? 0.4f : 0.0f;
        op.scale_w = form == 2 ? 1.7f : form == 3 ? 3.0f : 0.0f;
        ModelBuilder exact(1);
        Check(exact, op, {5, 7, 33}, 0);
        op.kind = ResizeKind::kLinear;
        ModelBuilder near(1);
        Check(near, op, {5, 7, 33}, 1e-6);
      }
    }
  }
}

TEST_CASE("Reduce over every set of axes") {
  for (int kind = 1; kind <= 4; ++kind) {
    for (int set = 1; set < 8; ++set) {
      Dims axes;
      for (int axis = 0; axis < 3; ++axis) {
        if ((set >> axis & 1) != 0) axes.push_back(axis);
      }
      CAPTURE(kind);
      CAPTURE(set);
      for (const Dims& dims : {Dims{17, 9, 130}, Dims{1, 5, 3}, Dims{40, 1, 1}}) {
        ModelBuilder b(1);
        Check(b, formats::Reduce{static_cast<ReduceKind>(kind), axes}, dims, kind <= 2 ? 1e-6 : 0);
      }
    }
  }
  ModelBuilder b(1);
  Check(b, formats::Reduce{ReduceKind::kSum, {0, 2, 4}}, {2, 3, 4, 5, 2}, 1e-6);
}

TEST_CASE("Lrn and NormalizeL2") {
  for (const Dims& axes : {Dims{2}, Dims{0, 1}, Dims{1}, Dims{0, 1, 2}}) {
    for (const int64_t size : {1, 4, 5, 100}) {
      for (const float beta : {0.75f, 0.6f}) {
        ModelBuilder b(1);
        Check(b, formats::Lrn{axes, size, 0.5f, beta, 1.5f}, {6, 5, 9}, 1e-5);
      }
    }
    for (const EpsMode mode : {EpsMode::kAdd, EpsMode::kMax}) {
      for (const float eps : {0.0f, 0.5f}) {
        ModelBuilder b(1);
        Check(b, formats::NormalizeL2{axes, eps, mode}, {6, 5, 150}, 1e-5);
      }
    }
  }
  // Nothing to divide by.
  ModelBuilder b(1);
  Check(b, formats::NormalizeL2{{2}, 0, EpsMode::kAdd}, {6, 5, 9}, 0, 0, 0);
}

TEST_CASE("symmetric padding repeats the border") {
  ModelBuilder b(1);
  Check(b, formats::Pad{{3, 4, 0}, {5, 0, 2}, formats::PadMode::kSymmetric, 0}, {5, 4, 3}, 0);
}

}  // namespace
}  // namespace bnn::test
