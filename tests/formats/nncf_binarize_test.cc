// Binarization of a float network by calibration: the scales, their order, and that the lowering makes binary layers of
// it.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "formats/binarize/binarize_layers.h"
#include "formats/convert.h"
#include "formats/interpreter.h"
#include "tests/formats/graph_builder.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {
namespace {

std::vector<float> Random(size_t count, uint64_t seed) {
  RandomSource random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.Int(-1000, 1000)) / 1000.0f;
  return values;
}

TEST_CASE("the scale is the smallest of the largest 0.1 %") {
  for (const auto& sizes : {std::pair{1, 1}, {999, 1}, {1500, 2}, {2500, 2}, {2501, 3}, {10000, 10}}) {
    const int count = sizes.first, top = sizes.second;
    CAPTURE(count);
    std::vector<float> values;
    for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(i * 7919 % count));
    std::vector<float> sorted = values;
    std::sort(sorted.rbegin(), sorted.rend());
    CHECK(ActivationScale(&values) == sorted[static_cast<size_t>(top - 1)]);
  }
}

TEST_CASE("the scales of weights") {
  const Tensor weights = FloatTensor({2, 1, 1, 2}, {1, -2, 3, -4});
  CHECK(WeightScale(weights, NncfMode::kXnor).floats == std::vector<float>{1.5f, 3.5f});
  CHECK(WeightScale(weights, NncfMode::kXnor).dims == Dims{2, 1, 1, 1});
  CHECK(WeightScale(weights, NncfMode::kDorefa).floats == std::vector<float>{2.5f});
}

// Conv c1 -> Relu -> Conv c2 -> Relu -> Conv c3, and Conv c4 beside c2, which reads the same.
struct Network {
  SourceGraph graph;
  std::vector<CalibrationBatch> batches;
};

Network MakeNetwork() {
  GraphBuilder builder;
  const Attribute pads = std::vector<int64_t>{1, 1, 1, 1};
  const auto conv = [&](const std::string& name, const std::string& x, const Dims& dims, uint64_t seed) {
    const std::string weights = builder.Floats(dims, Random(static_cast<size_t>(CountElements(dims)), seed));
    const std::string y = builder.Node("Conv", {x, weights}, {{"pads", pads}});
    builder.graph().nodes.back().name = name;
    return y;
  };
  const std::string a = builder.Node("Relu", {conv("c1", builder.Input("x", {2, 3, 6, 6}), {8, 3, 3, 3}, 1)});
  const std::string b = builder.Node("Relu", {conv("c2", a, {8, 8, 3, 3}, 2)});
  builder.Output(builder.Node("Add", {conv("c3", b, {4, 8, 3, 3}, 3), conv("c4", a, {4, 8, 3, 3}, 4)}));
  Network network{builder.graph(), {}};
  for (uint64_t i = 0; i < 3; ++i) {
    CalibrationBatch batch;
    batch.samples = i == 2 ? 1 : 2;
    std::vector<float> values = Random(2 * 3 * 6 * 6, 10 + i);
    if (i == 2) std::fill(values.begin() + 3 * 6 * 6, values.end(), 1e6f);  // fills the batch and does not count
    batch.inputs["x"] = FloatTensor({2, 3, 6, 6}, std::move(values));
    network.batches.push_back(std::move(batch));
  }
  return network;
}

// The scale of a value of `graph` over the samples, by interpreting the whole graph.
float ScaleOf(const Network& network, const SourceGraph& graph, const std::string& value) {
  std::vector<float> all;
  for (const CalibrationBatch& batch : network.batches) {
    const auto values = Interpret(graph, batch.inputs, {value});
    REQUIRE(values.ok());
    const Tensor& tensor = values->at(value);
    all.insert(all.end(), tensor.floats.begin(), tensor.floats.begin() + tensor.size() / 2 * batch.samples);
  }
  return ActivationScale(&all);
}

TEST_CASE("each scale is measured behind the binarized layers before it") {
  for (const NncfMode mode : {NncfMode::kXnor, NncfMode::kDorefa}) {
    const Network network = MakeNetwork();
    const std::string a = network.graph.nodes[1].outputs[0], b = network.graph.nodes[3].outputs[0];
    SourceGraph graph = network.graph;
    const auto layers = BinarizeLayers(&graph, mode, {"c2", "c3", "c4"}, network.batches);
    REQUIRE_MESSAGE(layers.ok(), layers.status().message());
    REQUIRE(ValidateSourceGraph(graph).ok());
    REQUIRE(layers->size() == 3);
    CHECK((*layers)[0].name == "c2");
    CHECK((*layers)[0].scale == ScaleOf(network, network.graph, a));
    CHECK((*layers)[1].name == "c3");
    CHECK((*layers)[1].scale == ScaleOf(network, graph, b));
    CHECK((*layers)[1].scale != ScaleOf(network, network.graph, b));
    CHECK((*layers)[2].scale == (*layers)[0].scale);
  }
}

TEST_CASE("the lowering makes binary layers of it, equal to the graph") {
  const Network network = MakeNetwork();
  SourceGraph graph = network.graph;
  REQUIRE(BinarizeLayers(&graph, NncfMode::kXnor, {"c2", "c3", "c4"}, network.batches).ok());
  const Result<Conversion> conversion = ConvertGraph(graph, {});
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  for (const LayerReport& layer : conversion->report.layers) {
    CAPTURE(layer.reason);
    CHECK(layer.is_binary() == (layer.name != "c1"));
  }
}

TEST_CASE("what a binarized layer computes") {
  GraphBuilder builder;
  const std::string x = builder.Input("x", {1, 1, 1, 3});
  builder.Output(builder.Node("Conv", {x, builder.Floats({2, 1, 1, 1}, {-3, 5})}));
  builder.graph().nodes.back().name = "conv";
  const std::string y = builder.graph().outputs[0];
  CalibrationBatch batch;
  batch.inputs["x"] = FloatTensor({1, 1, 1, 3}, {1, 2, 4});
  for (const auto& [mode, expected] : {std::pair{NncfMode::kXnor, std::vector<float>{0, 0, -12, 0, 0, 20}},
                                       {NncfMode::kDorefa, std::vector<float>{0, 0, -16, 0, 0, 16}}}) {
    SourceGraph graph = builder.graph();
    REQUIRE(BinarizeLayers(&graph, mode, {"conv"}, {batch}).ok());
    const auto values = Interpret(graph, batch.inputs, {y});
    REQUIRE(values.ok());
    CHECK(values->at(y).floats == expected);  // the scale is 4, the threshold 2, and 2 is not above it
  }
}

TEST_CASE("what cannot be binarized is an error that names the node") {
  const auto error = [](const SourceGraph& source, const std::string& layer, std::vector<CalibrationBatch> batches) {
    SourceGraph graph = source;
    const auto layers = BinarizeLayers(&graph, NncfMode::kXnor, {layer}, batches);
    CHECK(!layers.ok());
    return layers.ok() ? "" : layers.status().message();
  };
  const Network network = MakeNetwork();
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(has(error(network.graph, "c1", {}), "needs samples"));
  CHECK(has(error(network.graph, network.graph.nodes[1].name, network.batches), "is no 2-D Conv"));
  std::vector<CalibrationBatch> batches = network.batches;
  batches[0].inputs.clear();
  CHECK(has(error(network.graph, "c1", batches), "'c1'"));
  for (const float value : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    batches = {network.batches[0]};
    std::fill(batches[0].inputs["x"].floats.begin(), batches[0].inputs["x"].floats.end(), value);
    CHECK(has(error(network.graph, "c1", batches), "node 'c1' cannot be binarized"));
  }
}

}  // namespace
}  // namespace bnn::formats
