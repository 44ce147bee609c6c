// Broken and hostile .tflite files: each is refused with an error that names the file, the operator or tensor, the
// field, what it holds and what was expected.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "formats/importers/tflite_importer.h"
#include "tests/formats/tflite_file.h"

namespace bnn::formats {
namespace {

using test::FlexMap;
using test::OnnxCase;
using test::TfliteFile;

std::string BytesOf(const std::string& cases, const std::string& name) {
  for (const OnnxCase& one : test::ReadTfliteCases(cases)) {
    if (one.name == name) return one.model;
  }
  throw std::runtime_error("no case " + name);
}

TfliteFile LceFile() { return TfliteFile(BytesOf("tflite_lce", "bconv_3s1_6_same_one")); }
TfliteFile ConvFile() { return TfliteFile(BytesOf("tflite_builtin", "conv_valid_bias_relu")); }

void CheckRefused(const std::string& bytes, StatusCode code, const std::vector<std::string>& parts) {
  const auto result = ImportTfliteBytes(bytes, "test.tflite", {});
  REQUIRE(!result.ok());
  const std::string& message = result.status().message();
  CAPTURE(message);
  CHECK(result.status().code() == code);
  CHECK(message.starts_with("test.tflite: "));
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
}

constexpr StatusCode kInvalid = StatusCode::kInvalidModel;
constexpr StatusCode kMissing = StatusCode::kUnsupported;

TEST_CASE("files taken apart and put together again import as before") {
  CHECK(ImportTfliteBytes(LceFile().Bytes(), "test.tflite", {}).ok());
  CHECK(ImportTfliteBytes(ConvFile().Bytes(), "test.tflite", {}).ok());
}

TEST_CASE("a file that ends early is refused or read without harm") {
  for (const char* name : {"tflite_lce", "tflite_builtin"}) {
    for (const OnnxCase& one : test::ReadTfliteCases(name)) {
      for (size_t length = 0; length < one.model.size(); length += 64) {
        const auto result = ImportTfliteBytes(one.model.substr(0, length), "test.tflite", {});
        CHECK(!result.ok());
      }
    }
  }
}

TEST_CASE("bytes at an odd address are read as well") {
  const std::string bytes = " " + LceFile().Bytes();
  CHECK(ImportTfliteBytes(std::string_view(bytes).substr(1), "test.tflite", {}).ok());
}

TEST_CASE("no file at all") {
  CheckRefused("", kInvalid, {"identifier TFL3"});
  CheckRefused(std::string(64, '\0'), kInvalid, {"identifier TFL3"});
  std::string hostile = LceFile().Bytes();
  hostile.replace(0, 4, "\xff\xff\xff\x7f");
  CheckRefused(hostile, kInvalid, {"is damaged"});
}

TEST_CASE("the model") {
  TfliteFile file = ConvFile();
  file.model->version = 2;
  CheckRefused(file.Bytes(), kMissing, {"version is 2, expected 3"});
  file = ConvFile();
  file.model->subgraphs.push_back(std::make_unique<test::tflite::SubGraphT>());
  CheckRefused(file.Bytes(), kMissing, {"subgraphs has 2 elements, expected 1"});
  file = ConvFile();
  file.graph().outputs.clear();
  CheckRefused(file.Bytes(), kInvalid, {"no output"});
  file = ConvFile();
  file.graph().inputs[0] = 1000;
  CheckRefused(file.Bytes(), kInvalid, {"input 0 of the subgraph is tensor 1000"});
}

TEST_CASE("operators that are not supported are all listed, with their number") {
  TfliteFile file = LceFile();
  for (auto& code : file.model->operator_codes) {
    if (code->custom_code == "LceQuantize") code->custom_code = "LceUnknown";
    if (code->custom_code == "LceBconv2d") {
      code->builtin_code = 119;
      code->deprecated_builtin_code = 119;
    }
  }
  CheckRefused(file.Bytes(), kMissing, {"custom operator 'LceUnknown': 1", "builtin operator 119: 1"});
}

TEST_CASE("indices of operators") {
  TfliteFile file = ConvFile();
  file.graph().operators[0]->opcode_index = 77;
  CheckRefused(file.Bytes(), kInvalid, {"operator 0: field opcode_index is 77"});
  file = ConvFile();
  file.graph().operators[0]->inputs[1] = 1000;
  CheckRefused(file.Bytes(), kInvalid, {"operator 0: input 1 is tensor 1000"});
  file = ConvFile();
  file.graph().operators[0]->inputs[0] = file.graph().operators[0]->outputs[0];
  CheckRefused(file.Bytes(), kInvalid,
               {"operator 0: input 0", "which no input, constant or earlier operator provides"});
  file = ConvFile();
  file.graph().operators[0]->inputs[0] = -1;
  CheckRefused(file.Bytes(), kInvalid, {"operator 0 (CONV_2D)", "input 0 is absent"});
  file = ConvFile();
  file.graph().operators[0]->outputs[0] = file.graph().inputs[0];
  CheckRefused(file.Bytes(), kInvalid, {"operator 0: output 0", "something else provides"});
}

TEST_CASE("tensors") {
  TfliteFile file = ConvFile();
  const int weights = file.graph().operators[0]->inputs[1];
  file.tensor(weights).shape[0] = 1 << 20;
  CheckRefused(file.Bytes(), kInvalid, {"tensor " + std::to_string(weights), "bytes, expected"});
  file.tensor(weights).shape[0] = -4;
  CheckRefused(file.Bytes(), kMissing, {"expected dims of at least 1"});
  file = ConvFile();
  file.tensor(weights).buffer = 500;
  CheckRefused(file.Bytes(), kInvalid, {"field buffer is 500"});
  file = ConvFile();
  file.model->buffers[file.tensor(weights).buffer]->offset = 4096;
  CheckRefused(file.Bytes(), kMissing, {"lies outside the flatbuffer"});
  file = ConvFile();
  file.tensor(weights).type = 7;
  CheckRefused(file.Bytes(), kMissing, {"field type is 7"});
  file = ConvFile();
  file.tensor(weights).quantization = std::make_unique<test::tflite::QuantizationParametersT>();
  file.tensor(weights).quantization->scale = {1, 2};
  CheckRefused(file.Bytes(), kInvalid, {"field scale has 2 elements"});
  file.tensor(weights).quantization->scale = {0};
  CheckRefused(file.Bytes(), kInvalid, {"field scale is 0"});
  file = ConvFile();
  file.tensor(file.graph().operators[0]->outputs[0]).shape[1] += 1;
  CheckRefused(file.Bytes(), kInvalid, {"operator 0 (CONV_2D)", "field shape of its output is"});
}

TEST_CASE("options of builtin operators") {
  TfliteFile file = ConvFile();
  file.graph().operators[0]->builtin_options.Reset();
  CheckRefused(file.Bytes(), kInvalid, {"operator 0 (CONV_2D)", "builtin_options is of type 0, expected 1"});
  const auto conv = [](const TfliteFile& f) { return f.graph().operators[0]->builtin_options.AsConv2DOptions(); };
  file = ConvFile();
  conv(file)->padding = 3;
  CheckRefused(file.Bytes(), kInvalid, {"field padding is 3"});
  file = ConvFile();
  conv(file)->stride_w = 0;
  CheckRefused(file.Bytes(), kInvalid, {"field stride width is 0"});
  file = ConvFile();
  conv(file)->fused_activation_function = 5;
  CheckRefused(file.Bytes(), kMissing, {"fused_activation_function is 5"});
}

// The options of LceBconv2d with one of them changed.
std::string WithLceOption(const std::string& key, int64_t value) {
  TfliteFile file = LceFile();
  std::vector<std::pair<std::string, int64_t>> options = {{"channels_in", 8},
                                                          {"dilation_height_factor", 1},
                                                          {"dilation_width_factor", 1},
                                                          {"fused_activation_function", 0},
                                                          {"pad_values", 1},
                                                          {"padding", 0},
                                                          {"stride_height", 1},
                                                          {"stride_width", 1}};
  for (auto& [name, number] : options) {
    if (name == key) number = value;
  }
  file.Custom("LceBconv2d").custom_options = FlexMap(options);
  return file.Bytes();
}

TEST_CASE("options of LceBconv2d") {
  CHECK(ImportTfliteBytes(WithLceOption("", 0), "test.tflite", {}).ok());
  CheckRefused(WithLceOption("channels_in", 9), kInvalid, {"(LceBconv2d)", "channels_in is 9, its input has 8"});
  CheckRefused(WithLceOption("padding", 3), kInvalid, {"option padding is 3"});
  CheckRefused(WithLceOption("padding", 2), kInvalid, {"option padding is 2", "does not give its output"});
  CheckRefused(WithLceOption("pad_values", 2), kInvalid, {"option pad_values is 2, expected 0 or 1"});
  CheckRefused(WithLceOption("stride_height", 0), kInvalid, {"field stride height is 0"});
  CheckRefused(WithLceOption("dilation_width_factor", INT64_MAX), kInvalid, {"field dilation width"});
  CheckRefused(WithLceOption("fused_activation_function", 9), kMissing, {"fused_activation_function is 9"});
  TfliteFile file = LceFile();
  file.Custom("LceBconv2d").custom_options = FlexMap({{"channels_in", 8}});
  CheckRefused(file.Bytes(), kInvalid, {"option stride_height is absent"});
  file.Custom("LceBconv2d").custom_options = {1, 2, 3};
  CheckRefused(file.Bytes(), kInvalid, {"custom_options is no"});
  file.Custom("LceBconv2d").custom_options.clear();
  CheckRefused(file.Bytes(), kInvalid, {"custom_options is no sound FlexBuffer"});
}

TEST_CASE("packed tensors stay between Lce operators") {
  TfliteFile file = LceFile();
  file.graph().outputs = {file.Custom("LceQuantize").outputs[0]};
  CheckRefused(file.Bytes(), kMissing, {"holds packed bits"});
}

}  // namespace
}  // namespace bnn::formats
