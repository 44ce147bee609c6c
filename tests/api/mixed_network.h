// A small network of every kind of step: binary and float layers, pools, moves of data, and a residual.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "formats/writer.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/square_window.h"

namespace bnn::test {

inline std::vector<float> Values(size_t count, size_t seed, float scale = 1) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = scale * (static_cast<float>((i * 37 + seed * 11) % 101) / 50.f - 1.f);
  return values;
}

// An image {3, height, width} to 10 probabilities; and the map before the pooling, {channels, rows, columns}. Weights
// do not depend on the size.
inline std::string MixedNetwork(int64_t height, int64_t width) {
  formats::ModelBuilder b;
  const auto weights = [&](std::vector<int64_t> dims, size_t seed) {
    return b.Floats(dims, Values(static_cast<size_t>(formats::ElementCount(dims)), seed, 0.3f));
  };
  const auto bit_weights = [&](std::vector<int64_t> dims) {
    return b.Bits(std::move(dims), [](int64_t r, int64_t i) { return (r * 31 + i * 17) % 7 < 3; });
  };
  const int image = b.Input({3, height, width});
  b.model().inputs[0].layout = formats::ImageLayout::kNchw;
  int x = b.Node("to_nhwc", formats::Transpose{{1, 2, 0}}, {image});
  x = b.Node("stem", formats::Conv2d{Square(3, 2, 1), 1, weights({40, 3, 3, 3}, 1), weights({40}, 2)}, {x});
  const int relu = b.Node("prelu", formats::PRelu{b.Floats({1}, {0.1f})}, {x});
  for (const formats::PadValue pad : {formats::PadValue::kZero, formats::PadValue::kOne}) {
    const int bits = b.Binarize("sign", x, {0.05f});
    const int dot = b.Node("conv", formats::BConv2d{Square(3, 1, 1), 1, pad, bit_weights({40, 3, 3, 40})}, {bits});
    x = b.Node("add", formats::Binary{}, {b.Affine("bn", dot, {0.01f}, {0.1f}), x});
  }
  x = b.Node("concat", formats::Concat{2}, {x, relu});
  x = b.Node("pool", formats::MaxPool{Square(3, 2, 1)}, {x});
  x = b.Node("sigmoid", formats::Unary{formats::UnaryKind::kSigmoid}, {x});
  x = b.Node("tilt", formats::Binary{formats::BinaryKind::kMul, weights({1, 1, 80}, 3)}, {x});
  x = b.Node("pad", formats::Pad{{1, 0, 0}, {0, 1, 0}}, {x});
  const std::vector<int64_t> dims = b.model().tensors[static_cast<size_t>(x)].dims;
  x = b.Node("cut", formats::Slice{{0, 0, 8}, {dims[0], dims[1], 72}, {1, 1, 1}}, {x});
  b.Output(b.Node("map", formats::Transpose{{2, 0, 1}}, {x}));
  formats::Window2d whole = Square(1, 1, 0);
  whole.kernel_h = dims[0];
  whole.kernel_w = dims[1];
  whole.whole_map = true;
  x = b.Node("mean", formats::AvgPool{whole, false}, {x});
  x = b.AddReshape(x, {64}, "flatten");
  x = b.Affine("bn2", b.Node("bdense", formats::BDense{bit_weights({96, 64})}, {b.Binarize("sign2", x)}), {0.1f}, {0});
  x = b.Node("dense", formats::Dense{weights({10, 96}, 4), weights({10}, 5)}, {x});
  b.Output(b.Node("softmax", formats::Softmax{}, {x}));
  b.model().producer = "test";
  const auto bytes = formats::SerializeModel(b.model());
  REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
  return *bytes;
}

}  // namespace bnn::test
