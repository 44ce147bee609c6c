#include "formats/binarize/nncf_config.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

#include "formats/importers/source_file.h"

namespace bnn::formats {
namespace {

using nlohmann::json;

constexpr size_t kMaxFileBytes = size_t{1} << 20;
constexpr int kMaxDepth = 32;

// What a key may hold.
enum class Kind : uint8_t { kAny, kObject, kString, kStrings, kNumber, kBool };

struct Key {
  const char* name;
  Kind kind;
};

// Of the file itself: NNCF's, then those of the training scripts that came with it and read the same file.
constexpr Key kTopKeys[] = {
    {"input_info", Kind::kAny},
    {"compression", Kind::kAny},
    {"target_device", Kind::kString},
    {"accuracy_aware_training", Kind::kObject},
    {"compression_lr_multiplier", Kind::kNumber},
    {"disable_shape_matching", Kind::kBool},
    {"log_dir", Kind::kString},
    {"model", Kind::kString},
    {"model_params", Kind::kAny},
    {"pretrained", Kind::kBool},
    {"weights", Kind::kAny},
    {"num_classes", Kind::kNumber},
    {"dataset", Kind::kAny},
    {"dataset_dir", Kind::kAny},
    {"batch_size", Kind::kNumber},
    {"batch_size_per_gpu", Kind::kNumber},
    {"epochs", Kind::kNumber},
    {"workers", Kind::kNumber},
    {"optimizer", Kind::kAny},
    {"seed", Kind::kNumber},
    {"print_freq", Kind::kNumber},
    {"save_freq", Kind::kNumber},
    {"test_every_n_epochs", Kind::kNumber},
    {"checkpoint_save_dir", Kind::kAny},
    {"multiprocessing_distributed", Kind::kBool},
    {"no_strip_on_export", Kind::kBool},
    {"criterion", Kind::kAny},
    {"criterion_params", Kind::kAny},
};

constexpr Key kCompressionKeys[] = {
    {"algorithm", Kind::kString},       {"mode", Kind::kString},
    {"params", Kind::kObject},          {"initializer", Kind::kObject},
    {"ignored_scopes", Kind::kStrings}, {"target_scopes", Kind::kStrings},
    {"validate_scopes", Kind::kBool},   {"compression_lr_multiplier", Kind::kNumber},
};

constexpr Key kInitializerKeys[] = {
    {"batchnorm_adaptation", Kind::kObject}, {"range", Kind::kAny}, {"precision", Kind::kObject}};

constexpr Key kParamsKeys[] = {
    {"batch_multiplier", Kind::kNumber},
    {"activations_quant_start_epoch", Kind::kNumber},
    {"weights_quant_start_epoch", Kind::kNumber},
    {"lr_poly_drop_start_epoch", Kind::kNumber},
    {"lr_poly_drop_duration_epochs", Kind::kNumber},
    {"disable_wd_start_epoch", Kind::kNumber},
    {"base_lr", Kind::kNumber},
    {"base_wd", Kind::kNumber},
};

// Comments and commas before a closing bracket become spaces, so that positions in messages stay right.
std::string BlankComments(const std::string& text) {
  std::string out = text;
  size_t comma = std::string::npos;  // a comma after which only space has come
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
      ++at;
      comma = std::string::npos;
      continue;
    }
    const bool line = text.compare(at, 2, "//") == 0;
    if (line || text.compare(at, 2, "/*") == 0) {
      size_t end = text.find(line ? "\n" : "*/", at + 2);
      end = end == std::string::npos ? text.size() : end + (line ? 0 : 2);
      std::replace_if(
          out.begin() + static_cast<std::ptrdiff_t>(at), out.begin() + static_cast<std::ptrdiff_t>(end),
          [](char c) { return c != '\n'; }, ' ');
      at = end;
      continue;
    }
    if ((text[at] == ']' || text[at] == '}') && comma != std::string::npos) out[comma] = ' ';
    if (std::strchr(" \t\r\n", text[at]) == nullptr) comma = text[at] == ',' ? at : std::string::npos;
    ++at;
  }
  return out;
}

// The tree of the text. Keys that occur twice and deep nesting are refused while it is built.
Result<json> ParseJson(const std::string& text) {
  std::vector<std::set<std::string>> open;  // keys of the objects around the current place
  std::string problem;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth && problem.empty()) problem = "nested deeper than " + std::to_string(kMaxDepth) + " levels";
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end && !open.empty()) open.pop_back();
    if (event == json::parse_event_t::key && !open.empty()) {
      const auto key = parsed.get<std::string>();
      if (!open.back().insert(key).second && problem.empty()) problem = "the key '" + key + "' occurs twice";
    }
    return problem.empty();
  };
  try {
    json tree = json::parse(BlankComments(text), check);
    if (!problem.empty()) return InvalidArgument(problem);
    return tree;
  } catch (const json::exception& error) {
    return InvalidArgument(problem.empty() ? error.what() : problem);
  }
}

bool IsKind(const json& value, Kind kind) {
  switch (kind) {
    case Kind::kAny:
      return true;
    case Kind::kObject:
      return value.is_object();
    case Kind::kString:
      return value.is_string();
    case Kind::kStrings:
      return value.is_string() || (value.is_array() && std::all_of(value.begin(), value.end(),
                                                                   [](const json& item) { return item.is_string(); }));
    case Kind::kNumber:
      return value.is_number();
    case Kind::kBool:
      return value.is_boolean();
  }
  return false;
}

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kAny:
      return "any value";
    case Kind::kObject:
      return "an object";
    case Kind::kString:
      return "a string";
    case Kind::kStrings:
      return "a string or a list of strings";
    case Kind::kNumber:
      return "a number";
    case Kind::kBool:
      return "true or false";
  }
  return "?";
}

Status WrongType(const std::string& key, const std::string& expected, const json& value) {
  return InvalidArgument("'" + key + "': expected " + expected + ", found " + value.type_name());
}

Status CheckKeys(const json& object, std::span<const Key> known, const std::string& prefix) {
  for (const auto& [name, value] : object.items()) {
    const auto key = std::find_if(known.begin(), known.end(), [&name = name](const Key& k) { return name == k.name; });
    if (key == known.end()) return InvalidArgument("unknown key '" + prefix + name + "'");
    if (!IsKind(value, key->kind)) return WrongType(prefix + name, KindName(key->kind), value);
  }
  return OkStatus();
}

Status CheckInputInfo(const json& info) {
  static constexpr Key kKeys[] = {
      {"sample_size", Kind::kAny}, {"type", Kind::kString}, {"filler", Kind::kString}, {"keyword", Kind::kString}};
  const json inputs = info.is_array() ? info : json::array({info});
  for (const json& input : inputs) {
    if (!input.is_object()) return WrongType("input_info", "an object or a list of objects", info);
    BNN_RETURN_IF_ERROR(CheckKeys(input, kKeys, "input_info."));
    const json shape = input.value("sample_size", json());
    const bool good = shape.is_array() && std::all_of(shape.begin(), shape.end(), [](const json& dim) {
                        return dim.is_number_unsigned() && dim.get<uint64_t>() > 0;
                      });
    if (!good) return WrongType("input_info.sample_size", "a list of positive whole numbers", shape);
  }
  return OkStatus();
}

// They concern training only, but a wrong one means that the file is not what its user takes it for.
Status CheckParams(const json& params) {
  const std::string prefix = "compression.params.";
  BNN_RETURN_IF_ERROR(CheckKeys(params, kParamsKeys, prefix));
  for (const auto& [name, value] : params.items()) {
    const auto number = value.get<double>();
    const bool whole = name == "batch_multiplier" || name.ends_with("_quant_start_epoch");
    const bool positive = name == "batch_multiplier" || name == "lr_poly_drop_duration_epochs";
    if ((whole && number != std::floor(number)) || number < 0 || (positive && number == 0)) {
      return InvalidArgument("'" + prefix + name + "': expected a " + (whole ? "whole " : "") + "number " +
                             (positive ? "above 0" : "from 0") + ", found " + value.dump());
    }
  }
  return OkStatus();
}

std::vector<std::string> Strings(const json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  return value.get<std::vector<std::string>>();
}

Result<json> OnlyAlgorithm(const json& tree) {
  if (!tree.contains("compression")) return InvalidArgument("'compression' is missing");
  const json& value = tree["compression"];
  if (!value.is_object() && !value.is_array()) {
    return WrongType("compression", "an object or a list of objects", value);
  }
  if (value.is_object()) return value;
  if (value.size() != 1) {
    return InvalidArgument("'compression': expected one algorithm, found " + std::to_string(value.size()));
  }
  if (!value[0].is_object()) return WrongType("compression[0]", "an object", value[0]);
  return value[0];
}

Result<NncfConfig> ReadTree(const json& tree) {
  if (!tree.is_object()) return WrongType("", "an object", tree);
  BNN_RETURN_IF_ERROR(CheckKeys(tree, kTopKeys, ""));
  if (tree.contains("input_info")) BNN_RETURN_IF_ERROR(CheckInputInfo(tree["input_info"]));
  BNN_ASSIGN_OR_RETURN(const json algorithm, OnlyAlgorithm(tree));
  BNN_RETURN_IF_ERROR(CheckKeys(algorithm, kCompressionKeys, "compression."));
  const std::string name = algorithm.value("algorithm", "");
  if (name != "binarization") {
    return InvalidArgument("'compression.algorithm': expected \"binarization\", found \"" + name + "\"");
  }
  NncfConfig config;
  const std::string mode = algorithm.value("mode", "xnor");
  if (mode != "xnor" && mode != "dorefa") {
    return InvalidArgument("'compression.mode': expected \"xnor\" or \"dorefa\", found \"" + mode + "\"");
  }
  config.mode = mode == "xnor" ? NncfMode::kXnor : NncfMode::kDorefa;
  if (algorithm.contains("params")) BNN_RETURN_IF_ERROR(CheckParams(algorithm["params"]));
  if (algorithm.contains("initializer")) {
    BNN_RETURN_IF_ERROR(CheckKeys(algorithm["initializer"], kInitializerKeys, "compression.initializer."));
  }
  config.validate_scopes = algorithm.value("validate_scopes", true);
  if (algorithm.contains("ignored_scopes")) config.ignored_scopes = Strings(algorithm["ignored_scopes"]);
  if (algorithm.contains("target_scopes")) config.target_scopes = Strings(algorithm["target_scopes"]);
  for (const auto& item : tree.items()) {
    if (item.key() != "compression") config.training_keys.push_back(item.key());
  }
  for (const char* key : {"params", "initializer", "compression_lr_multiplier"}) {
    if (algorithm.contains(key)) config.training_keys.push_back(std::string("compression.") + key);
  }
  return config;
}

}  // namespace

Result<NncfConfig> ParseNncfConfig(const std::string& text, const std::string& file) {
  if (text.size() > kMaxFileBytes) {
    return InvalidArgument(file + ": more than " + std::to_string(kMaxFileBytes) + " bytes is no configuration");
  }
  const Result<json> tree = ParseJson(text);
  if (!tree.ok()) return InvalidArgument(file + ": " + tree.status().message());
  Result<NncfConfig> config = ReadTree(*tree);
  if (!config.ok()) return InvalidArgument(file + ": " + config.status().message());
  return config;
}

Result<NncfConfig> ReadNncfConfig(const std::string& path) {
  BNN_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path, kMaxFileBytes));
  return ParseNncfConfig(text, path);
}

}  // namespace bnn::formats
