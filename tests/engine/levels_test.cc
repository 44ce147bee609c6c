// Elements of 1 to 4 bits through every step that touches bits: what the engine computes is what the model means.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/engine/run_model.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/model_reference.h"
#include "tests/formats/square_window.h"

namespace bnn {
namespace {

using formats::kNone;
using formats::ModelBuilder;
using formats::PadValue;
using formats::Window2d;

// Random numbers that no sum of them rounds.
std::vector<float> Eighths(ModelBuilder& b, int64_t count, int64_t most = 16) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(b.random().Int(-most, most)) / 8;
  return values;
}

// Levels of x, with a threshold table per tensor or per channel; some levels are never reached, some always.
int Levels(ModelBuilder& b, int bits, int x, float step) {
  const int64_t channels = b.tensor(x).dims.back();
  const int64_t columns = b.random().OneIn(2) ? 1 : channels;
  const int64_t rows = (1 << bits) - 1;
  std::vector<float> table(static_cast<size_t>(rows * columns));
  for (int64_t c = 0; c < columns; ++c) {
    auto next = static_cast<float>(b.random().Int(-3, 1)) * step;
    for (int64_t row = 0; row < rows; ++row) {
      table[static_cast<size_t>(row * columns + c)] = next;
      next += static_cast<float>(b.random().Int(0, 2)) * step;
    }
  }
  return b.Add(
      formats::Binarize{
          b.Floats(bits == 1 ? std::vector<int64_t>{columns} : std::vector<int64_t>{rows, columns}, table), bits},
      {x});
}

int Values(ModelBuilder& b, int bits, int q) {
  const int64_t channels = b.tensor(q).dims.back();
  const int64_t columns = b.random().OneIn(2) ? 1 : channels;
  if (bits == 1) {
    const int low = b.Floats({columns}, Eighths(b, columns)), high = b.Floats({1}, Eighths(b, 1));
    return b.Add(formats::Unpack{low, high}, {q});
  }
  const int64_t levels = 1 << bits;
  return b.Add(formats::Unpack{kNone, kNone, bits, b.Floats({levels, columns}, Eighths(b, levels * columns))}, {q});
}

// Compares with the reference for two samples at once, with one thread and with two.
void CheckModel(ModelBuilder& b, int64_t input_elements) {
  std::vector<float> first = Eighths(b, input_elements, 40), second = Eighths(b, input_elements, 40);
  const auto expected_first = formats::ReferenceOutputs(b.model(), {first});
  const auto expected_second = formats::ReferenceOutputs(b.model(), {second});
  std::vector<std::vector<float>> expected = expected_first;
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i].insert(expected[i].end(), expected_second[i].begin(), expected_second[i].end());
  }
  CHECK(test::RunModel(test::LoadDef(b.model()), {first}) == expected_first);
  first.insert(first.end(), second.begin(), second.end());
  for (const int threads : {1, 2}) {
    ModelOptions options;
    options.batch = 2;
    options.threads = threads;
    CHECK(test::RunModel(test::LoadDef(b.model(), options), {first}) == expected);
  }
}

TEST_CASE("convolutions of levels: paddings, groups, strides, and the quantizer behind them") {
  uint64_t seed = 1;
  for (int in_bits = 1; in_bits <= 4; ++in_bits) {
    for (int out_bits = 1; out_bits <= 4; ++out_bits) {
      for (const PadValue pad : {PadValue::kOne, PadValue::kMinusOne, PadValue::kZero}) {
        CAPTURE(in_bits);
        CAPTURE(out_bits);
        CAPTURE(static_cast<int>(pad));
        ModelBuilder b(seed++);
        const int64_t groups = b.random().Pick({1, 1, 2}), channels = groups * b.random().Pick({3, 16, 32, 33});
        const int64_t out = groups * b.random().Pick({5, 32, 40});
        const int x = b.Input("x", {6, 5, channels});
        const int q = Levels(b, in_bits, x, 0.5f);
        const Window2d window = {.kernel_h = 3,
                                 .kernel_w = 2,
                                 .stride_h = b.random().Int(1, 2),
                                 .pad_top = 1,
                                 .pad_left = b.random().Int(0, 1),
                                 .pad_bottom = b.random().Int(0, 1),
                                 .pad_right = 1};
        int y = b.Add(formats::BConv2d{window, groups, pad, b.RandomBits({out, 3, 2, channels / groups})}, {q});
        std::vector<float> scales(static_cast<size_t>(out));
        for (float& scale : scales) scale = b.random().OneIn(3) ? -0.25f : 0.5f;
        y = b.Add(formats::Affine{b.Floats({out}, scales), b.Floats({out}, Eighths(b, out))}, {y});
        const int next = Levels(b, out_bits, y, 4);
        b.Output(Values(b, out_bits, next));
        if (b.random().OneIn(2)) b.Output(y);
        CheckModel(b, 6 * 5 * channels);
      }
    }
  }
}

TEST_CASE("levels: pooled, reshaped, read with different paddings, dense layers") {
  uint64_t seed = 100;
  for (int bits = 1; bits <= 4; ++bits) {
    for (const int64_t channels : {7, 32, 70}) {
      CAPTURE(bits);
      CAPTURE(channels);
      ModelBuilder b(seed++);
      const int x = b.Input("x", {6, 6, channels});
      const int q = Levels(b, bits, x, 0.5f);
      const Window2d same = test::Square(3, 1, 1);
      const Window2d pool = {.kernel_h = 2, .kernel_w = 3, .stride_h = 2, .stride_w = 1, .pad_left = 1, .pad_right = 1};
      const auto conv = [&](int input, PadValue pad, int64_t groups) {
        const int64_t in = b.tensor(input).dims.back() / groups;
        b.Output(b.Add(formats::BConv2d{same, groups, pad, b.RandomBits({8, 3, 3, in})}, {input}));
      };
      conv(q, PadValue::kOne, 1);
      conv(q, PadValue::kMinusOne, 1);
      if (channels % 2 == 0) conv(q, PadValue::kZero, 2);
      const int pooled = b.Add(formats::BMaxPool{pool}, {q});
      conv(pooled, PadValue::kZero, 1);
      b.Output(Values(b, bits, pooled));
      b.Output(Values(b, bits, b.AddReshape(pooled, {1, 3 * 6, channels})));
      const int mean = b.Add(formats::MaxPool{{.kernel_h = 6, .kernel_w = 6, .whole_map = true}}, {x});
      const int vector = Levels(b, bits, b.AddReshape(mean, {channels}), 1);
      int y = b.Add(formats::BDense{b.RandomBits({40, channels})}, {vector});
      const int residual = b.Add(formats::BDense{b.RandomBits({40, channels})}, {vector});
      y = b.Add(formats::Binary{formats::BinaryKind::kAdd}, {y, residual});
      b.Output(Values(b, 2, Levels(b, 2, y, 2)));
      CheckModel(b, 6 * 6 * channels);
    }
  }
}

}  // namespace
}  // namespace bnn
