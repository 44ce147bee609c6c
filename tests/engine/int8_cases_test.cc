// Networks quantized to 8 bits, against onnxruntime (tests/formats/data/make_int8_fixtures.py): the interpreter, the
// model that the conversion makes, and the engine.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/convert.h"
#include "formats/importers/onnx_importer.h"
#include "formats/interpreter.h"
#include "tests/engine/run_model.h"
#include "tests/formats/model_reference.h"
#include "tests/formats/onnx_cases.h"

namespace bnn {
namespace {

using formats::Conversion;
using formats::RunsAs;
using formats::SourceGraph;
using formats::Tensor;
using test::OnnxCase;

std::vector<OnnxCase> Cases() {
  return test::OnnxCaseReader(test::SourceDir() + "/tests/formats/data/onnx_int8.cases").ReadAll();
}

// Elements further than the tolerance from onnxruntime's, or a count of all of them where the sizes differ.
size_t Outside(const std::vector<float>& actual, const std::vector<float>& expected, float tolerance) {
  if (actual.size() != expected.size()) return expected.size();
  size_t outside = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (!(std::fabs(actual[i] - expected[i]) <= tolerance * 1.001f)) ++outside;
  }
  return outside;
}

// Elements that differ by more than float rounding: those where a step fell the other way.
size_t Steps(const std::vector<float>& actual, const std::vector<float>& expected) {
  return Outside(actual, expected, 2e-5f);
}

TEST_CASE("quantized networks equal onnxruntime within one step, nearly always exactly") {
  const std::vector<OnnxCase> cases = Cases();
  CHECK(cases.size() >= 20);
  size_t elements = 0, steps = 0;
  for (const OnnxCase& one : cases) {
    CAPTURE(one.name);
    const Result<SourceGraph> graph = formats::ImportOnnxBytes(one.model, one.name, "", {});
    REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    const auto interpreted = formats::Interpret(*graph, {one.inputs.begin(), one.inputs.end()}, graph->outputs);
    REQUIRE_MESSAGE(interpreted.ok(), interpreted.status().message());
    const Result<Conversion> conversion = formats::ConvertGraph(*graph, {});
    REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
    for (const formats::LayerReport& layer : conversion->report.layers) {
      CAPTURE(layer.name);
      CAPTURE(layer.reason);
      CHECK(layer.runs_as == RunsAs::kInt8);
    }
    const std::vector<float>& input = one.inputs[0].second.floats;
    const auto reference = formats::ReferenceOutputs(conversion->model, {input});
    const auto outputs = test::RunModel(test::LoadDef(conversion->model), {input});
    for (size_t i = 0; i < one.outputs.size(); ++i) {
      const std::vector<float>& expected = one.outputs[i].second.floats;
      CHECK(Outside(interpreted->at(one.outputs[i].first).floats, expected, one.tolerance) == 0);
      CHECK(Outside(reference[i], expected, one.tolerance) == 0);
      CHECK(Outside(outputs[i], expected, one.tolerance) == 0);
      elements += expected.size();
      steps += Steps(outputs[i], expected);
    }
  }
  CHECK(elements > 2000);
  CHECK(steps * 100 < elements);
}

}  // namespace
}  // namespace bnn
