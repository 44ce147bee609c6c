#include "tests/formats/case_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "formats/interpreter.h"
#include "tests/formats/model_reference.h"

namespace bnn::formats {

void CheckClose(const std::vector<float>& actual, const std::vector<float>& expected, float tolerance) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    const double allowed = tolerance < 0 ? -tolerance : tolerance * std::max(1.0F, std::fabs(expected[i]));
    const double difference = std::fabs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
    CAPTURE(i);
    CAPTURE(actual[i]);
    CAPTURE(expected[i]);
    REQUIRE(difference <= allowed);
  }
}

void CheckInterpretation(const SourceGraph& graph, const test::OnnxCase& one) {
  std::map<std::string, Tensor> inputs(one.inputs.begin(), one.inputs.end());
  const auto results = Interpret(graph, inputs, graph.outputs);
  REQUIRE_MESSAGE(results.ok(), results.status().message());
  for (const auto& output : one.outputs) {
    const std::string& name = output.first;
    CAPTURE(name);
    REQUIRE(results->count(name) == 1);
    CHECK(DimsToString(results->at(name).dims) == DimsToString(output.second.dims));
    CheckClose(results->at(name).floats, output.second.floats, one.tolerance);
  }
}

void CheckModel(const ModelDef& model, const test::OnnxCase& one) {
  std::vector<std::vector<float>> inputs;
  for (const auto& [name, tensor] : one.inputs) inputs.push_back(tensor.floats);
  const auto outputs = ReferenceOutputs(model, inputs);
  REQUIRE(outputs.size() == one.outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(one.outputs[i].first);
    CheckClose(outputs[i], one.outputs[i].second.floats, one.tolerance);
  }
}

Conversion CheckCase(SourceGraph graph, const test::OnnxCase& one) {
  CHECK(graph.inputs.size() == one.inputs.size());
  CheckInterpretation(graph, one);
  Result<Conversion> conversion = ConvertGraph(std::move(graph), {});
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  CheckModel(conversion->model, one);
  return *std::move(conversion);
}

}  // namespace bnn::formats
