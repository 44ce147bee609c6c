// Concatenations whose operands are written where they will lie.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/engine/run_model.h"
#include "tests/formats/model_fixtures.h"
#include "tests/formats/model_reference.h"

namespace bnn {
namespace {

using formats::ModelBuilder;

struct Ran {
  std::vector<std::string> ops;  // of the plan's steps
  std::vector<std::string> reasons;
};

// Runs the model twice, the second time on the data that the reference gets, and compares bit by bit.
Ran CheckAgainstReference(ModelBuilder* b, const std::vector<int64_t>& input_dims, int64_t batch, int threads) {
  const int64_t sample = formats::ElementCount(input_dims);
  std::vector<float> x(static_cast<size_t>(batch * sample));
  for (float& value : x) value = static_cast<float>(b->random().Int(-40, 40)) / 8;
  const Model model = test::LoadDef(b->model(), ModelOptions{batch, threads, ""});
  const std::vector<std::vector<float>> outputs = test::RunModel(model, {std::vector<float>(x.size(), 1.5f), x});
  for (int64_t n = 0; n < batch; ++n) {
    const std::vector<float> one(x.begin() + n * sample, x.begin() + (n + 1) * sample);
    const std::vector<std::vector<float>> expected = formats::ReferenceOutputs(b->model(), {one});
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto size = static_cast<std::ptrdiff_t>(expected[i].size());
      const std::vector<float> actual(outputs[i].begin() + n * size, outputs[i].begin() + (n + 1) * size);
      CHECK(actual == expected[i]);
    }
  }
  Ran ran;
  for (const StepInfo& step : model.plan()) {
    ran.ops.push_back(step.op);
    ran.reasons.push_back(step.reason);
  }
  return ran;
}

int64_t Count(const std::vector<std::string>& texts, const std::string& part) {
  int64_t count = 0;
  for (const std::string& text : texts) count += text.find(part) != std::string::npos ? 1 : 0;
  return count;
}

const formats::Window2d kThree = {
    .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};

// A binary 3x3 convolution with a batch-norm before its sign: what a dense block repeats.
int DenseLayer(ModelBuilder* b, int x, int64_t in, int64_t out) {
  const int scaled = b->Add(formats::Affine{b->RandomFloats({in}), b->RandomFloats({in})}, {x});
  const int bits = b->Add(formats::Binarize{b->Floats({1}, {0})}, {scaled});
  return b->Add(formats::BConv2d{kThree, 1, formats::PadValue::kZero, b->RandomBits({out, 3, 3, in})}, {bits});
}

TEST_CASE("a dense block grows in one map: each layer writes its channels there, and nothing is copied but the input") {
  for (const int64_t growth : {32, 5}) {
    for (const int threads : {1, 2}) {
      CAPTURE(growth);
      CAPTURE(threads);
      ModelBuilder b(3);
      int x = b.Input("x", {5, 6, 16});
      int64_t channels = 16;
      for (int layer = 0; layer < 3; ++layer) {
        const int y = DenseLayer(&b, x, channels, growth);
        x = b.Add(formats::Concat{2}, {x, y});
        channels += growth;
      }
      b.Output(b.Add(formats::Clamp{-100, 100}, {x}));
      const Ran ran = CheckAgainstReference(&b, {5, 6, 16}, 2, threads);
      CHECK(Count(ran.ops, "concat") == 1);
      CHECK(Count(ran.reasons, "within '") == 4);  // the three layers, and the concatenation that brings the input
    }
  }
}

TEST_CASE("two halves that nobody else reads need no concatenation") {
  ModelBuilder b(4);
  const int bits = b.Add(formats::Binarize{b.RandomFloats({8})}, {b.Input("x", {4, 4, 8})});
  const formats::BConv2d left{kThree, 1, formats::PadValue::kOne, b.RandomBits({24, 3, 3, 8})};
  const formats::BConv2d right{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})};
  const int both = b.Add(formats::Concat{2}, {b.Add(left, {bits}), b.Add(right, {bits})});
  b.Output(b.Add(formats::PRelu{b.RandomFloats({32})}, {both}));
  const Ran ran = CheckAgainstReference(&b, {4, 4, 8}, 1, 1);
  CHECK(Count(ran.ops, "concat") == 0);
}

TEST_CASE("operands stay where they are when a step cannot take them apart, or they occur twice") {
  ModelBuilder b(5);
  const int bits = b.Add(formats::Binarize{b.RandomFloats({8})}, {b.Input("x", {4, 4, 8})});
  const int y = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})}, {bits});
  const formats::Window2d two = {.kernel_h = 2, .kernel_w = 2};
  b.Output(b.Add(formats::Concat{2}, {y, y}));
  const int z = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})}, {bits});
  b.Output(b.Add(formats::MaxPool{two}, {z}));  // oneDNN reads dense maps
  b.Output(b.Add(formats::Concat{2}, {z, y}));
  b.Output(b.Add(formats::Concat{0}, {z, y}));
  const Ran ran = CheckAgainstReference(&b, {4, 4, 8}, 1, 1);
  CHECK(Count(ran.ops, "concat") == 3);
  CHECK(Count(ran.reasons, "within '") == 0);
}

TEST_CASE("a residual within a wider map, and a sum that would overwrite it") {
  ModelBuilder b(6);
  const int x = b.Input("x", {4, 4, 8});
  const int bits = b.Add(formats::Binarize{b.RandomFloats({8})}, {x});
  const int y = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})}, {bits});
  const int again = b.Add(formats::Binarize{b.RandomFloats({8})}, {y});
  const int z = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})}, {again});
  const int sum = b.Add(formats::Binary{formats::BinaryKind::kAdd}, {z, y});  // y lives on in the concatenation
  b.Output(b.Add(formats::Concat{2}, {sum, y}));
  const Ran ran = CheckAgainstReference(&b, {4, 4, 8}, 3, 2);
  CHECK(Count(ran.ops, "concat") == 0);
  CHECK(Count(ran.reasons, "in place") == 0);
}

}  // namespace
}  // namespace bnn
