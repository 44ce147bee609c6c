#include "formats/importers/graphdef_node.h"

#include <utility>

namespace bnn::formats {
namespace {

using graphdef::AttrValue;

constexpr int64_t kMaxOutputs = 4096;

const char* CaseName(AttrValue::ValueCase value_case) {
  switch (value_case) {
    case AttrValue::kList:
      return "a list";
    case AttrValue::kS:
      return "a string";
    case AttrValue::kI:
      return "an integer";
    case AttrValue::kF:
      return "a float";
    case AttrValue::kB:
      return "a bool";
    case AttrValue::kType:
      return "a data type";
    case AttrValue::kShape:
      return "a shape";
    case AttrValue::kTensor:
      return "a tensor";
    case AttrValue::kPlaceholder:
      return "left open";
    case AttrValue::kFunc:
      return "a function";
    case AttrValue::VALUE_NOT_SET:
      return "empty";
  }
  return "unknown";
}

// The attribute, of type `expected`; nullptr where it is absent and may be.
Result<const AttrValue*> TypedAttribute(const GraphdefNode& node, const std::string& key, bool may_be_absent,
                                        AttrValue::ValueCase expected) {
  const AttrValue* value = FindGraphdefAttribute(node, key);
  if (value == nullptr && may_be_absent) return value;
  if (value == nullptr) return GraphdefError(node, "attribute '" + key + "' is missing");
  if (value->value_case() == expected) return value;
  return GraphdefError(
      node, "attribute '" + key + "' is " + CaseName(value->value_case()) + ", expected " + CaseName(expected));
}

}  // namespace

Status GraphdefError(const GraphdefNode& node, const std::string& problem) {
  return InvalidModel(node.label + ": " + problem);
}

Status GraphdefUnsupported(const GraphdefNode& node, const std::string& problem) {
  return Unsupported(node.label + ": " + problem);
}

const AttrValue* FindGraphdefAttribute(const GraphdefNode& node, const std::string& key) {
  const auto* attributes = &node.def->attr();
  const GraphdefCall* call = node.call;
  std::string name = key;
  while (true) {
    const auto found = attributes->find(name);
    if (found == attributes->end()) return nullptr;
    if (found->second.value_case() != AttrValue::kPlaceholder || call == nullptr) return &found->second;
    name = found->second.placeholder();
    attributes = call->attributes;
    call = call->outer;
  }
}

Result<int64_t> GraphdefInt(const GraphdefNode& node, const std::string& key, std::optional<int64_t> fallback) {
  BNN_ASSIGN_OR_RETURN(const AttrValue* value, TypedAttribute(node, key, fallback.has_value(), AttrValue::kI));
  return value == nullptr ? *fallback : value->i();
}

Result<float> GraphdefFloat(const GraphdefNode& node, const std::string& key, std::optional<float> fallback) {
  BNN_ASSIGN_OR_RETURN(const AttrValue* value, TypedAttribute(node, key, fallback.has_value(), AttrValue::kF));
  return value == nullptr ? *fallback : value->f();
}

Result<bool> GraphdefBool(const GraphdefNode& node, const std::string& key, std::optional<bool> fallback) {
  BNN_ASSIGN_OR_RETURN(const AttrValue* value, TypedAttribute(node, key, fallback.has_value(), AttrValue::kB));
  return value == nullptr ? *fallback : value->b();
}

Result<int32_t> GraphdefType(const GraphdefNode& node, const std::string& key, std::optional<int32_t> fallback) {
  BNN_ASSIGN_OR_RETURN(const AttrValue* value, TypedAttribute(node, key, fallback.has_value(), AttrValue::kType));
  return value == nullptr ? *fallback : value->type();
}

Result<std::string> GraphdefString(const GraphdefNode& node, const std::string& key) {
  BNN_ASSIGN_OR_RETURN(const AttrValue* value, TypedAttribute(node, key, false, AttrValue::kS));
  return value->s();
}

Result<std::vector<int64_t>> GraphdefInts(const GraphdefNode& node, const std::string& key,
                                          std::optional<std::vector<int64_t>> fallback) {
  BNN_ASSIGN_OR_RETURN(const AttrValue* value, TypedAttribute(node, key, fallback.has_value(), AttrValue::kList));
  if (value == nullptr) return *std::move(fallback);
  return std::vector<int64_t>(value->list().i().begin(), value->list().i().end());
}

Result<int64_t> CountGraphdefOutputs(const GraphdefNode& node) {
  const char* key = node.op() == "Split" || node.op() == "SplitV" ? "num_split" : node.op() == "Unpack" ? "num" : "";
  if (*key == '\0') return int64_t{1};
  BNN_ASSIGN_OR_RETURN(const int64_t count, GraphdefInt(node, key));
  if (count >= 1 && count <= kMaxOutputs) return count;
  return GraphdefError(node, std::string("attribute '") + key + "' is " + std::to_string(count) + ", expected 1 to " +
                                 std::to_string(kMaxOutputs));
}

}  // namespace bnn::formats
