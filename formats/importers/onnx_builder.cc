#include <utility>

#include "formats/importers/onnx_normalize.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {

Dims OnnxGraphBuilder::DimsOf(const std::string& value) const {
  ValueInfo info;
  shapes_.FindValue(value, &info);
  return info.dims;
}

Result<std::vector<int64_t>> OnnxGraphBuilder::KnownIntegers(const SourceNode& node, size_t input) const {
  const Tensor* known = node.HasInput(input) ? shapes_.FindKnown(node.inputs[input]) : nullptr;
  if (known == nullptr) {
    return NodeUnsupported(node, "input " + std::to_string(input) + " must be known before the network runs");
  }
  if (known->type != DType::kInt64) {
    return NodeError(node, "input " + std::to_string(input) + " ('" + node.inputs[input] + "') is " +
                               DTypeName(known->type) + ", expected integers");
  }
  return known->integers;
}

std::string OnnxGraphBuilder::NewValueName(const std::string& hint) {
  std::string name = hint;
  for (int i = 1; !taken_.insert(name).second; ++i) name = hint + "_" + std::to_string(i);
  return name;
}

std::string OnnxGraphBuilder::AddConstant(const std::string& hint, Tensor tensor) {
  const std::string name = NewValueName(hint);
  DefineConstant(name, std::move(tensor));
  return name;
}

void OnnxGraphBuilder::DefineConstant(const std::string& name, Tensor tensor) {
  graph_->values[name] = {tensor.type, tensor.dims};
  graph_->constants[name] = std::move(tensor);
}

Status OnnxGraphBuilder::Emit(SourceNode node) {
  if (node.name.empty()) node.name = node.op + "_" + node.outputs[0];
  const std::string hint = node.name;
  for (int i = 1; !node_names_.insert(node.name).second; ++i) node.name = hint + "_" + std::to_string(i);
  BNN_RETURN_IF_ERROR(shapes_.AddNode(node));
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    ValueInfo info;
    shapes_.FindValue(output, &info);
    graph_->values[output] = std::move(info);
  }
  graph_->nodes.push_back(std::move(node));
  return OkStatus();
}

}  // namespace bnn::formats
