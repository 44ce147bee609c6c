// Every operator at the opsets that changed it: the interpreter against onnxruntime, before and after the passes.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "formats/importers/onnx_importer.h"
#include "formats/interpreter.h"
#include "formats/ops/evaluator.h"
#include "formats/passes/passes.h"
#include "tests/formats/onnx_cases.h"

namespace bnn::formats {
namespace {

using test::OnnxCase;
using test::ReadOnnxCases;

constexpr int kOpsets[] = {7, 9, 11, 13, 17, 18, 21};

bool SameFloat(float actual, float expected, float tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected) || tolerance == 0) return actual == expected;
  return std::fabs(actual - expected) <= tolerance * std::fmax(1.0F, std::fabs(expected));
}

void CheckTensor(const Tensor& actual, const Tensor& expected, float tolerance) {
  CHECK(std::string(DTypeName(actual.type)) == DTypeName(expected.type));
  REQUIRE(DimsToString(actual.dims) == DimsToString(expected.dims));
  REQUIRE(actual.size() == expected.size());
  CHECK(actual.integers == expected.integers);
  for (size_t i = 0; i < expected.floats.size(); ++i) {
    CAPTURE(i);
    CAPTURE(actual.floats[i]);
    CAPTURE(expected.floats[i]);
    CHECK(SameFloat(actual.floats[i], expected.floats[i], tolerance));
  }
}

void CheckOutputs(const SourceGraph& graph, const OnnxCase& one) {
  const auto results = Interpret(graph, {one.inputs.begin(), one.inputs.end()}, graph.outputs);
  REQUIRE_MESSAGE(results.ok(), results.status().message());
  REQUIRE(graph.outputs.size() == one.outputs.size());
  for (const auto& [name, expected] : one.outputs) CheckTensor(results->at(name), expected, one.tolerance);
}

TEST_CASE("interpreted operators equal onnxruntime, before and after folding") {
  for (const int opset : kOpsets) {
    CAPTURE(opset);
    for (const OnnxCase& one : ReadOnnxCases(opset)) {
      CAPTURE(one.name);
      Result<SourceGraph> imported = ImportOnnxBytes(one.model, one.name, "", {});
      REQUIRE_MESSAGE(imported.ok(), imported.status().message());
      SourceGraph graph = *std::move(imported);
      CheckOutputs(graph, one);

      const Status folded = FoldConstants(&graph);
      REQUIRE_MESSAGE(folded.ok(), folded.message());
      const Status removed = RemoveDeadNodes(&graph);
      REQUIRE_MESSAGE(removed.ok(), removed.message());
      const Status valid = ValidateSourceGraph(graph);
      REQUIRE_MESSAGE(valid.ok(), valid.message());
      CheckOutputs(graph, one);
    }
  }
}

TEST_CASE("the declared shapes of all values are those that the interpreter computes") {
  for (const int opset : kOpsets) {
    for (const OnnxCase& one : ReadOnnxCases(opset)) {
      CAPTURE(opset);
      CAPTURE(one.name);
      const Result<SourceGraph> graph = ImportOnnxBytes(one.model, one.name, "", {});
      REQUIRE(graph.ok());
      if (graph->batch_is_symbolic) continue;  // declared for a batch of 1
      const auto results = Interpret(*graph, {one.inputs.begin(), one.inputs.end()});
      REQUIRE(results.ok());
      for (const auto& value : graph->values) {
        CAPTURE(value.first);
        CHECK(DimsToString(results->at(value.first).dims) == DimsToString(value.second.dims));
        CHECK(results->at(value.first).type == value.second.type);
      }
    }
  }
}

TEST_CASE("the cases use every operator that the interpreter knows") {
  std::set<std::string> used;
  for (const int opset : kOpsets) {
    for (const OnnxCase& one : ReadOnnxCases(opset)) {
      const Result<SourceGraph> graph = ImportOnnxBytes(one.model, one.name, "", {});
      REQUIRE(graph.ok());
      for (const SourceNode& node : graph->nodes) used.insert(node.op);
    }
  }
  // tests/engine/int8_cases_test.cc compares these.
  for (const OnnxCase& one :
       test::OnnxCaseReader(test::SourceDir() + "/tests/formats/data/onnx_int8.cases").ReadAll()) {
    const Result<SourceGraph> graph = ImportOnnxBytes(one.model, one.name, "", {});
    REQUIRE(graph.ok());
    for (const SourceNode& node : graph->nodes) used.insert(node.op);
  }
  // ONNX has no such operators; they come from OpenVINO.
  const std::set<std::string> others = {"DetectionOutput", "PriorBox", "PriorBoxClustered", "Swish"};
  for (const Evaluator& evaluator : Evaluators()) {
    CAPTURE(evaluator.op);
    if (others.count(evaluator.op) > 0) continue;
    CHECK(used.count(evaluator.op) == 1);
  }
}

TEST_CASE("after the passes nothing but shapes of an open batch is left of shape arithmetic") {
  for (const int opset : kOpsets) {
    for (const OnnxCase& one : ReadOnnxCases(opset)) {
      if (!one.name.starts_with("chain.") || one.name == "chain.zeros") continue;
      CAPTURE(opset);
      CAPTURE(one.name);
      Result<SourceGraph> graph = ImportOnnxBytes(one.model, one.name, "", {});
      REQUIRE(graph.ok());
      REQUIRE(graph->batch_is_symbolic);
      REQUIRE(FoldConstants(&*graph).ok());
      REQUIRE(RemoveDeadNodes(&*graph).ok());
      CHECK(graph->batch_is_symbolic);
      for (const SourceNode& node : graph->nodes) {
        CAPTURE(node.name);
        const bool moves_data = node.op == "Reshape" || node.op == "Transpose" || node.op == "MatMul";
        CHECK(moves_data);
      }
    }
  }
}

}  // namespace
}  // namespace bnn::formats
