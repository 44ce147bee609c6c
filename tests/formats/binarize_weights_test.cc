// The pass BinarizeWeights: the graph that it leaves, each condition under which it declines, and that the conversion
// computes the same integers with it as without.
#include "formats/passes/binarize_weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "formats/interpreter.h"
#include "formats/passes/passes.h"
#include "tests/formats/convert_check.h"
#include "tests/formats/model_reference.h"

namespace bnn::formats {
namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

using Floats = std::vector<float>;

constexpr int64_t kIn = 3, kOut = 4;

// A convolution between two FakeQuantize, as OpenVINO's documentation draws it. Each test changes a part of it.
struct Network {
  Dims input = {1, kIn, 5, 6};
  int64_t levels = 2, weight_levels = 2;
  std::pair<Dims, Floats> input_low = {{1, kIn, 1, 1}, {0.75f, -1.25f, 0}};  // a threshold for each channel
  std::pair<Dims, Floats> input_high;                                        // empty: input_low
  std::pair<Dims, Floats> low = {{}, {0}}, high = {{}, {0.5f}};
  std::pair<Dims, Floats> weight_low = {{kOut, 1, 1, 1}, {-0.5f, -2, -1, -4}};
  std::pair<Dims, Floats> weight_high = {{kOut, 1, 1, 1}, {0.5f, 2, 1, 4}};
  Floats weights = Quarters(kOut * kIn * 9, 3);
  std::map<std::string, Attribute> attributes = {{"pads", std::vector<int64_t>{1, 0, 1, 2}}};
  // The last words: with the graph, the data, the weights and the result of the convolution.
  std::function<void(GraphBuilder&, const std::string&, const std::string&, const std::string&)> finish =
      [](GraphBuilder& g, const std::string&, const std::string&, const std::string& y) { g.Output(y); };

  GraphBuilder Build() const {
    GraphBuilder g;
    const auto constant = [&](const std::pair<Dims, Floats>& c) { return g.Floats(c.first, c.second); };
    const std::string from = constant(input_low), zero = g.Floats({}, {0});
    const std::string to = input_high.second.empty() ? from : constant(input_high);
    const std::string a =
        g.Node("FakeQuantize", {g.Input("x", input), from, to, constant(low), constant(high)}, {{"levels", levels}});
    const std::string w = g.Node(
        "FakeQuantize", {g.Floats({kOut, kIn, 3, 3}, weights), zero, zero, constant(weight_low), constant(weight_high)},
        {{"levels", weight_levels}});
    finish(g, a, w, g.Node("Conv", {a, w}, attributes));
    return g;
  }
};

// The pass alone, behind the folding that it expects.
BinarizeWeightsOutcomes Run(SourceGraph* graph) {
  REQUIRE(FoldConstants(graph, FoldQuantizers::kLeave).ok());
  Result<BinarizeWeightsOutcomes> outcomes = BinarizeWeights(graph);
  REQUIRE_MESSAGE(outcomes.ok(), outcomes.status().message());
  REQUIRE(RemoveDeadNodes(graph).ok());
  REQUIRE(ValidateSourceGraph(*graph).ok());
  return *std::move(outcomes);
}

std::string OpsOf(const SourceGraph& graph) {
  std::string ops;
  for (const SourceNode& node : graph.nodes) ops += (ops.empty() ? "" : " ") + node.op;
  return ops;
}

const Floats& ConstantInput(const SourceGraph& graph, size_t node, size_t input) {
  const Tensor* constant = graph.FindConstant(graph.nodes[node].inputs[input]);
  REQUIRE(constant != nullptr);
  return constant->floats;
}

// The reason why the pass declines the only layer; its graph stays as it was, and the conversion is right all the same.
std::string Reason(const GraphBuilder& g, double tolerance = 0) {
  SourceGraph graph = g.graph();
  REQUIRE(FoldConstants(&graph, FoldQuantizers::kLeave).ok());
  const std::string before = DumpGraph(graph);
  const auto outcomes = BinarizeWeights(&graph);
  REQUIRE(outcomes.ok());
  REQUIRE(outcomes->size() == 1);
  CHECK(!outcomes->begin()->second.done);
  CHECK(DumpGraph(graph) == before);
  const Conversion conversion = CheckConversion(g, tolerance);
  CHECK(OnlyLayer(conversion).binarize_weights == "declined: " + outcomes->begin()->second.text);
  return outcomes->begin()->second.text;
}

TEST_CASE("the graph afterwards is that of OpenVINO's documentation") {
  SourceGraph graph = Network{}.Build().graph();
  CHECK(OpsOf(graph) == "FakeQuantize FakeQuantize Conv");
  const std::string output = graph.outputs[0];
  const BinarizeWeightsOutcomes outcomes = Run(&graph);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes.begin()->second.done);
  CHECK(outcomes.begin()->second.text == "factors 0.5 of activations, 0.5 to 4 of weights");

  REQUIRE(OpsOf(graph) == "FakeQuantize Conv Mul Mul");
  CHECK(graph.nodes[1].name == outcomes.begin()->first);
  CHECK(ConstantInput(graph, 0, 1) == Floats{0.75f, -1.25f, 0});  // its thresholds stay
  CHECK(ConstantInput(graph, 0, 3) == Floats{0});
  CHECK(ConstantInput(graph, 0, 4) == Floats{1});
  const Floats& signs = ConstantInput(graph, 1, 1);
  const Floats weights = Network{}.weights;
  REQUIRE(signs.size() == weights.size());
  for (size_t i = 0; i < signs.size(); ++i) CHECK(signs[i] == (weights[i] > 0 ? 1 : -1));
  CHECK(ConstantInput(graph, 2, 1) == Floats{0.5f});
  CHECK(graph.constants.at(graph.nodes[2].inputs[1]).dims == Dims{1, 1, 1});
  CHECK(ConstantInput(graph, 3, 1) == Floats{0.5f, 2, 1, 4});
  CHECK(graph.constants.at(graph.nodes[3].inputs[1]).dims == Dims{kOut, 1, 1});
  CHECK(graph.nodes[3].outputs[0] == output);
}

TEST_CASE("activations {-s, s}, also upside down, are normalized to -1 and 1") {
  for (const float high : {0.5f, -0.5f}) {
    Network network;
    network.low.second = {-high};
    network.high.second = {high};
    SourceGraph graph = network.Build().graph();
    CHECK(Run(&graph).begin()->second.done);
    CHECK(ConstantInput(graph, 0, 3) == Floats{-1});
    CHECK(ConstantInput(graph, 0, 4) == Floats{1});
    CHECK(ConstantInput(graph, 2, 1) == Floats{high});
    CHECK(OnlyLayer(CheckConversion(network.Build())).is_binary());
  }
}

TEST_CASE("limits that are equal for all channels are one factor; weights may have one for all") {
  Network network;
  network.low = {{1, kIn, 1, 1}, Floats(kIn, 0)};
  network.high = {{1, kIn, 1, 1}, Floats(kIn, 0.25f)};
  network.weight_low = {{}, {-3}};
  network.weight_high = {{1, 1, 1, 1}, {3}};
  SourceGraph graph = network.Build().graph();
  CHECK(Run(&graph).begin()->second.text == "factors 0.25 of activations, 3 of weights");
  CHECK(graph.constants.at(graph.nodes[3].inputs[1]).dims == Dims{1, 1, 1});
  CheckConversion(network.Build());
}

// OpenVINO's own code divides by output_high here, and gives NaN.
TEST_CASE("a filter whose two limits are 0 contributes exactly 0, and so do activations {0, 0}") {
  Network network;
  network.weight_low.second[2] = network.weight_high.second[2] = 0;
  const Conversion conversion = CheckConversion(network.Build());
  CHECK(Contains(OnlyLayer(conversion).binarize_weights, "done: "));
  CHECK(OnlyLayer(conversion).is_binary());
  std::vector<float> x(static_cast<size_t>(CountElements(network.input)), 1.0f);
  const Floats y = ReferenceOutputs(conversion.model, {x})[0];
  const size_t pixels = y.size() / kOut;
  for (size_t i = 2 * pixels; i < 3 * pixels; ++i) CHECK(y[i] == 0);
  CHECK(std::count(y.begin(), y.end(), 0.0f) < static_cast<std::ptrdiff_t>(2 * pixels));

  network.high.second = {0};
  SourceGraph graph = network.Build().graph();
  CHECK(Run(&graph).begin()->second.done);
  CHECK(ConstantInput(graph, 2, 1) == Floats{0});
  CheckConversion(network.Build());
}

TEST_CASE("a bias of the convolution is added behind the factors") {
  GraphBuilder g = Network{}.Build();
  g.graph().nodes.back().inputs.push_back(g.Floats({kOut}, {1, -0.5f, 3, 0.25f}));
  SourceGraph graph = g.graph();
  CHECK(Run(&graph).begin()->second.done);
  CHECK(OpsOf(graph) == "FakeQuantize Conv Mul Mul Add");
  CHECK(OnlyLayer(CheckConversion(g)).is_binary());
}

TEST_CASE("names of the source that are the pass's own are left alone") {
  Network network;
  network.finish = [](GraphBuilder& g, const std::string&, const std::string&, const std::string& y) {
    const SourceNode& conv = g.graph().nodes.back();
    const std::string taken = conv.name + "/weights_factor";
    g.Output(g.Node("Relu", {y}));
    g.graph().nodes.back().name = taken;
    g.graph().values[conv.outputs[0] + "/sums"] = {DType::kFloat32, {1}};
  };
  const Conversion conversion = CheckConversion(network.Build());
  CHECK(Contains(OnlyLayer(conversion).binarize_weights, "done: "));
}

TEST_CASE("several convolutions, one behind the other") {
  Network network;
  network.finish = [](GraphBuilder& g, const std::string&, const std::string&, const std::string& y) {
    const std::string zero = g.Floats({}, {0}), low = g.Floats({}, {-1}), high = g.Floats({}, {1});
    const std::string a = g.Node("FakeQuantize", {y, zero, zero, low, high}, {{"levels", int64_t{2}}});
    const std::string w = g.Node("FakeQuantize", {g.Floats({2, kOut, 1, 1}, Quarters(8, 9)), zero, zero, low, high},
                                 {{"levels", int64_t{2}}});
    g.Output(g.Node("Conv", {a, w}));
  };
  SourceGraph graph = network.Build().graph();
  CHECK(Run(&graph).size() == 2);
  CHECK(OpsOf(graph) == "FakeQuantize Conv Mul Mul FakeQuantize Conv Mul Mul");
  const Conversion conversion = CheckConversion(network.Build());
  for (const LayerReport& layer : conversion.report.layers) CHECK(layer.is_binary());
}

TEST_CASE("declined: what is not a convolution of one group") {
  GraphBuilder dense;
  const std::string zero = dense.Floats({}, {0}), one = dense.Floats({}, {1}), minus_one = dense.Floats({}, {-1});
  const auto quantize = [&](const std::string& x) {
    return dense.Node("FakeQuantize", {x, zero, zero, minus_one, one}, {{"levels", int64_t{2}}});
  };
  dense.Output(
      dense.Node("MatMul", {quantize(dense.Input("x", {1, 6})), quantize(dense.Floats({6, 3}, Quarters(18, 1)))}));
  CHECK(Reason(dense) == "it is a MatMul, not a Convolution");
  CHECK(OnlyLayer(CheckConversion(dense)).is_binary());  // by the two-valued analysis

  Network grouped;
  grouped.input[1] = 2 * kIn;
  grouped.input_low = {{}, {0.75f}};
  grouped.attributes["group"] = int64_t{2};
  CHECK(Reason(grouped.Build()) == "it is a GroupConvolution of 2 groups");
  CHECK(OnlyLayer(CheckConversion(grouped.Build())).is_binary());
}

TEST_CASE("declined: inputs that no FakeQuantize of two levels makes") {
  Network network;
  network.levels = 256;
  network.input_high = {{}, {2.75f}};
  CHECK(Reason(network.Build(), 1e-5) == "its activations have 256 levels");
  network = {};
  network.weight_levels = 3;
  CHECK(Reason(network.Build()) == "its weights have 3 levels");

  GraphBuilder plain = Network{}.Build();
  plain.graph().nodes.back().inputs[0] = "x";
  CHECK(Reason(plain) == "its activations are not made by a FakeQuantize, but an input of the network");
  GraphBuilder computed = Network{}.Build();
  SourceNode conv = computed.graph().nodes.back();
  computed.graph().nodes.pop_back();
  conv.inputs[0] = computed.Node("Relu", {conv.inputs[0]});
  computed.graph().nodes.push_back(conv);
  CHECK(Contains(Reason(computed), "but by Relu 'Relu_"));
  CHECK(OnlyLayer(CheckConversion(computed)).is_binary());
  GraphBuilder constant = Network{}.Build();
  constant.graph().nodes.back().inputs[1] = constant.Floats({kOut, kIn, 3, 3}, Signs(kOut * kIn * 9, 3));
  CHECK(Reason(constant) == "its weights are not made by a FakeQuantize, but constant");
  CHECK(OnlyLayer(CheckConversion(constant)).is_binary());
}

TEST_CASE("declined: more than one reader, or an output of the network") {
  Network network;
  network.finish = [](GraphBuilder& g, const std::string& a, const std::string&, const std::string& y) {
    g.Output(y);
    g.Output(g.Node("Neg", {a}));
  };
  CHECK(Reason(network.Build()) == "its activations have 2 readers");
  CHECK(OnlyLayer(CheckConversion(network.Build())).is_binary());
  network.finish = [](GraphBuilder& g, const std::string& a, const std::string&, const std::string& y) {
    g.Output(y);
    g.Output(a);
  };
  CHECK(Reason(network.Build()) == "its activations are an output of the network");
  network.finish = [](GraphBuilder& g, const std::string&, const std::string& w, const std::string& y) {
    g.Output(y);
    g.Output(g.Node("Mul", {y, g.Node("ReduceMean", {w})}));
  };
  CHECK(Reason(network.Build()) == "its weights have 2 readers");
}

TEST_CASE("declined: limits that are not constant") {
  Network network;
  GraphBuilder g = network.Build();
  // The interpreter takes limits that the network computes; a model does not.
  SourceNode& activations = g.graph().nodes[0];
  const std::string limit = g.Input("limit", {1, kIn, 1, 1});
  activations.inputs[1] = limit;
  SourceGraph graph = g.graph();
  const BinarizeWeightsOutcomes outcomes = Run(&graph);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes.begin()->second.text == "the input_low of its activations is not a constant of floats");
  const Result<Conversion> conversion = ConvertGraph(g.graph(), {});
  REQUIRE(!conversion.ok());
  CHECK(Contains(conversion.status().message(), "limits are not constant"));
}

TEST_CASE("declined: weights that the network computes") {
  GraphBuilder g = Network{}.Build();
  g.graph().nodes[1].inputs[0] = g.Input("w", {kOut, kIn, 3, 3});
  SourceGraph graph = g.graph();
  const BinarizeWeightsOutcomes outcomes = Run(&graph);
  CHECK(outcomes.begin()->second.text == "the FakeQuantize of its weights does not read a constant of floats");
}

TEST_CASE("declined: activations that are neither {0, s} nor {-s, s}") {
  for (const auto& pair : {std::pair(1.0f, 2.0f), std::pair(0.5f, 0.0f), std::pair(-1.0f, 2.0f)}) {
    Network network;
    network.low.second = {pair.first};
    network.high.second = {pair.second};
    CHECK(Reason(network.Build()) == "the output limits of its activations are neither {0, s} nor {-s, s}");
    CHECK(OnlyLayer(CheckConversion(network.Build())).is_binary());
  }
}

// Its place would be on the input channels; OpenVINO multiplies output channels with it.
TEST_CASE("declined: a factor of activations that differs by channel") {
  Network network;
  network.high = {{1, kIn, 1, 1}, {0.5f, 0.5f, 2}};
  CHECK(Reason(network.Build()) == "the factor of its activations differs from channel to channel: 0.5 and 2");
  CHECK(Contains(OnlyLayer(CheckConversion(network.Build())).reason, "different values in different channels"));
}

TEST_CASE("declined: weights that are not {-s, s} by filter") {
  Network network;
  network.weight_low.second[1] = 0;
  CHECK(Reason(network.Build()) == "the output limits of its weights are not {-s, s}");
  network = {};
  network.weight_low = {{1, kIn, 1, 1}, {-1, -2, -3}};
  network.weight_high = {{1, kIn, 1, 1}, {1, 2, 3}};
  CHECK(Reason(network.Build()) == "the factor of its weights differs within a filter");
}

TEST_CASE("declined: limits that are not numbers, weights that are not, limits that enlarge") {
  Network network;
  network.high.second = {std::numeric_limits<float>::infinity()};
  SourceGraph graph = network.Build().graph();
  CHECK(Run(&graph).begin()->second.text == "the output limits of its activations are not finite");
  network = {};
  network.weight_low.second[0] = std::nanf("");
  graph = network.Build().graph();
  CHECK(Run(&graph).begin()->second.text == "the output limits of its weights are not finite");

  // NaN between limits stays NaN; at a pure threshold it is the low value.
  network = {};
  network.weights[5] = std::nanf("");
  GraphBuilder g = network.Build();
  g.graph().nodes[1].inputs[1] = g.Floats({}, {-1});
  graph = g.graph();
  CHECK(Run(&graph).begin()->second.text == "its weights hold NaN");

  network = {};
  network.input[1] = 1;
  graph = network.Build().graph();
  CHECK(Run(&graph).begin()->second.text == "the limits of its activations enlarge them");
}

TEST_CASE("declined: a bias that is not one number for each output channel") {
  GraphBuilder g = Network{}.Build();
  g.graph().nodes.back().inputs.push_back(g.Input("bias", {kOut}));
  SourceGraph graph = g.graph();
  CHECK(Run(&graph).begin()->second.text == "its bias is not a constant of one float for each output channel");
}

TEST_CASE("layers without a FakeQuantize of two levels are not mentioned") {
  Network network;
  network.levels = network.weight_levels = 256;
  SourceGraph graph = network.Build().graph();
  CHECK(Run(&graph).empty());
}

// Factors of any float: the pass rounds them one after the other, the analysis their product. The integers are the
// same.
TEST_CASE("with the pass and without, the same integers; floats within two roundings") {
  Network network;
  network.high.second = {0.9f};
  network.weight_high.second = {0.1f, 0.7f, 1.3f, 0.003f};
  for (size_t c = 0; c < kOut; ++c) network.weight_low.second[c] = -network.weight_high.second[c];
  const GraphBuilder g = network.Build();
  const Conversion with = CheckConversion(g, 2e-6);
  SourceGraph folded = g.graph();
  REQUIRE(FoldConstants(&folded).ok());
  const Result<Conversion> without = LowerPassed(g.graph(), {folded, {}}, {});
  REQUIRE(without.ok());
  CHECK(OnlyLayer(with).is_binary());
  CHECK(OnlyLayer(*without).is_binary());
  const auto bits_of = [](const ModelDef& model) {
    for (const NodeDef& node : model.nodes) {
      if (const auto* conv = std::get_if<BConv2d>(&node.op)) {
        return BlobValues(model.blobs[static_cast<size_t>(conv->weights)]);
      }
    }
    return Floats{};
  };
  CHECK(bits_of(with.model) == bits_of(without->model));
  Floats x = Quarters(CountElements(network.input), 5);
  const Floats a = ReferenceOutputs(with.model, {x})[0], b = ReferenceOutputs(without->model, {x})[0];
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(std::fabs(a[i] - b[i]) <= 2e-6f);
}

}  // namespace
}  // namespace bnn::formats
