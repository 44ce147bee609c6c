#include "formats/lower/concat_steps.h"

#include <doctest/doctest.h>

#include "tests/formats/convert_check.h"

namespace bnn::formats {
namespace {

std::string Layer(GraphBuilder* g, const std::string& bits, int64_t channels) {
  std::vector<float> signs(static_cast<size_t>(channels * 4));
  for (size_t i = 0; i < signs.size(); ++i) signs[i] = (i * 5 + static_cast<size_t>(channels)) % 3 == 0 ? -1.0f : 1.0f;
  return g->Node("Conv", {bits, g->Floats({channels, 4, 1, 1}, signs)}, {{"kernel_shape", std::vector<int64_t>{1, 1}}});
}

std::string Input(GraphBuilder* g) { return g->Input("x", {1, 4, 3, 3}); }
std::string Sign(GraphBuilder* g, const std::string& x) { return g->Node("BipolarQuant", {x, g->Floats({}, {1})}); }
std::string Joined(GraphBuilder* g, const std::vector<std::string>& operands, int64_t axis = 1) {
  return g->Node("Concat", operands, {{"axis", axis}});
}

TEST_CASE(
    "shift, PReLU and clamp behind two joined binary layers go before the concatenation, each with its channels") {
  GraphBuilder g;
  const std::string bits = Sign(&g, Input(&g));
  std::string y = Joined(&g, {Layer(&g, bits, 2), Layer(&g, bits, 3)});
  y = g.Node("Add", {y, g.Floats({1, 5, 1, 1}, {1, -2, 0.5f, 3, -1})});
  y = g.Node("PRelu", {y, g.Floats({5, 1, 1}, {0.5f, 2, 0.25f, 1, -1})});
  g.Output(g.Node("Clip", {y, g.Floats({}, {-1}), g.Floats({}, {2})}));
  CHECK(Ops(CheckConversion(g)) ==
        "Transpose Binarize BConv2d BConv2d Affine Affine PRelu PRelu Clamp Clamp Concat Transpose");
}

TEST_CASE("steps stay behind what is no binary layer, is read by others, or is joined along another axis") {
  GraphBuilder g;
  const std::string x = Input(&g);
  const std::string layer = Layer(&g, Sign(&g, x), 4);
  g.Output(g.Node("Relu", {Joined(&g, {layer, x})}));
  CHECK(Ops(CheckConversion(g)).find("Concat Clamp") != std::string::npos);
  GraphBuilder h;
  const std::string bits = Sign(&h, Input(&h));
  const std::string left = Layer(&h, bits, 4), right = Layer(&h, bits, 4);
  h.Output(h.Node("Relu", {Joined(&h, {left, right})}));
  h.Output(left);
  CHECK(Ops(CheckConversion(h)).find("Concat Clamp") != std::string::npos);
  GraphBuilder k;
  const std::string b = Sign(&k, Input(&k));
  k.Output(k.Node("Relu", {Joined(&k, {Layer(&k, b, 4), Layer(&k, b, 4)}, 2)}));
  CHECK(Ops(CheckConversion(k)).find("Concat Clamp") != std::string::npos);
}

}  // namespace
}  // namespace bnn::formats
