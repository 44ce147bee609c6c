// Blueoil's weight quantizers on a float network whose activations are quantized.
#include "formats/binarize/quantize_weights.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "formats/convert.h"
#include "tests/formats/graph_builder.h"

namespace bnn::formats {
namespace {

// Two Conv that share their weights, behind activations of 4 values.
SourceGraph MakeNetwork() {
  GraphBuilder g;
  const std::string weights = g.Floats({2, 2, 1, 1}, {1, -2, 0, -5});
  std::string x = g.Input("x", {1, 2, 2, 2});
  for (const char* name : {"first", "second"}) {
    x = g.Node("Round", {g.Node("Clip", {x, g.Floats({}, {0}), g.Floats({}, {3})})});
    x = g.Node("Conv", {x, weights});
    g.graph().nodes.back().name = name;
  }
  g.Output(x);
  return g.graph();
}

std::vector<float> WeightsOf(const SourceGraph& graph, const std::string& name) {
  for (const SourceNode& node : graph.nodes) {
    if (node.name == name) return graph.FindConstant(node.inputs[1])->floats;
  }
  return {};
}

TEST_CASE("weights become the mean of their magnitudes, 0 counts as positive") {
  SourceGraph layer = MakeNetwork(), channels = MakeNetwork();
  REQUIRE(QuantizeWeights(&layer, WeightsQuantizer::kMeanScaling, {"first", "second"}).ok());
  CHECK(WeightsOf(layer, "first") == std::vector<float>{2, -2, 2, -2});
  CHECK(WeightsOf(layer, "second") == std::vector<float>{2, -2, 2, -2});
  REQUIRE(QuantizeWeights(&channels, WeightsQuantizer::kChannelWiseMeanScaling, {"second"}).ok());
  CHECK(WeightsOf(channels, "first") == std::vector<float>{1, -2, 0, -5});
  CHECK(WeightsOf(channels, "second") == std::vector<float>{1.5f, -1.5f, 2.5f, -2.5f});
}

TEST_CASE("layers with quantized activations become binary layers of 2 bits") {
  SourceGraph graph = MakeNetwork();
  REQUIRE(QuantizeWeights(&graph, WeightsQuantizer::kMeanScaling, {"second"}).ok());
  const Result<Conversion> conversion = ConvertGraph(std::move(graph), {});
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  const std::vector<LayerReport>& layers = conversion->report.layers;
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].runs_as == RunsAs::kFloat);
  CHECK(layers[1].runs_as == RunsAs::kBinary);
  CHECK(layers[1].reason.find("activations {0, 1, 2, 3}") != std::string::npos);
}

TEST_CASE("what it refuses") {
  SourceGraph graph = MakeNetwork();
  for (SourceNode& node : graph.nodes) {
    if (node.op == "Round") node.name = "rounding";
  }
  const Status status = QuantizeWeights(&graph, WeightsQuantizer::kMeanScaling, {"rounding"});
  CHECK(status.code() == StatusCode::kInvalidArgument);
  CHECK(status.message().find("'rounding' is no 2-D Conv") != std::string::npos);
  const Result<WeightsQuantizer> unknown = WeightsQuantizerByName("ternary");
  CHECK_FALSE(unknown.ok());
  CHECK(unknown.status().message().find("known are binary_mean_scaling") != std::string::npos);
  CHECK(*WeightsQuantizerByName("binary_channel_wise_mean_scaling") == WeightsQuantizer::kChannelWiseMeanScaling);
}

}  // namespace
}  // namespace bnn::formats
