#include <algorithm>
#include <utility>

#include "formats/importers/openvino_operators.h"
#include "formats/importers/openvino_text.h"

namespace bnn::formats {
namespace {

Status WrongText(const IrNode& node, const std::string& key, const char* expected) {
  return node.Error("attribute '" + key + "' is '" + node.layer.data.at(key) + "', expected " + expected);
}

}  // namespace

Result<std::string> IrNode::Text(const std::string& key) const {
  const auto it = layer.data.find(key);
  if (it == layer.data.end()) return Error("attribute '" + key + "' is missing");
  return it->second;
}

Result<int64_t> IrNode::Int(const std::string& key, std::optional<int64_t> fallback) const {
  if (!Has(key) && fallback.has_value()) return *fallback;
  BNN_ASSIGN_OR_RETURN(const std::string text, Text(key));
  const std::optional<int64_t> value = ParseIrInteger(text);
  if (!value) return WrongText(*this, key, "an integer");
  return *value;
}

Result<float> IrNode::Float(const std::string& key, std::optional<float> fallback) const {
  if (!Has(key) && fallback.has_value()) return *fallback;
  BNN_ASSIGN_OR_RETURN(const std::string text, Text(key));
  const std::optional<float> value = ParseIrFloat(text);
  if (!value) return WrongText(*this, key, "a number");
  return *value;
}

Result<bool> IrNode::Bool(const std::string& key, std::optional<bool> fallback) const {
  if (!Has(key) && fallback.has_value()) return *fallback;
  BNN_ASSIGN_OR_RETURN(const std::string text, Text(key));
  const std::optional<bool> value = ParseIrBool(text);
  if (!value) return WrongText(*this, key, "true or false");
  return *value;
}

Result<std::vector<int64_t>> IrNode::Ints(const std::string& key, std::optional<std::vector<int64_t>> fallback) const {
  if (!Has(key) && fallback.has_value()) return *std::move(fallback);
  BNN_ASSIGN_OR_RETURN(const std::string text, Text(key));
  std::optional<std::vector<int64_t>> values = ParseIrIntegers(text);
  if (!values) return WrongText(*this, key, "integers");
  return *std::move(values);
}

Result<std::vector<float>> IrNode::Floats(const std::string& key, std::optional<std::vector<float>> fallback) const {
  if (!Has(key) && fallback.has_value()) return *std::move(fallback);
  BNN_ASSIGN_OR_RETURN(const std::string text, Text(key));
  std::optional<std::vector<float>> values = ParseIrFloats(text);
  if (!values) return WrongText(*this, key, "numbers");
  return *std::move(values);
}

Result<std::string> IrNode::Word(const std::string& key, const std::vector<std::string>& words,
                                 std::optional<std::string> fallback) const {
  if (!Has(key) && fallback.has_value()) return *std::move(fallback);
  BNN_ASSIGN_OR_RETURN(const std::string text, Text(key));
  std::string known;
  for (const std::string& word : words) {
    if (EqualIgnoringCase(Trimmed(text), word)) return word;
    known += (known.empty() ? "" : ", ") + word;
  }
  return NotSupported("attribute '" + key + "' is '" + text + "'; supported: " + known);
}

Result<std::vector<int64_t>> IrNode::KnownInts(size_t input) const {
  const Tensor* known = builder->FindKnown(inputs[input]);
  if (known == nullptr)
    return NotSupported("input " + std::to_string(input) + " must be known before the network runs");
  if (known->type != DType::kInt64) {
    return Error("input " + std::to_string(input) + " is " + DTypeName(known->type) + ", expected integers");
  }
  return known->integers;
}

Result<std::vector<float>> IrNode::KnownFloats(size_t input) const {
  const Tensor* known = builder->FindKnown(inputs[input]);
  if (known == nullptr)
    return NotSupported("input " + std::to_string(input) + " must be known before the network runs");
  if (known->type != DType::kFloat32) {
    return Error("input " + std::to_string(input) + " is " + DTypeName(known->type) + ", expected floats");
  }
  return known->floats;
}

Result<std::string> IrNode::Step(const std::string& step, const std::vector<std::string>& step_inputs,
                                 const AttributeMap& attributes) const {
  SourceNode node;
  node.name = layer.name + "/" + step;
  node.op = step;
  node.inputs = step_inputs;
  node.outputs = {builder->NewValueName(node.name)};
  node.attributes = attributes;
  std::string output = node.outputs[0];
  BNN_RETURN_IF_ERROR(builder->Emit(std::move(node)));
  return output;
}

Status IrNode::Finish(const std::string& last, const std::vector<std::string>& last_inputs,
                      const AttributeMap& attributes, size_t count) const {
  if (count > outputs.size()) {
    return Error("has " + std::to_string(outputs.size()) + " output ports, expected " + std::to_string(count));
  }
  SourceNode node;
  node.name = layer.name;
  node.op = last;
  node.inputs = last_inputs;
  node.outputs.assign(outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(count));
  node.attributes = attributes;
  return builder->Emit(std::move(node));
}

std::string IrNode::Constant(const std::string& hint, Tensor tensor) const {
  return builder->AddConstant(layer.name + "/" + hint, std::move(tensor));
}

std::string IrNode::IntsConstant(const std::string& hint, std::vector<int64_t> values) const {
  return Constant(hint, IntList(std::move(values)));
}

}  // namespace bnn::formats
