// Random networks of FakeQuantize, convolutions, dense layers, pooling and additions, and ResNet-18 as NNCF binarizes
// it, as IR and as ONNX: what the engine computes is what OpenVINO's CPU plugin computed (tests/formats/data/
// make_openvino_random.py and make_openvino_resnet18.py). tests/tools/openvino_live_test.py makes new ones.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "formats/convert.h"
#include "formats/importers/onnx_importer.h"
#include "formats/importers/openvino_importer.h"
#include "tests/engine/run_model.h"
#include "tests/formats/openvino_cases.h"

namespace bnn {
namespace {

using formats::Conversion;
using formats::LayerReport;
using test::OnnxCase;

Conversion Convert(const OnnxCase& one) {
  Result<formats::SourceGraph> graph = one.weights.empty()
                                           ? formats::ImportOnnxBytes(one.model, one.name, "", {})
                                           : formats::ImportOpenvinoBytes(one.model, one.weights, one.name, {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  Result<Conversion> conversion = formats::ConvertGraph(*std::move(graph), {});
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  return *std::move(conversion);
}

// How often something happened over all cases of a file.
using Counts = std::map<std::string, int>;

// Layers are named by how they must run: "binary_1".
void CheckLayers(const Conversion& conversion, Counts* counts) {
  for (const LayerReport& layer : conversion.report.layers) {
    CAPTURE(layer.name);
    CAPTURE(layer.reason);
    const std::string runs_as = formats::RunsAsName(layer.runs_as);
    CHECK(layer.name.substr(0, layer.name.find('_')) == runs_as);
    ++(*counts)[runs_as];
    (*counts)["sparse"] += layer.sparsity > 0 ? 1 : 0;
    ++(*counts)["BinarizeWeights " + layer.binarize_weights.substr(0, layer.binarize_weights.find(':'))];
  }
}

void CheckOutput(const OnnxCase& one, const Conversion& conversion) {
  const Model model = test::LoadDef(conversion.model);
  auto session = Session::Create(model);
  REQUIRE_MESSAGE(session.ok(), session.status().message());
  std::vector<float> output(session->output_size(0), std::nanf(""));
  REQUIRE(session->Run(one.inputs[0].second.floats, output).ok());
  const std::vector<float>& expected = one.outputs[0].second.floats;
  REQUIRE(output.size() == expected.size());
  size_t different = 0;
  float largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const float difference = std::fabs(output[i] - expected[i]);
    largest = std::fmax(largest, difference);
    different += difference <= one.tolerance ? 0 : 1;
  }
  CHECK_MESSAGE(different == 0, different, " of ", expected.size(), " differ, by up to ", largest, ", allowed ",
                one.tolerance);
}

TEST_CASE("random networks compute what OpenVINO computes: exactly, to 1e-4, or to one quantization step") {
  Counts counts;
  for (const OnnxCase& one : test::ReadOpenvinoCases("openvino_random.cases.gz")) {
    CAPTURE(one.name);
    const Conversion conversion = Convert(one);
    CheckLayers(conversion, &counts);
    CheckOutput(one, conversion);
    ++counts["kind " + one.kind];
    ++counts[one.weights.empty() ? "onnx" : "ir"];
  }
  for (const auto& [what, count] : counts) MESSAGE(what, ": ", count);
  // The property is worth something only where the networks exercise the conversion.
  CHECK(counts["kind exact"] + counts["kind close"] + counts["kind int8"] >= 200);
  CHECK(counts["onnx"] >= 60);
  CHECK(counts["binary"] >= 100);
  CHECK(counts["int8"] >= 80);
  CHECK(counts["float"] >= 50);
  CHECK(counts["sparse"] >= 20);
  CHECK(counts["BinarizeWeights done"] >= 50);
  CHECK(counts["BinarizeWeights declined"] >= 30);
}

TEST_CASE("ResNet-18 binarized by NNCF: all 16 convolutions of its blocks are binary, its outputs OpenVINO's") {
  int cases = 0;
  for (const OnnxCase& one : test::ReadOpenvinoCases("openvino_resnet18.cases.gz")) {
    CAPTURE(one.name);
    const Conversion conversion = Convert(one);
    Counts counts;
    CheckLayers(conversion, &counts);
    CHECK(counts["binary"] == 16);
    CHECK(counts["float"] == 5);
    CHECK(counts["BinarizeWeights done"] == 16);
    CheckOutput(one, conversion);
    ++cases;
  }
  CHECK(cases == 5);
}

}  // namespace
}  // namespace bnn
