#include "formats/lower/pool_bits.h"

#include <doctest/doctest.h>

#include "tests/formats/convert_check.h"

namespace bnn::formats {
namespace {

std::string Pool(GraphBuilder* g, const std::string& x) {
  return g->Node("MaxPool", {x},
                 {{"kernel_shape", std::vector<int64_t>{3, 3}},
                  {"strides", std::vector<int64_t>{2, 2}},
                  {"pads", std::vector<int64_t>{1, 1, 1, 1}}});
}

std::string Normalized(GraphBuilder* g, const std::string& x, const std::vector<float>& scale) {
  return g->Node("BatchNormalization",
                 {x, g->Floats({4}, scale), g->Floats({4}, {1, 0, -2, 3}), g->Floats({4}, {0, 1, 2, 0}),
                  g->Floats({4}, {1, 1, 1, 1})},
                 {{"epsilon", 0.0f}});
}

std::string Layer(GraphBuilder* g, const std::string& bits) {
  std::vector<float> signs(static_cast<size_t>(5 * 4 * 3 * 3));
  for (size_t i = 0; i < signs.size(); ++i) signs[i] = i % 3 == 0 ? -1.0f : 1.0f;
  return g->Node("Conv", {bits, g->Floats({5, 4, 3, 3}, signs)}, {{"kernel_shape", std::vector<int64_t>{3, 3}}});
}

std::string Sign(GraphBuilder* g, const std::string& x) { return g->Node("BipolarQuant", {x, g->Floats({}, {1})}); }

TEST_CASE("a batch-norm between pooling and sign: bits are pooled") {
  GraphBuilder g;
  const std::string y = Normalized(&g, Pool(&g, g.Input("x", {1, 4, 9, 9})), {2, 1, 0.5f, 4});
  g.Output(Layer(&g, Sign(&g, y)));
  CHECK(Ops(CheckConversion(g)) == "Transpose Affine Binarize BMaxPool BConv2d Transpose");
}

TEST_CASE("two signs behind one pooling") {
  GraphBuilder g;
  const std::string pooled = Pool(&g, g.Input("x", {1, 4, 9, 9}));
  const std::string a = Layer(&g, Sign(&g, Normalized(&g, pooled, {2, 1, 0.5f, 4})));
  const std::string b = Layer(&g, Sign(&g, Normalized(&g, pooled, {1, 2, 3, 4})));
  g.Output(g.Node("Add", {a, b}));
  CHECK(Ops(CheckConversion(g)).find(" MaxPool") == std::string::npos);
}

TEST_CASE("pooled floats stay where a channel falls, or where somebody wants them") {
  GraphBuilder g;
  const std::string y = Normalized(&g, Pool(&g, g.Input("x", {1, 4, 9, 9})), {2, -1, 0.5f, 4});
  g.Output(Layer(&g, Sign(&g, y)));
  CHECK(Ops(CheckConversion(g)) == "Transpose MaxPool Affine Binarize BConv2d Transpose");
  GraphBuilder h;
  const std::string pooled = Pool(&h, h.Input("x", {1, 4, 9, 9}));
  h.Output(Layer(&h, Sign(&h, Normalized(&h, pooled, {2, 1, 0.5f, 4}))));
  h.Output(pooled);
  CHECK(Ops(CheckConversion(h)).find(" MaxPool") != std::string::npos);
}

}  // namespace
}  // namespace bnn::formats
