#include "formats/source_graph.h"

#include <cstdio>
#include <set>

namespace bnn::formats {
namespace {

template <typename T>
const T* FindAttribute(const SourceNode& node, const std::string& key) {
  const auto it = node.attributes.find(key);
  return it == node.attributes.end() ? nullptr : std::get_if<T>(&it->second);
}

std::string NumberList(const std::vector<int64_t>& values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) text += (i > 0 ? "," : "") + std::to_string(values[i]);
  return text + "]";
}

std::string NumberList(const std::vector<float>& values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    char number[32];
    std::snprintf(number, sizeof(number), "%s%.9g", i > 0 ? "," : "", static_cast<double>(values[i]));
    text += number;
  }
  return text + "]";
}

std::string AttributeToString(const Attribute& attribute) {
  struct Printer {
    std::string operator()(int64_t value) const { return std::to_string(value); }
    std::string operator()(float value) const { return std::to_string(value); }
    std::string operator()(const std::string& value) const { return '"' + value + '"'; }
    std::string operator()(const std::vector<int64_t>& values) const { return NumberList(values); }
    std::string operator()(const std::vector<float>& values) const { return std::to_string(values.size()) + " floats"; }
    std::string operator()(const Tensor& value) const { return DTypeName(value.type) + DimsToString(value.dims); }
  };
  return std::visit(Printer{}, attribute);
}

std::string ValueToString(const SourceGraph& graph, const std::string& name) {
  const ValueInfo* info = graph.FindValue(name);
  return name + (info == nullptr ? ":?" : std::string(":") + DTypeName(info->type) + DimsToString(info->dims));
}

Status CheckConstant(const SourceGraph& graph, const std::string& name, const Tensor& tensor) {
  const bool is_float = tensor.type == DType::kFloat32;
  const size_t held = is_float ? tensor.floats.size() : tensor.integers.size();
  if (CountElements(tensor.dims) != static_cast<int64_t>(held)) {
    return InvalidModel(graph.file + ": constant '" + name + "' has dims " + DimsToString(tensor.dims) + " but " +
                        std::to_string(held) + " elements");
  }
  const ValueInfo* info = graph.FindValue(name);
  if (info != nullptr && (info->dims != tensor.dims || info->type != tensor.type)) {
    return InvalidModel(graph.file + ": constant '" + name + "' is " + DTypeName(tensor.type) +
                        DimsToString(tensor.dims) + ", its value info says " + ValueToString(graph, name));
  }
  return OkStatus();
}

Status CheckNode(const SourceGraph& graph, const SourceNode& node, std::set<std::string>* defined) {
  const std::string where = graph.file + ": node '" + node.name + "' (" + node.op + ")";
  for (const std::string& input : node.inputs) {
    if (!input.empty() && defined->count(input) == 0) {
      return InvalidModel(where + " reads '" + input + "', which no input, constant or earlier node provides");
    }
  }
  if (node.outputs.empty()) return InvalidModel(where + " has no output");
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    if (!defined->insert(output).second) return InvalidModel(where + " redefines the value '" + output + "'");
  }
  return OkStatus();
}

}  // namespace

int64_t SourceNode::Int(const std::string& key, int64_t fallback) const {
  const auto* value = FindAttribute<int64_t>(*this, key);
  return value == nullptr ? fallback : *value;
}

float SourceNode::Float(const std::string& key, float fallback) const {
  const auto* value = FindAttribute<float>(*this, key);
  return value == nullptr ? fallback : *value;
}

std::string SourceNode::String(const std::string& key, const std::string& fallback) const {
  const auto* value = FindAttribute<std::string>(*this, key);
  return value == nullptr ? fallback : *value;
}

std::vector<int64_t> SourceNode::Ints(const std::string& key, std::vector<int64_t> fallback) const {
  const auto* value = FindAttribute<std::vector<int64_t>>(*this, key);
  return value == nullptr ? fallback : *value;
}

std::vector<float> SourceNode::Floats(const std::string& key, std::vector<float> fallback) const {
  const auto* value = FindAttribute<std::vector<float>>(*this, key);
  return value == nullptr ? fallback : *value;
}

const Tensor* SourceGraph::FindConstant(const std::string& name) const {
  const auto it = constants.find(name);
  return it == constants.end() ? nullptr : &it->second;
}

const ValueInfo* SourceGraph::FindValue(const std::string& name) const {
  const auto it = values.find(name);
  return it == values.end() ? nullptr : &it->second;
}

GraphIndex::GraphIndex(const SourceGraph& graph) {
  for (const SourceNode& node : graph.nodes) {
    for (const std::string& output : node.outputs) {
      if (!output.empty()) producers_[output] = &node;
    }
    for (const std::string& input : node.inputs) {
      if (input.empty()) continue;
      std::vector<const SourceNode*>& consumers = consumers_[input];
      // A node that reads a value twice (Mul(x, x)) is still one consumer.
      if (consumers.empty() || consumers.back() != &node) consumers.push_back(&node);
    }
  }
  for (const std::string& output : graph.outputs) outputs_[output] = true;
}

const SourceNode* GraphIndex::Producer(const std::string& value) const {
  const auto it = producers_.find(value);
  return it == producers_.end() ? nullptr : it->second;
}

const std::vector<const SourceNode*>& GraphIndex::Consumers(const std::string& value) const {
  static const std::vector<const SourceNode*> kNone;
  const auto it = consumers_.find(value);
  return it == consumers_.end() ? kNone : it->second;
}

bool GraphIndex::IsGraphOutput(const std::string& value) const { return outputs_.count(value) > 0; }

Status ValidateSourceGraph(const SourceGraph& graph) {
  std::set<std::string> defined;
  for (const auto& [name, tensor] : graph.constants) {
    BNN_RETURN_IF_ERROR(CheckConstant(graph, name, tensor));
    defined.insert(name);
  }
  for (const std::string& input : graph.inputs) {
    if (!defined.insert(input).second) {
      return InvalidModel(graph.file + ": input '" + input + "' is defined twice");
    }
  }
  std::set<std::string> node_names;
  for (const SourceNode& node : graph.nodes) {
    if (!node_names.insert(node.name).second) {
      return InvalidModel(graph.file + ": two nodes have the name '" + node.name + "'");
    }
    BNN_RETURN_IF_ERROR(CheckNode(graph, node, &defined));
  }
  for (const std::string& output : graph.outputs) {
    if (defined.count(output) == 0) {
      return InvalidModel(graph.file + ": nothing produces the output '" + output + "'");
    }
  }
  for (const std::string& name : defined) {
    const ValueInfo* info = graph.FindValue(name);
    if (info == nullptr) return InvalidModel(graph.file + ": value '" + name + "' has no shape");
    if (CountElements(info->dims) < 0) {
      return InvalidModel(graph.file + ": value '" + name + "' has unknown or absurd dims " + DimsToString(info->dims));
    }
  }
  return OkStatus();
}

std::string DumpGraph(const SourceGraph& graph) {
  std::string text;
  for (const std::string& input : graph.inputs) text += "input " + ValueToString(graph, input) + "\n";
  if (graph.batch_is_symbolic) text += "batch is symbolic\n";
  for (const auto& [name, tensor] : graph.constants) {
    text += "constant " + name + ":" + DTypeName(tensor.type) + DimsToString(tensor.dims);
    constexpr int64_t kMostShown = 8;
    if (tensor.size() <= kMostShown) {
      text += " = " + (tensor.type == DType::kFloat32 ? NumberList(tensor.floats) : NumberList(tensor.integers));
    }
    text += "\n";
  }
  for (const SourceNode& node : graph.nodes) {
    text += node.op + " '" + node.name + "' (";
    for (size_t i = 0; i < node.inputs.size(); ++i) text += (i > 0 ? ", " : "") + node.inputs[i];
    text += ") -> (";
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      text += (i > 0 ? ", " : "") + ValueToString(graph, node.outputs[i]);
    }
    text += ")";
    for (const auto& [key, value] : node.attributes) text += " " + key + "=" + AttributeToString(value);
    text += "\n";
  }
  for (const std::string& output : graph.outputs) text += "output " + ValueToString(graph, output) + "\n";
  return text;
}

}  // namespace bnn::formats
