// Every operator that is imported from IRs: the interpreter against OpenVINO's CPU plugin, before and after the passes.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "formats/importers/openvino_importer.h"
#include "formats/importers/openvino_operators.h"
#include "formats/interpreter.h"
#include "formats/passes/few_valued.h"
#include "formats/passes/passes.h"
#include "tests/formats/openvino_cases.h"

namespace bnn::formats {
namespace {

using test::OnnxCase;

bool Close(float actual, float expected, const OnnxCase& one) {
  const float scale = one.kind == "int8" ? 1.001F : std::fmax(1.0F, std::fabs(expected));
  return actual == expected || std::fabs(actual - expected) <= one.tolerance * scale;
}

void CheckOutputs(const SourceGraph& graph, const OnnxCase& one) {
  const auto results = Interpret(graph, {one.inputs.begin(), one.inputs.end()}, graph.outputs);
  REQUIRE_MESSAGE(results.ok(), results.status().message());
  REQUIRE(graph.outputs.size() == one.outputs.size());
  for (size_t i = 0; i < one.outputs.size(); ++i) {
    const Tensor& actual = results->at(graph.outputs[i]);
    const Tensor& expected = one.outputs[i].second;
    CHECK(std::string(DTypeName(actual.type)) == DTypeName(expected.type));
    REQUIRE(DimsToString(actual.dims) == DimsToString(expected.dims));
    CHECK(actual.integers == expected.integers);
    size_t different = 0, first = 0;
    for (size_t k = 0; k < expected.floats.size(); ++k) {
      if (Close(actual.floats[k], expected.floats[k], one)) continue;
      if (different++ == 0) first = k;
    }
    CHECK_MESSAGE(different == 0, different, " elements differ, the first at ", first, ": ", actual.floats[first],
                  ", not ", expected.floats[first]);
  }
}

TEST_CASE("imported operators equal OpenVINO, before and after folding") {
  const std::vector<OnnxCase> cases = test::ReadOpenvinoCases();
  CHECK(cases.size() > 150);
  for (const OnnxCase& one : cases) {
    CAPTURE(one.name);
    if (one.kind == "refused") continue;
    Result<SourceGraph> imported = ImportOpenvinoBytes(one.model, one.weights, one.name, {});
    CHECK_MESSAGE(imported.ok(), imported.status().message());
    if (!imported.ok()) continue;
    SourceGraph graph = *std::move(imported);
    CheckOutputs(graph, one);

    const Status folded = FoldConstants(&graph);
    REQUIRE_MESSAGE(folded.ok(), folded.message());
    REQUIRE(RemoveDeadNodes(&graph).ok());
    const Status valid = ValidateSourceGraph(graph);
    REQUIRE_MESSAGE(valid.ok(), valid.message());
    CheckOutputs(graph, one);
  }
}

// What the few-valued analysis makes of y, where it takes it: thresholds and values for each channel.
void CheckFewValued(const SourceGraph& graph, const OnnxCase& one, int* accepted) {
  const Result<FewValuedResult> analysis = AnalyzeFewValued(graph, SignOfZero::kAuto);
  REQUIRE_MESSAGE(analysis.ok(), analysis.status().message());
  const auto found = analysis->values.find(graph.outputs[0]);
  if (found == analysis->values.end()) return;
  ++*accepted;
  const FewValued& few = found->second;
  const Tensor &x = one.inputs[0].second, &y = one.outputs[0].second;
  size_t inner = 1, channels = 1;
  for (size_t i = 0; i < x.dims.size(); ++i) {
    const auto axis = static_cast<size_t>(ChannelAxis(x.dims.size()));
    if (i == axis) channels = static_cast<size_t>(x.dims[i]);
    if (i > axis) inner *= static_cast<size_t>(x.dims[i]);
  }
  size_t different = 0;
  for (size_t i = 0; i < x.floats.size(); ++i) {
    const size_t c = i / inner % channels;
    size_t level = 0;
    for (const ChannelNumbers& threshold : few.thresholds) level += x.floats[i] >= NumberOf(threshold, c) ? 1 : 0;
    const float value = NumberOf(few.values[level], c);
    different += std::fabs(value - y.floats[i]) <= 1e-6F ? 0 : 1;  // the formula rounds output_high
  }
  CHECK(different == 0);
}

// Limits of all shapes that broadcast, equal and inverted ones, 2 to 65536 levels.
TEST_CASE("FakeQuantize is what OpenVINO defines, on data, on constants and as a threshold") {
  int accepted = 0;
  for (const OnnxCase& one : test::ReadOpenvinoCases("openvino_quantize.cases.gz")) {
    CAPTURE(one.name);
    Result<SourceGraph> imported = ImportOpenvinoBytes(one.model, one.weights, one.name, {});
    REQUIRE_MESSAGE(imported.ok(), imported.status().message());
    SourceGraph graph = *std::move(imported);
    CheckOutputs(graph, one);
    CheckFewValued(graph, one, &accepted);

    const std::string x = graph.inputs[0];
    graph.inputs.clear();
    graph.constants[x] = one.inputs[0].second;
    REQUIRE(FoldConstants(&graph).ok());
    CHECK(graph.nodes.empty());
    OnnxCase constant = one;
    constant.inputs.clear();
    CheckOutputs(graph, constant);
  }
  CHECK(accepted >= 5);
}

TEST_CASE("inputs and outputs have OpenVINO's names") {
  for (const OnnxCase& one : test::ReadOpenvinoCases()) {
    const Result<SourceGraph> graph = ImportOpenvinoBytes(one.model, one.weights, one.name, {});
    if (one.kind == "refused" || one.name == "Result.of_input") continue;
    REQUIRE(graph.ok());
    CAPTURE(one.name);
    REQUIRE(graph->outputs.size() == one.outputs.size());
    for (size_t i = 0; i < one.outputs.size(); ++i) CHECK(graph->outputs[i] == one.outputs[i].first);
    REQUIRE(graph->inputs.size() == one.inputs.size());
    for (size_t i = 0; i < one.inputs.size(); ++i) CHECK(graph->inputs[i] == one.inputs[i].first);
  }
}

TEST_CASE("the cases use every operator of the table, and none of a newer opset") {
  std::set<std::string> used;
  for (const OnnxCase& one : test::ReadOpenvinoCases()) {
    const Result<IrNet> net = ParseIr(one.model);
    REQUIRE(net.ok());
    for (const IrLayer& layer : net->layers) {
      if (const OpenvinoOperator* known = FindOpenvinoOperator(layer.type)) used.insert(known->type);
    }
  }
  for (const OpenvinoOperator& known : OpenvinoOperators()) {
    CAPTURE(known.type);
    CHECK(used.count(known.type) == 1);
  }
}

TEST_CASE("an open batch stays open") {
  int open = 0;
  for (const OnnxCase& one : test::ReadOpenvinoCases()) {
    if (!one.name.starts_with("Batch.")) continue;
    CAPTURE(one.name);
    Result<SourceGraph> graph = ImportOpenvinoBytes(one.model, one.weights, one.name, {});
    REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    CHECK(graph->batch_is_symbolic);
    REQUIRE(FoldConstants(&*graph).ok());
    CHECK(graph->batch_is_symbolic);
    ++open;
  }
  CHECK(open == 2);
}

TEST_CASE("what the batch decides is not taken from a batch of 1") {
  for (const OnnxCase& one : test::ReadOpenvinoCases()) {
    if (one.kind != "refused") continue;
    const Result<SourceGraph> graph = ImportOpenvinoBytes(one.model, one.weights, "net.xml", {});
    REQUIRE(!graph.ok());
    CHECK(graph.status().message().find("(VariadicSplit): input 2 must be known before the network runs") !=
          std::string::npos);
    return;
  }
  FAIL("the case is missing");
}

}  // namespace
}  // namespace bnn::formats
