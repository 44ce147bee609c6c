// NNCF's configuration: what is accepted, and how each mistake is named.
#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "formats/binarize/nncf_config.h"
#include "tests/test_support.h"

namespace bnn::formats {
namespace {

// The kind of file that NNCF's documentation shows, with its comments and its comma before a closing bracket.
constexpr const char* kDocumented = R"({
  "model": "resnet18", "epochs": 90,
  "input_info": {"sample_size": [1, 3, 224, 224]},  // one image
  "compression": [{
    "algorithm": "binarization",
    "mode": "dorefa", /* or xnor */
    "params": {"batch_multiplier": 1, "activations_quant_start_epoch": 10, "weights_quant_start_epoch": 30,
               "lr_poly_drop_start_epoch": 60, "lr_poly_drop_duration_epochs": 30, "disable_wd_start_epoch": 60},
    // Scopes.
    "ignored_scopes": ["ResNet/Linear[fc]", "{re}ResNet/Conv2d\\[conv1\\].*"],
    // "target_scopes": [],
  }],
})";

Result<NncfConfig> Parse(const std::string& text) { return ParseNncfConfig(text, "config.json"); }

Result<NncfConfig> ParseCompression(const std::string& keys) {
  return Parse(R"({"compression": {"algorithm": "binarization", )" + keys + "}}");
}

std::string ErrorOf(const Result<NncfConfig>& config) { return config.ok() ? "" : config.status().message(); }

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("the documented configuration") {
  const Result<NncfConfig> config = Parse(kDocumented);
  REQUIRE_MESSAGE(config.ok(), ErrorOf(config));
  CHECK(config->mode == NncfMode::kDorefa);
  CHECK(config->ignored_scopes == std::vector<std::string>{"ResNet/Linear[fc]", "{re}ResNet/Conv2d\\[conv1\\].*"});
  CHECK(!config->target_scopes.has_value());
  CHECK(config->training_keys == std::vector<std::string>{"epochs", "input_info", "model", "compression.params"});
}

TEST_CASE("compression as an object, one scope as a string, the default mode") {
  const Result<NncfConfig> config = ParseCompression(R"("target_scopes": "a//b,]/*c*/")");
  REQUIRE_MESSAGE(config.ok(), ErrorOf(config));
  CHECK(config->mode == NncfMode::kXnor);
  REQUIRE(config->target_scopes.has_value());
  CHECK(*config->target_scopes == std::vector<std::string>{"a//b,]/*c*/"});
  CHECK(config->validate_scopes);
  const Result<NncfConfig> lax = ParseCompression(
      R"("validate_scopes": false, "initializer": {"batchnorm_adaptation": {"num_bn_adaptation_samples": 2048}})");
  REQUIRE_MESSAGE(lax.ok(), ErrorOf(lax));
  CHECK(!lax->validate_scopes);
  CHECK(lax->training_keys == std::vector<std::string>{"compression.initializer"});
  const Result<NncfConfig> none = ParseCompression(R"("target_scopes": [])");
  REQUIRE(none.ok());
  CHECK(none->target_scopes.has_value());
  CHECK(none->target_scopes->empty());
}

TEST_CASE("mistakes are named by their key") {
  const std::pair<const char*, const char*> whole[] = {
      {"{", "parse error"},
      {"{\n \"compression\": }", "line 2"},
      {"[]", "expected an object, found array"},
      {"{}", "'compression' is missing"},
      {R"({"compresion": {}})", "unknown key 'compresion'"},
      {R"({"compression": 3})", "'compression': expected an object or a list of objects, found number"},
      {R"({"compression": []})", "expected one algorithm, found 0"},
      {R"({"compression": [3]})", "'compression[0]': expected an object"},
      {R"({"compression": {"mode": "xnor"}})", "'compression.algorithm'"},
      {R"({"compression": {"algorithm": "quantization"}})", "found \"quantization\""},
      {R"({"compression": {"algorithm": 1}})", "'compression.algorithm': expected a string, found number"},
      {R"({"input_info": 1, "compression": {"algorithm": "binarization"}})", "'input_info'"},
      {R"({"input_info": {"size": 1}, "compression": {"algorithm": "binarization"}})", "'input_info.size'"},
      {R"({"input_info": {"sample_size": [0]}, "compression": {"algorithm": "binarization"}})",
       "'input_info.sample_size'"},
      {R"({"input_info": [{"sample_size": [1]}, 2], "compression": {"algorithm": "binarization"}})", "'input_info'"},
  };
  for (const auto& mistake : whole) {
    const std::string text = mistake.first, message = mistake.second;
    CAPTURE(text);
    CHECK_MESSAGE(Contains(ErrorOf(Parse(text)), message), ErrorOf(Parse(text)));
    CHECK(Contains(ErrorOf(Parse(text)), "config.json: "));
  }
  const std::pair<const char*, const char*> keys[] = {
      {R"("bits": 1)", "unknown key 'compression.bits'"},
      {R"("mode": "ternary")", "'compression.mode': expected \"xnor\" or \"dorefa\", found \"ternary\""},
      {R"("mode": 1)", "'compression.mode': expected a string, found number"},
      {R"("mode": "xnor", "mode": "xnor")", "the key 'mode' occurs twice"},
      {R"("ignored_scopes": [1])", "'compression.ignored_scopes': expected a string or a list of strings"},
      {R"("target_scopes": {})", "'compression.target_scopes'"},
      {R"("initializer": 1)", "'compression.initializer'"},
      {R"("initializer": {"rang": {}})", "unknown key 'compression.initializer.rang'"},
      {R"("validate_scopes": 1)", "'compression.validate_scopes': expected true or false, found number"},
      {R"("params": [])", "'compression.params': expected an object, found array"},
      {R"("params": {"lr": 1})", "unknown key 'compression.params.lr'"},
      {R"("params": {"base_lr": "1e-3"})", "'compression.params.base_lr': expected a number, found string"},
      {R"("params": {"base_lr": -1})", "'compression.params.base_lr': expected a number from 0"},
      {R"("params": {"batch_multiplier": 0})",
       "'compression.params.batch_multiplier': expected a whole number above 0"},
      {R"("params": {"weights_quant_start_epoch": 1.5})", "expected a whole number from 0, found 1.5"},
  };
  for (const auto& mistake : keys) {
    const std::string text = mistake.first, message = mistake.second;
    CAPTURE(text);
    CHECK_MESSAGE(Contains(ErrorOf(ParseCompression(text)), message), ErrorOf(ParseCompression(text)));
  }
}

TEST_CASE("hostile files end in errors") {
  CHECK(Contains(ErrorOf(Parse(std::string(100000, '['))), "nested deeper"));
  CHECK(Contains(ErrorOf(Parse(std::string((size_t{1} << 20) + 1, ' '))), "is no configuration"));
  CHECK(!ErrorOf(Parse("")).empty());
  CHECK(!ErrorOf(Parse("{\"\\")).empty());
  CHECK(!ErrorOf(Parse("/*")).empty());
  CHECK(!ErrorOf(Parse("{\"a\xff\": 1}")).empty());
  // Every beginning of a good file is read without harm, and none of them is good.
  const std::string text = kDocumented;
  for (size_t length = 0; length + 1 < text.size(); ++length) CHECK(!ErrorOf(Parse(text.substr(0, length))).empty());
}

TEST_CASE("files") {
  const std::string path = test::ScratchDir() + "/nncf_config.json";
  std::ofstream(path) << kDocumented;
  CHECK(ReadNncfConfig(path).ok());
  const Result<NncfConfig> missing = ReadNncfConfig(path + ".none");
  REQUIRE(!missing.ok());
  CHECK(Contains(missing.status().message(), "nncf_config.json.none"));
}

}  // namespace
}  // namespace bnn::formats
