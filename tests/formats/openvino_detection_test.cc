// The head of SSD in IRs whose attributes and dims are wrong or hostile: each is an error that names what is wrong.
#include <doctest/doctest.h>

#include <string>

#include "formats/convert.h"
#include "formats/importers/openvino_importer.h"
#include "tests/formats/openvino_cases.h"
#include "tests/formats/openvino_net_text.h"

namespace bnn::formats {
namespace {

// The error of a case with one change of its .xml.
std::string ErrorWith(const std::string& name, const std::string& from, const std::string& to) {
  for (const test::OnnxCase& one : test::ReadOpenvinoCases()) {
    if (one.name != name) continue;
    REQUIRE(one.model.find(from) != std::string::npos);
    Result<SourceGraph> graph = ImportOpenvinoBytes(test::Replaced(one.model, from, to), one.weights, "net.xml", {});
    if (!graph.ok()) return graph.status().message();
    const Result<Conversion> conversion = ConvertGraph(*std::move(graph), {});
    return conversion.ok() ? "no error" : conversion.status().message();
  }
  return "no such case";
}

void CheckError(const std::string& name, const std::string& from, const std::string& to, const std::string& expected) {
  const std::string message = ErrorWith(name, from, to);
  CHECK_MESSAGE(message.find(expected) != std::string::npos, from, " -> ", to, ": ", message);
}

TEST_CASE("PriorBox with hostile attributes") {
  const auto check = [](const char* from, const char* to, const char* expected) {
    CheckError("prior_box.plain", from, to, expected);
  };
  check("min_size=\"7\"", "min_size=\"-7\"", "attribute 'min_size' has -7");
  check("min_size=\"7\"", "min_size=\"nan\"", "'min_size'");
  check("min_size=\"7\"", "min_size=\"seven\"", "'min_size'");
  check("max_size=\"15\"", "max_size=\"1e30\"", "attribute 'max_size' has");
  check("aspect_ratio=\"2\"", "aspect_ratio=\"0\"", "attribute 'aspect_ratio' has 0");
  check("density=\"\"", "density=\"1000\"", "attribute 'density' has 1000");
  check("fixed_size=\"\"", "fixed_size=\"9\"", "1 fixed sizes and 0 densities");
  check("fixed_size=\"\"", "fixed_size=\"0\"", "attribute 'fixed_size' has 0");
  check("min_size=\"7\"", "min_size=\"\"", "for which OpenVINO has space for");
  check("scale_all_sizes=\"true\"", "scale_all_sizes=\"false\"", "for which OpenVINO has space for 3");
  check("step=\"0\"", "step=\"-3\"", "attribute 'step' is -3");
  check("offset=\"0.5\"", "offset=\"1e20\"", "attribute 'offset' is");
  check("0.2", "0.2, 0.2", "5 variances, expected 1 or 4");
  std::string many = "1.5";
  for (int i = 0; i < 2000; ++i) many += ", 1.5";
  check("min_size=\"7\"", ("min_size=\"" + many + "\"").c_str(), "'min_size' has too many numbers");
  CheckError("prior_box_clustered.plain", "width=\"7, 12.5\"", "width=\"7\"", "1 widths and 2 heights");
}

TEST_CASE("DetectionOutput with hostile attributes") {
  const auto check = [](const char* from, const char* to, const char* expected) {
    CheckError("DetectionOutput.plain", from, to, expected);
  };
  check("keep_top_k=\"8\"", "keep_top_k=\"0\"", "attribute 'keep_top_k' is 0");
  check("keep_top_k=\"8\"", "keep_top_k=\"-2\"", "attribute 'keep_top_k' is -2");
  check("keep_top_k=\"8\"", "keep_top_k=\"8, 9\"", "attribute 'keep_top_k' is [8,9]");
  check("keep_top_k=\"8\"", "keep_top_k=\"9000000000000\"", "attribute 'keep_top_k' is 9000000000000");
  check("keep_top_k=\"8\"", "keep_top_k=\"7\"", "[1,1,7,7]");
  check("top_k=\"-1\"", "top_k=\"9000000000000\"", "attribute 'top_k' is 9000000000000");
  check("nms_threshold=\"0.4", "nms_threshold=\"nan0.4", "'nms_threshold'");
  check("CENTER_SIZE", "CENTER", "'code_type'");
  check("normalized=\"true\"", "normalized=\"false\"", "for 16 priors");
  check("share_location=\"true\"", "share_location=\"false\"", "for 20 priors");
  check("variance_encoded_in_target=\"false\"", "variance_encoded_in_target=\"true\"", "expected [N, boxes]");
  CheckError("DetectionOutput.opset1", "num_classes=\"3\"", "num_classes=\"4\"", "4 classes");
  CheckError("DetectionOutput.pixels", "input_width=\"64\"", "input_width=\"0\"", "no size");
  CheckError("DetectionOutput.decrease", "background_label_id=\"0\"", "background_label_id=\"1\"",
             "attribute 'background_label_id' is not 0");
}

}  // namespace
}  // namespace bnn::formats
