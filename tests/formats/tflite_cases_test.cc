// The committed .tflite networks (data/make_tflite_fixtures.py): the imported graph and the converted model give what
// Larq Compute Engine's interpreter gives.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "formats/convert.h"
#include "formats/importers/tflite_importer.h"
#include "tests/formats/case_check.h"
#include "tests/formats/convert_check.h"
#include "tests/formats/onnx_cases.h"

namespace bnn::formats {
namespace {

using test::OnnxCase;

std::vector<OnnxCase> ReadCases(const std::string& name) {
  return test::OnnxCaseReader(test::SourceDir() + "/tests/formats/data/" + name + ".cases").ReadAll();
}

Conversion CheckTfliteCase(const OnnxCase& one) {
  Result<SourceGraph> graph = ImportTfliteBytes(one.model, one.name + ".tflite", {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  return CheckCase(*std::move(graph), one);
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
      const Conversion conversion = CheckTfliteCase(one);
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
      const Conversion conversion = CheckTfliteCase(one);
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
