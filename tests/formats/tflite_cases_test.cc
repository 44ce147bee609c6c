// The committed .tflite networks (data/make_tflite_fixtures.py): the imported graph and the converted model give what
// Larq Compute Engine's interpreter gives.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "formats/convert.h"
#include "formats/importers/tflite_importer.h"
#include "formats/interpreter.h"
#include "tests/formats/convert_check.h"
#include "tests/formats/model_reference.h"
#include "tests/formats/onnx_cases.h"

namespace bnn::formats {
namespace {

using test::OnnxCase;

std::vector<OnnxCase> ReadCases(const std::string& name) {
  return test::OnnxCaseReader(test::SourceDir() + "/tests/formats/data/" + name + ".cases").ReadAll();
}

// Within the case's tolerance: relative to max(1, |expected|), or absolute where it is negative.
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

void CheckInterpretation(const SourceGraph& graph, const OnnxCase& one) {
  std::map<std::string, Tensor> inputs(one.inputs.begin(), one.inputs.end());
  const auto results = Interpret(graph, inputs, graph.outputs);
  REQUIRE_MESSAGE(results.ok(), results.status().message());
  for (const auto& [name, expected] : one.outputs) {
    CAPTURE(name);
    REQUIRE(results->count(name) == 1);
    CHECK(DimsToString(results->at(name).dims) == DimsToString(expected.dims));
    CheckClose(results->at(name).floats, expected.floats, one.tolerance);
  }
}

void CheckModel(const ModelDef& model, const OnnxCase& one) {
  std::vector<std::vector<float>> inputs;
  for (const auto& [name, tensor] : one.inputs) inputs.push_back(tensor.floats);
  const auto outputs = ReferenceOutputs(model, inputs);
  REQUIRE(outputs.size() == one.outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(one.outputs[i].first);
    CheckClose(outputs[i], one.outputs[i].second.floats, one.tolerance);
  }
}

Conversion CheckCase(const OnnxCase& one) {
  Result<SourceGraph> graph = ImportTfliteBytes(one.model, one.name + ".tflite", {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->inputs.size() == one.inputs.size());
  CheckInterpretation(*graph, one);
  Result<Conversion> conversion = ConvertGraph(*std::move(graph), {});
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  CheckModel(conversion->model, one);
  return *std::move(conversion);
}

// Networks that themselves move data in another order than both layouts.
bool Moves(const OnnxCase& one) {
  for (const char* name :
       {"transpose", "reshape_channels", "strided_slice_shrink", "space_to_depth", "depth_to_space"}) {
    if (one.name.starts_with(name)) return true;
  }
  return false;
}

TEST_CASE("builtin operators of TensorFlow Lite give its outputs, and no layout stands between") {
  for (const OnnxCase& one : ReadCases("tflite_builtin")) {
    SUBCASE(one.name.c_str()) {
      CAPTURE(one.name);
      const Conversion conversion = CheckCase(one);
      if (!Moves(one)) CHECK(Ops(conversion).find("Transpose") == std::string::npos);
      const bool has_layer = one.name.find("conv") == 0 || one.name.find("depthwise") == 0;
      if (has_layer && one.name.find("int8") != std::string::npos) {
        REQUIRE(conversion.report.layers.size() == 1);
        CHECK(conversion.report.layers[0].runs_as == RunsAs::kInt8);
      }
    }
  }
}

TEST_CASE("the operators of Larq Compute Engine give its outputs, on bits") {
  for (const OnnxCase& one : ReadCases("tflite_lce")) {
    SUBCASE(one.name.c_str()) {
      CAPTURE(one.name);
      const Conversion conversion = CheckCase(one);
      CHECK(Ops(conversion).find("Transpose") == std::string::npos);
      for (const LayerReport& layer : conversion.report.layers) {
        CAPTURE(layer.reason);
        CHECK(layer.runs_as == RunsAs::kBinary);
      }
      // Maps of images are read as the file has them.
      const bool is_flattened = one.name == "binary_dense";
      CHECK(conversion.model.inputs[0].layout == (is_flattened ? ImageLayout::kNchw : ImageLayout::kNhwc));
    }
  }
}

}  // namespace
}  // namespace bnn::formats
