#include "formats/importers/onnx_attributes.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "formats/importers/onnx_tensor.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

using onnx::AttributeProto;

struct AllowedAttribute {
  int type;
  bool required;
};
using AllowedAttributes = std::map<std::string, AllowedAttribute>;

// Attributes that came after libonnx 1.12's last opset (17), and those of operators that it does not know.
constexpr struct {
  const char* op;
  int64_t opset;
  const char* attribute;
  int type;
} kMoreAttributes[] = {
    {"AveragePool", 19, "dilations", AttributeProto::INTS},
    {"Cast", 19, "saturate", AttributeProto::INT},
    {"DequantizeLinear", 21, "block_size", AttributeProto::INT},
    {"FakeQuantize", 1, "auto_broadcast", AttributeProto::STRING},
    {"FakeQuantize", 1, "levels", AttributeProto::INT},
    {"Gelu", 20, "approximate", AttributeProto::STRING},
    {"QuantizeLinear", 19, "saturate", AttributeProto::INT},
    {"QuantizeLinear", 21, "block_size", AttributeProto::INT},
    {"QuantizeLinear", 21, "output_dtype", AttributeProto::INT},
    {"QuantizeLinear", 23, "precision", AttributeProto::INT},
    {"IntQuant", 1, "narrow", AttributeProto::INT},
    {"IntQuant", 1, "rounding_mode", AttributeProto::STRING},
    {"IntQuant", 1, "signed", AttributeProto::INT},
    {"Quant", 1, "narrow", AttributeProto::INT},
    {"Quant", 1, "rounding_mode", AttributeProto::STRING},
    {"Quant", 1, "signed", AttributeProto::INT},
    {"ReduceMax", 18, "noop_with_empty_axes", AttributeProto::INT},
    {"ReduceMean", 18, "noop_with_empty_axes", AttributeProto::INT},
    {"ReduceMin", 18, "noop_with_empty_axes", AttributeProto::INT},
    {"ReduceProd", 18, "noop_with_empty_axes", AttributeProto::INT},
    {"Resize", 18, "antialias", AttributeProto::INT},
    {"Resize", 18, "axes", AttributeProto::INTS},
    {"Resize", 18, "keep_aspect_ratio_policy", AttributeProto::STRING},
    {"Split", 18, "num_outputs", AttributeProto::INT},
};

// An operator that appeared after the file's opset is taken at its first definition.
const onnx::OpSchema* FindSchema(const std::string& op, int64_t opset) {
  const auto* schema = onnx::OpSchemaRegistry::Schema(op, static_cast<int>(opset), "");
  return schema != nullptr ? schema : onnx::OpSchemaRegistry::Schema(op, "");
}

AllowedAttributes AttributesOf(const onnx::NodeProto& proto, int64_t opset) {
  AllowedAttributes allowed;
  const bool is_standard = proto.domain().empty() || proto.domain() == "ai.onnx";
  if (is_standard) {
    if (const onnx::OpSchema* schema = FindSchema(proto.op_type(), opset)) {
      for (const auto& [name, attribute] : schema->attributes()) {
        allowed[name] = {static_cast<int>(attribute.type), attribute.required};
      }
    }
  }
  for (const auto& more : kMoreAttributes) {
    if (proto.op_type() == more.op && opset >= more.opset) allowed[more.attribute] = {more.type, false};
  }
  return allowed;
}

Result<Attribute> ReadAttribute(const AttributeProto& proto, const SourceNode& node, const std::string& folder) {
  switch (proto.type()) {
    case AttributeProto::INT:
      return Attribute(static_cast<int64_t>(proto.i()));
    case AttributeProto::FLOAT:
      return Attribute(proto.f());
    case AttributeProto::STRING:
      return Attribute(proto.s());
    case AttributeProto::INTS:
      return Attribute(std::vector<int64_t>(proto.ints().begin(), proto.ints().end()));
    case AttributeProto::FLOATS:
      return Attribute(std::vector<float>(proto.floats().begin(), proto.floats().end()));
    case AttributeProto::TENSOR: {
      const std::string what =
          "node '" + node.name + "' (" + node.op + "): the tensor of attribute '" + proto.name() + "'";
      BNN_ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(proto.t(), what, folder));
      return Attribute(std::move(tensor));
    }
    default:  // a number of the file, not an enumerator of ours
      return NodeUnsupported(node, "attribute '" + proto.name() + "' has the type " + std::to_string(proto.type()));
  }
}

}  // namespace

Status ReadOnnxAttributes(const onnx::NodeProto& proto, int64_t opset, const std::string& folder, SourceNode* node) {
  const AllowedAttributes allowed = AttributesOf(proto, opset);
  for (const AttributeProto& attribute : proto.attribute()) {
    const auto it = allowed.find(attribute.name());
    if (it == allowed.end()) {
      return NodeUnsupported(*node,
                             "attribute '" + attribute.name() + "' is unknown at opset " + std::to_string(opset));
    }
    if (it->second.type != attribute.type()) {
      return NodeError(*node, "attribute '" + attribute.name() + "' has the type " + std::to_string(attribute.type()) +
                                  ", expected " + std::to_string(it->second.type));
    }
    BNN_ASSIGN_OR_RETURN(Attribute value, ReadAttribute(attribute, *node, folder));
    if (!node->attributes.emplace(attribute.name(), std::move(value)).second) {
      return NodeError(*node, "attribute '" + attribute.name() + "' is given twice");
    }
  }
  for (const auto& [name, rule] : allowed) {
    if (rule.required && node->attributes.count(name) == 0) {
      return NodeError(*node, "attribute '" + name + "' is missing");
    }
  }
  return OkStatus();
}

}  // namespace bnn::formats
