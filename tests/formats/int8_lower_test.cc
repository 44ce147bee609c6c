// What becomes int8: grids of weights, FakeQuantize with 255 and 256 levels, and layers quantized after training.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/passes/integer_grid.h"
#include "formats/passes/quantize_float_layers.h"
#include "tests/formats/convert_check.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {
namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string Scalar(GraphBuilder* g, float value) { return g->Floats({}, {value}); }

std::string FakeQuantize(GraphBuilder* g, const std::string& x, float low, float high, int64_t levels) {
  return g->Node("FakeQuantize", {x, Scalar(g, low), Scalar(g, high), Scalar(g, low), Scalar(g, high)},
                 {{"levels", levels}});
}

TEST_CASE("weights that are multiples of a step by 8-bit integers") {
  RandomSource random(3);
  for (int trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    const float step = static_cast<float>(random.Int(1, 1 << 20)) / 3e7f;
    const int64_t largest = random.Int(1, 127);
    std::vector<float> weights(static_cast<size_t>(random.Int(2, 60)));
    for (float& w : weights) w = static_cast<float>(random.Int(-largest, largest)) * step;
    const Result<IntegerGrid> grid = FindIntegerGrid(weights, 1);
    REQUIRE_MESSAGE(grid.ok(), grid.status().message());
    for (size_t i = 0; i < weights.size(); ++i) {
      const float back = static_cast<float>(grid->integers[i]) * grid->scales[0];
      CHECK(std::fabs(back - weights[i]) <= 3e-7f * std::fabs(weights[i]));
    }
  }
}

TEST_CASE("rows have scales of their own; -128 is an integer, +128 is none; zeros are") {
  const Result<IntegerGrid> grid = FindIntegerGrid({-128, 127, 1, 0.5f, -1.5f, 0.25f, 0, 0, 0}, 3);
  REQUIRE(grid.ok());
  CHECK(grid->integers == std::vector<int8_t>{-128, 127, 1, 2, -6, 1, 0, 0, 0});
  CHECK(grid->scales == std::vector<float>{1, 0.25f, 1});
  CHECK_FALSE(FindIntegerGrid({128, 127, 1}, 1).ok());
  CHECK_FALSE(FindIntegerGrid({1, std::nanf("")}, 1).ok());
}

TEST_CASE("other weights are refused, with one of them") {
  const Result<IntegerGrid> grid = FindIntegerGrid({1, 2, 3, 0.3f, 0.7071f, 0.1234f}, 2);
  REQUIRE_FALSE(grid.ok());
  CHECK(Contains(grid.status().message(), "output channel 1 holds 0."));
  // 200 steps: an unsigned range.
  CHECK_FALSE(FindIntegerGrid({0, 1, 200, 3}, 1).ok());
}

// A convolution whose two inputs are quantized by FakeQuantize, as OpenVINO writes it.
GraphBuilder FakeQuantizedConv(float low, float high, int64_t levels, float weight_limit, int64_t weight_levels = 255) {
  GraphBuilder g;
  const std::string x = FakeQuantize(&g, g.Input("x", {1, 3, 5, 6}), low, high, levels);
  const std::string w =
      FakeQuantize(&g, g.Floats({4, 3, 3, 3}, Quarters(108, 5)), -weight_limit, weight_limit, weight_levels);
  g.Output(g.Node("Conv", {x, w},
                  {{"pads", std::vector<int64_t>{1, 1, 1, 1}}, {"kernel_shape", std::vector<int64_t>{3, 3}}}));
  return g;
}

// Inputs are halves in [-4, 4]: with these limits none lies on a tie.
TEST_CASE("FakeQuantize with 255 and 256 levels runs as integers") {
  const GraphBuilder unsigned256 = FakeQuantizedConv(0, 3.1f, 256, 1.7f);
  const Conversion a = CheckConversion(unsigned256, 1e-4);
  CHECK(OnlyLayer(a).runs_as == RunsAs::kInt8);
  CHECK(Contains(OnlyLayer(a).reason, "activations uint8, scale 0.0121569, zero point 0"));
  CHECK(Ops(a) == "Transpose Quantize QConv2d Transpose");

  const float step = 6.2f / 255;
  const Conversion b = CheckConversion(FakeQuantizedConv(-128 * step, 127 * step, 256, 1.7f), 1e-4);
  CHECK(Contains(OnlyLayer(b).reason, "activations int8"));
  CHECK(Contains(OnlyLayer(b).reason, "zero point 0"));

  // 255 levels: the integers 0 .. 254, or -127 .. 127.
  const Conversion c = CheckConversion(FakeQuantizedConv(-3.1f, 3.1f, 255, 1.7f), 1e-4);
  CHECK(OnlyLayer(c).runs_as == RunsAs::kInt8);
  CHECK(Contains(Ops(c), "Clamp Quantize QConv2d"));

  // Any zero point in between.
  const Conversion d = CheckConversion(FakeQuantizedConv(-40 * step, 215 * step, 256, 1.7f), 1e-4);
  CHECK(Contains(OnlyLayer(d).reason, "activations uint8"));
  CHECK(Contains(OnlyLayer(d).reason, "zero point 40"));
}

TEST_CASE("FakeQuantize whose output limits are another grid") {
  GraphBuilder g;
  const std::string x = g.Node(
      "FakeQuantize", {g.Input("x", {1, 8}), Scalar(&g, 0), Scalar(&g, 3.1f), Scalar(&g, -1.0f), Scalar(&g, 1.55f)},
      {{"levels", int64_t{256}}});
  g.Output(g.Node("MatMul", {x, g.Floats({8, 3}, Quarters(24, 1))}));
  const Conversion conversion = CheckConversion(g, 1e-4);
  CHECK(OnlyLayer(conversion).runs_as == RunsAs::kInt8);
  CHECK(Contains(OnlyLayer(conversion).reason, "scale 0.01, zero point 100"));
}

TEST_CASE("what has no exact grid stays float, with the reason") {
  const auto reason = [](const GraphBuilder& g) {
    const Conversion conversion = CheckConversion(g, 2e-4);
    CHECK(OnlyLayer(conversion).runs_as == RunsAs::kFloat);
    return OnlyLayer(conversion).reason;
  };
  CHECK(reason(FakeQuantizedConv(-1.003f, 3.1f, 256, 1.7f)) ==
        "0 is none of the 256 values between FakeQuantize's input limits -1.003 and 3.1");
  CHECK(reason(FakeQuantizedConv(0.5f, 3.1f, 256, 1.7f)) ==
        "0 is none of the 256 values between FakeQuantize's input limits 0.5 and 3.1");
  CHECK(reason(FakeQuantizedConv(0, 3.1f, 16, 1.7f)) == "FakeQuantize with 16 levels");
  CHECK(Contains(reason(FakeQuantizedConv(0, 3.1f, 256, 1.7f, 4096)),
                 "activations uint8, scale 0.0121569, zero point 0; weights are no multiples of a step"));

  GraphBuilder per_channel;
  const std::string limits = per_channel.Floats({1, 3, 1, 1}, {1, 2, 3});
  const std::string zero = Scalar(&per_channel, 0);
  const std::string x = per_channel.Node(
      "FakeQuantize", {per_channel.Input("x", {1, 3, 5, 6}), zero, limits, zero, limits}, {{"levels", int64_t{256}}});
  per_channel.Output(per_channel.Node("Conv", {x, per_channel.Floats({4, 3, 1, 1}, Quarters(12, 5))},
                                      {{"kernel_shape", std::vector<int64_t>{1, 1}}}));
  CHECK(reason(per_channel) == "FakeQuantize with limits per channel");
}

TEST_CASE("a FakeQuantize that nobody reads as integers gives floats") {
  GraphBuilder g;
  const std::string x = FakeQuantize(&g, g.Input("x", {1, 2, 3, 3}), 0, 3.1f, 256);
  g.Output(g.Node("Add", {x, g.Input("y", {1, 2, 3, 3})}));
  CHECK(Contains(Ops(CheckConversion(g, 1e-5)), "Quantize Dequantize"));
}

// A stem, a layer that shares its input, and a classifier behind a flattened map.
GraphBuilder FloatNetwork() {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 3, 6, 6});
  const std::map<std::string, Attribute> window = {{"kernel_shape", std::vector<int64_t>{3, 3}}};
  const std::string a =
      g.Node("Conv", {x, g.Floats({8, 3, 3, 3}, Quarters(216, 1)), g.Floats({8}, Quarters(8, 2))}, window);
  const std::string b = g.Node("Conv", {x, g.Floats({8, 3, 3, 3}, Quarters(216, 3))}, window);
  const std::string map = g.Node("Relu", {g.Node("Add", {a, b})});
  const std::string flat = g.Node("Flatten", {map});
  g.Output(g.Node("Gemm", {flat, g.Floats({10, 128}, Quarters(1280, 4)), g.Floats({10}, Quarters(10, 5))},
                  {{"transB", int64_t{1}}}));
  return g;
}

TEST_CASE("post-training quantization: every float layer becomes int8, near what it was") {
  const GraphBuilder g = FloatNetwork();
  const Result<Conversion> before = ConvertGraph(g.graph(), {});
  REQUIRE(before.ok());
  std::set<std::string> layers;
  for (const LayerReport& layer : before->report.layers) layers.insert(layer.name);
  CHECK(layers.size() == 3);
  const std::vector<std::string> values = DataInputsOf(g.graph(), layers);
  REQUIRE(values.size() == 2);
  CHECK(values[0] == "x");

  GraphBuilder quantized = g;
  const auto done = QuantizeFloatLayers(&quantized.graph(), layers, {{"x", {-4, 4}}, {values[1], {0, 90}}});
  REQUIRE_MESSAGE(done.ok(), done.status().message());
  REQUIRE(done->size() == 3);
  CHECK((*done)[0].scale == doctest::Approx(8.0 / 255));
  CHECK((*done)[0].zero_point == 128);
  CHECK((*done)[2].zero_point == 0);
  REQUIRE(ValidateSourceGraph(quantized.graph()).ok());
  // The model against the interpretation of the quantized graph: float rounding, or one step of a classifier's input.
  const Conversion after = CheckConversion(quantized, 0.8);
  for (const LayerReport& layer : after.report.layers) CHECK(layer.runs_as == RunsAs::kInt8);
  const std::string ops = Ops(after);
  CHECK(ops.find("Quantize") == ops.rfind("Quantize QConv2d QConv2d"));  // the input is quantized once
}

TEST_CASE("post-training quantization: ranges that are missing or no numbers are errors") {
  GraphBuilder g = FloatNetwork();
  const std::set<std::string> layers = {g.graph().nodes[0].name};
  CHECK(Contains(QuantizeFloatLayers(&g.graph(), layers, {}).status().message(), "the range of its input 'x'"));
  g = FloatNetwork();
  CHECK_FALSE(QuantizeFloatLayers(&g.graph(), layers, {{"x", {0, std::nanf("")}}}).ok());
  g = FloatNetwork();
  CHECK_FALSE(QuantizeFloatLayers(&g.graph(), layers, {{"x", {1, -1}}}).ok());
}

TEST_CASE("post-training quantization: an input that is constant zero") {
  GraphBuilder g = FloatNetwork();
  const std::set<std::string> layers = {g.graph().nodes[0].name};
  const auto done = QuantizeFloatLayers(&g.graph(), layers, {{"x", {0, 0}}});
  REQUIRE(done.ok());
  CHECK((*done)[0].scale == 1);
}

}  // namespace
}  // namespace bnn::formats
