#include "formats/lower/fold_affine.h"

#include <doctest/doctest.h>

#include "tests/formats/convert_check.h"

namespace bnn::formats {
namespace {

// Values that float arithmetic neither rounds in the layer nor in the fold.
std::vector<float> Eighths(size_t count, int step) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>((static_cast<int>(i) * step) % 17 - 8) / 8;
  return values;
}

std::string ConvOf(GraphBuilder* g, bool bias) {
  std::vector<std::string> inputs = {g->Input("x", {1, 3, 5, 5}), g->Floats({4, 3, 3, 3}, Eighths(108, 5))};
  if (bias) inputs.push_back(g->Floats({4}, Eighths(4, 3)));
  return g->Node("Conv", inputs, {{"kernel_shape", std::vector<int64_t>{3, 3}}});
}

std::string Normalized(GraphBuilder* g, const std::string& x) {
  return g->Node("BatchNormalization",
                 {x, g->Floats({4}, {2, -1, 0.5f, 0}), g->Floats({4}, {1, 0, -2, 3}), g->Floats({4}, {0, 1, 2, 0}),
                  g->Floats({4}, {1, 1, 1, 1})},
                 {{"epsilon", 0.0f}});
}

TEST_CASE("a batch-norm behind a float convolution disappears, with and without a bias") {
  for (const bool bias : {false, true}) {
    GraphBuilder g;
    g.Output(g.Node("Relu", {Normalized(&g, ConvOf(&g, bias))}));
    CHECK(Ops(CheckConversion(g)) == "Transpose Conv2d Clamp Transpose");
  }
}

TEST_CASE("several scales and shifts in a row, behind a dense layer") {
  GraphBuilder g;
  std::string y = g.Node("MatMul", {g.Input("x", {1, 6}), g.Floats({6, 4}, Eighths(24, 7))});
  y = g.Node("Mul", {y, g.Floats({4}, {2, 4, -1, 0.5f})});
  y = g.Node("Add", {y, g.Floats({4}, {1, -1, 0, 2})});
  g.Output(g.Node("Mul", {y, g.Floats({}, {0.5f})}));
  CHECK(Ops(CheckConversion(g)) == "Dense");
}

TEST_CASE("a sum that somebody else needs, or that is an output, stays as it is") {
  GraphBuilder g;
  const std::string sum = ConvOf(&g, true);
  g.Output(g.Node("Add", {Normalized(&g, sum), g.Node("Relu", {sum})}));
  CHECK(Ops(CheckConversion(g)) == "Transpose Conv2d Affine Clamp Binary Transpose");
  GraphBuilder h;
  const std::string output = ConvOf(&h, true);
  h.Output(output);
  h.Output(Normalized(&h, output));
  CHECK(Ops(CheckConversion(h)) == "Transpose Conv2d Affine Transpose Transpose");
}

TEST_CASE("two affine steps behind a binary layer become one where floats are wanted, none where bits alone are") {
  for (const bool bits_only : {false, true}) {
    GraphBuilder g;
    const std::string bits = g.Node("BipolarQuant", {g.Input("x", {1, 6}), g.Floats({}, {1})});
    std::vector<float> signs(24);
    for (size_t i = 0; i < signs.size(); ++i) signs[i] = i % 3 == 0 ? -0.5f : 0.5f;
    std::string y = g.Node("MatMul", {bits, g.Floats({6, 4}, signs)});
    y = g.Node("Mul", {y, g.Floats({4}, {2, 4, -1, 0.5f})});
    y = g.Node("Add", {y, g.Floats({4}, {1, -1, 0, 2})});
    g.Output(bits_only ? g.Node("BipolarQuant", {y, g.Floats({}, {1})}) : g.Node("Tanh", {y}));
    CHECK(Ops(CheckConversion(g, 1e-6)) ==
          (bits_only ? "Binarize BDense Affine Affine Affine Binarize Unpack" : "Binarize BDense Affine Unary"));
  }
}

TEST_CASE("sums that are only compared keep the roundings of the source") {
  GraphBuilder g;
  const std::string bits = g.Node("BipolarQuant", {Normalized(&g, ConvOf(&g, true)), g.Floats({}, {1})});
  std::vector<float> signs(8);
  for (size_t i = 0; i < signs.size(); ++i) signs[i] = i % 3 == 0 ? -1.0f : 1.0f;
  g.Output(g.Node("Conv", {bits, g.Floats({2, 4, 1, 1}, signs)}, {{"kernel_shape", std::vector<int64_t>{1, 1}}}));
  CHECK(Ops(CheckConversion(g)) == "Transpose Conv2d Affine Binarize BConv2d Transpose");
}

TEST_CASE("a product beyond floats is not folded") {
  GraphBuilder g;
  const std::string y = g.Node("MatMul", {g.Input("x", {1, 2}), g.Floats({2, 1}, {1e30f, 0})});
  g.Output(g.Node("Mul", {y, g.Floats({1}, {1e30f})}));
  const Result<Conversion> conversion = ConvertGraph(g.graph(), {});
  REQUIRE(conversion.ok());
  CHECK(Ops(*conversion) == "Dense Affine");
}

}  // namespace
}  // namespace bnn::formats
