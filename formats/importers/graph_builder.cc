#include "formats/importers/graph_builder.h"

#include <array>
#include <utility>

#include "formats/ops/evaluator.h"
#include "formats/ops/window.h"

namespace bnn::formats {

ValueInfo SourceGraphBuilder::InfoOf(const std::string& value) const {
  ValueInfo info;
  shapes_.FindValue(value, &info);
  return info;
}

void SourceGraphBuilder::OpenBatch() {
  graph_->batch_is_symbolic = true;
  doubled_.emplace(&graph_->constants);
  for (const std::string& input : graph_->inputs) {
    ValueInfo info = InfoOf(input);
    if (!info.dims.empty()) info.dims[0] = 2;
    doubled_->AddInput(input, std::move(info));
  }
}

const Tensor* SourceGraphBuilder::FindKnown(const std::string& value) const {
  const Tensor* known = shapes_.FindKnown(value);
  if (known == nullptr || !doubled_.has_value()) return known;
  const Tensor* other = doubled_->FindKnown(value);
  const bool agree = other != nullptr && known->type == other->type && known->dims == other->dims &&
                     known->floats == other->floats && known->integers == other->integers;
  return agree ? known : nullptr;
}

Result<std::vector<int64_t>> SourceGraphBuilder::KnownIntegers(const SourceNode& node, size_t input) const {
  const Tensor* known = node.HasInput(input) ? FindKnown(node.inputs[input]) : nullptr;
  if (known == nullptr) {
    return NodeUnsupported(node, "input " + std::to_string(input) + " must be known before the network runs");
  }
  if (known->type != DType::kInt64) {
    return NodeError(node, "input " + std::to_string(input) + " ('" + node.inputs[input] + "') is " +
                               DTypeName(known->type) + ", expected integers");
  }
  return known->integers;
}

std::string SourceGraphBuilder::Names::MakeUnique(const std::string& hint) {
  if (taken.insert(hint).second) return hint;
  int64_t& number = next[hint];
  std::string name;
  do {
    name = hint + "_" + std::to_string(++number);
  } while (!taken.insert(name).second);
  return name;
}

std::vector<int64_t> SourceGraphBuilder::KnownApartFromBatch(const std::string& value) const {
  const Tensor* known = shapes_.FindKnown(value);
  if (known == nullptr || known->type != DType::kInt64) return {};
  std::vector<int64_t> integers = known->integers;
  if (!doubled_.has_value()) return integers;
  const Tensor* other = doubled_->FindKnown(value);
  if (other == nullptr || other->integers.size() != integers.size()) return {};
  for (size_t i = 0; i < integers.size(); ++i) integers[i] = integers[i] == other->integers[i] ? integers[i] : 0;
  return integers;
}

std::string SourceGraphBuilder::NewValueName(const std::string& hint) { return values_.MakeUnique(hint); }

std::string SourceGraphBuilder::AddConstant(const std::string& hint, Tensor tensor) {
  const std::string name = NewValueName(hint);
  DefineConstant(name, std::move(tensor));
  return name;
}

void SourceGraphBuilder::DefineConstant(const std::string& name, Tensor tensor) {
  graph_->values[name] = {tensor.type, tensor.dims};
  graph_->constants[name] = std::move(tensor);
}

void SourceGraphBuilder::DefineInput(const std::string& name, ValueInfo info) {
  graph_->inputs.push_back(name);
  graph_->values[name] = info;
  shapes_.AddInput(name, std::move(info));
}

Status SourceGraphBuilder::Emit(SourceNode node) {
  if (node.name.empty()) node.name = node.op + "_" + node.outputs[0];
  node.name = nodes_.MakeUnique(node.name);
  BNN_RETURN_IF_ERROR(shapes_.AddNode(node));
  // A network that does not run with a batch of 2 fixes its batch itself, as constant folding will find.
  if (doubled_.has_value() && !doubled_->AddNode(node).ok()) doubled_.reset();
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    graph_->values[output] = InfoOf(output);
  }
  graph_->nodes.push_back(std::move(node));
  return OkStatus();
}

Status WriteOutWindow(SourceNode* node, const SourceGraphBuilder& builder) {
  const bool is_conv = node->op == "Conv";
  if (!node->HasInput(0) || (is_conv && !node->HasInput(1))) return NodeError(*node, "a required input is absent");
  const Dims weights = is_conv ? builder.DimsOf(node->inputs[1]) : Dims{};
  BNN_ASSIGN_OR_RETURN(const Window window,
                       ResolveWindow(*node, builder.DimsOf(node->inputs[0]), is_conv ? &weights : nullptr));
  const auto list = [](const std::array<int64_t, 2>& values) {
    return std::vector<int64_t>(values.begin(), values.end());
  };
  node->attributes.erase("auto_pad");
  node->attributes["kernel_shape"] = list(window.kernel);
  node->attributes["strides"] = list(window.stride);
  node->attributes["dilations"] = list(window.dilation);
  node->attributes["pads"] =
      std::vector<int64_t>{window.pad_begin[0], window.pad_begin[1], window.pad_end[0], window.pad_end[1]};
  return OkStatus();
}

SourceNode MakeNode(const char* op, std::vector<std::string> inputs) {
  SourceNode node;
  node.op = op;
  node.inputs = std::move(inputs);
  return node;
}

Tensor IntList(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return IntTensor({count}, std::move(values));
}

}  // namespace bnn::formats
