#include "formats/importers/onnx_normalize.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "formats/importers/onnx_tensor.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

// Puts `value` at input `index`, with absent inputs before it where needed.
void SetInput(SourceNode* node, size_t index, std::string value) {
  if (node->inputs.size() <= index) node->inputs.resize(index + 1);
  node->inputs[index] = std::move(value);
}

void DropAbsentTail(SourceNode* node) {
  while (!node->inputs.empty() && node->inputs.back().empty()) node->inputs.pop_back();
}

// Moves a list attribute of an older opset to the input that newer opsets have for it.
void MoveIntsToInput(SourceNode* node, OnnxGraphBuilder* builder, const std::string& key, size_t index) {
  if (node->attributes.count(key) == 0) return;
  SetInput(node, index, builder->AddConstant(node->outputs[0] + "/" + key, IntList(node->Ints(key, {}))));
  node->attributes.erase(key);
}

// Likewise for a single float.
void MoveFloatToInput(SourceNode* node, OnnxGraphBuilder* builder, const std::string& key, size_t index) {
  if (node->attributes.count(key) == 0) return;
  const Tensor value = FloatTensor({}, {node->Float(key, 0)});
  SetInput(node, index, builder->AddConstant(node->outputs[0] + "/" + key, value));
  node->attributes.erase(key);
}

// Inputs that only a newer opset has would mean something that we do not know.
Status LimitInputs(const SourceNode& node, size_t limit, const OnnxGraphBuilder& builder) {
  if (node.inputs.size() <= limit) return OkStatus();
  return NodeError(node, "has " + std::to_string(node.inputs.size()) + " inputs; at opset " +
                             std::to_string(builder.opset()) + " it has at most " + std::to_string(limit));
}

// The `axis` attribute counted from the front.
Status ResolveAxisAttribute(SourceNode* node, const OnnxGraphBuilder& builder, int64_t fallback, bool may_be_rank) {
  if (!node->HasInput(0)) return NodeError(*node, "required input 0 is absent");
  const auto rank = static_cast<int64_t>(builder.DimsOf(node->inputs[0]).size());
  int64_t axis = node->Int("axis", fallback);
  if (!(may_be_rank && axis == rank)) {
    BNN_ASSIGN_OR_RETURN(axis, ResolveAxis(*node, axis, rank));
  }
  node->attributes["axis"] = axis;
  return OkStatus();
}

}  // namespace

Status KeepNode(SourceNode node, OnnxGraphBuilder* builder) { return builder->Emit(std::move(node)); }

Status NormalizeAxis(SourceNode node, OnnxGraphBuilder* builder) {
  const bool is_flatten = node.op == "Flatten";
  BNN_RETURN_IF_ERROR(ResolveAxisAttribute(&node, *builder, is_flatten ? 1 : 0, is_flatten));
  return builder->Emit(std::move(node));
}

// Squeeze and Unsqueeze: axes were an attribute before opset 13.
Status NormalizeAxesInput(SourceNode node, OnnxGraphBuilder* builder) {
  if (builder->opset() < 13) {
    BNN_RETURN_IF_ERROR(LimitInputs(node, 1, *builder));
    MoveIntsToInput(&node, builder, "axes", 1);
  }
  return builder->Emit(std::move(node));
}

// `saturate` (opset 19) only concerns 8-bit floats, which are not supported.
Status NormalizeCast(SourceNode node, OnnxGraphBuilder* builder) {
  node.attributes.erase("saturate");
  DType held = DType::kFloat32;
  const int64_t to = node.Int("to", 0);
  if (to < 0 || to > INT32_MAX || !DTypeFromOnnx(static_cast<int32_t>(to), &held)) {
    return NodeUnsupported(node, "casts to data type " + std::to_string(to));
  }
  return builder->Emit(std::move(node));
}

Status NormalizeClip(SourceNode node, OnnxGraphBuilder* builder) {
  if (builder->opset() < 11) {
    BNN_RETURN_IF_ERROR(LimitInputs(node, 1, *builder));
    MoveFloatToInput(&node, builder, "min", 1);
    MoveFloatToInput(&node, builder, "max", 2);
  }
  return builder->Emit(std::move(node));
}

// A Constant node becomes a constant of the graph. Its forms: a tensor, numbers (opset 12).
Status NormalizeConstant(SourceNode node, OnnxGraphBuilder* builder) {
  if (node.attributes.size() != 1 || node.outputs.size() != 1 || !node.inputs.empty()) {
    return NodeError(node, "must have exactly one attribute and one output");
  }
  struct ToTensor {
    Tensor operator()(int64_t value) const { return IntTensor({}, {value}); }
    Tensor operator()(float value) const { return FloatTensor({}, {value}); }
    Tensor operator()(const std::string&) const { return {}; }
    Tensor operator()(const std::vector<int64_t>& values) const { return IntList(values); }
    Tensor operator()(const std::vector<float>& values) const {
      return FloatTensor({static_cast<int64_t>(values.size())}, values);
    }
    Tensor operator()(const Tensor& value) const { return value; }
  };
  const auto& [key, attribute] = *node.attributes.begin();
  if (std::holds_alternative<std::string>(attribute)) {
    return NodeUnsupported(node, "attribute '" + key + "' holds text");
  }
  builder->DefineConstant(node.outputs[0], std::visit(ToTensor{}, attribute));
  return OkStatus();
}

// NNCF writes some limits as int64 zeros; here all are float32.
Status NormalizeFakeQuantize(SourceNode node, OnnxGraphBuilder* builder) {
  if (node.inputs.size() != 5) {
    return NodeError(node, "has " + std::to_string(node.inputs.size()) + " inputs, expected 5");
  }
  if (node.String("auto_broadcast", "numpy") != "numpy") {
    return NodeUnsupported(node, "attribute 'auto_broadcast' is \"" + node.String("auto_broadcast", "") + "\"");
  }
  node.attributes.erase("auto_broadcast");
  const int64_t levels = node.Int("levels", 0);
  if (levels < 2) return NodeError(node, "attribute 'levels' is " + std::to_string(levels) + ", expected 2 or more");
  for (size_t i = 1; i < 5; ++i) {
    ValueInfo info;
    if (!node.HasInput(i) || !builder->shapes().FindValue(node.inputs[i], &info) || info.type != DType::kInt64) {
      continue;
    }
    SourceNode cast;
    cast.name = node.name + "/Cast_" + std::to_string(i);
    cast.op = "Cast";
    cast.inputs = {node.inputs[i]};
    cast.outputs = {builder->NewValueName(node.inputs[i] + "/float32")};
    cast.attributes["to"] = int64_t{1};
    node.inputs[i] = cast.outputs[0];
    BNN_RETURN_IF_ERROR(builder->Emit(std::move(cast)));
  }
  return builder->Emit(std::move(node));
}

// Opset 2: attributes; 11: inputs (data, pads, value); 18: also axes, which are spread over all dims here.
Status NormalizePad(SourceNode node, OnnxGraphBuilder* builder) {
  if (builder->opset() < 11) {
    BNN_RETURN_IF_ERROR(LimitInputs(node, 1, *builder));
    MoveIntsToInput(&node, builder, "pads", 1);
    MoveFloatToInput(&node, builder, "value", 2);
  } else {
    BNN_RETURN_IF_ERROR(LimitInputs(node, builder->opset() < 18 ? 3 : 4, *builder));
  }
  if (node.HasInput(3)) {
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, builder->KnownIntegers(node, 1));
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, builder->KnownIntegers(node, 3));
    const size_t rank = node.HasInput(0) ? builder->DimsOf(node.inputs[0]).size() : 0;
    if (pads.size() != 2 * axes.size()) {
      return NodeError(node,
                       "has " + std::to_string(pads.size()) + " pads for " + std::to_string(axes.size()) + " axes");
    }
    std::vector<int64_t> all(2 * rank, 0);
    for (size_t i = 0; i < axes.size(); ++i) {
      BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, axes[i], static_cast<int64_t>(rank)));
      all[axis] = pads[i];
      all[rank + axis] = pads[axes.size() + i];
    }
    node.inputs[1] = builder->AddConstant(node.outputs[0] + "/pads", IntList(std::move(all)));
  }
  if (node.inputs.size() > 3) node.inputs.resize(3);
  DropAbsentTail(&node);
  const std::string mode = node.String("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge") {
    return NodeUnsupported(node, "attribute 'mode' is \"" + mode + "\"");
  }
  return builder->Emit(std::move(node));
}

// Axes are an input since opset 13 (ReduceSum) or 18 (the others). No axes mean all of them, or, with
// noop_with_empty_axes, none.
Status NormalizeReduce(SourceNode node, OnnxGraphBuilder* builder) {
  const bool axes_are_input = builder->opset() >= (node.op == "ReduceSum" ? 13 : 18);
  if (!axes_are_input) {
    BNN_RETURN_IF_ERROR(LimitInputs(node, 1, *builder));
    MoveIntsToInput(&node, builder, "axes", 1);
  }
  const bool none_when_empty = node.Int("noop_with_empty_axes", 0) != 0;
  node.attributes.erase("noop_with_empty_axes");
  if (node.HasInput(1)) {
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, builder->KnownIntegers(node, 1));
    if (axes.empty()) node.inputs[1].clear();
  }
  DropAbsentTail(&node);
  if (node.inputs.size() < 2 && none_when_empty) {
    node.op = "Identity";
    node.attributes.clear();
  }
  return builder->Emit(std::move(node));
}

Status NormalizeSlice(SourceNode node, OnnxGraphBuilder* builder) {
  if (builder->opset() < 10) {
    BNN_RETURN_IF_ERROR(LimitInputs(node, 1, *builder));
    MoveIntsToInput(&node, builder, "starts", 1);
    MoveIntsToInput(&node, builder, "ends", 2);
    MoveIntsToInput(&node, builder, "axes", 3);
  }
  return builder->Emit(std::move(node));
}

// The sizes become explicit. Without any, the parts are equal; from opset 18 the last may be smaller.
Status NormalizeSplit(SourceNode node, OnnxGraphBuilder* builder) {
  BNN_RETURN_IF_ERROR(ResolveAxisAttribute(&node, *builder, 0, false));
  BNN_RETURN_IF_ERROR(LimitInputs(node, builder->opset() < 13 ? 1 : 2, *builder));
  MoveIntsToInput(&node, builder, "split", 1);
  const auto parts = static_cast<int64_t>(node.outputs.size());
  if (!node.HasInput(1)) {
    const int64_t dim = builder->DimsOf(node.inputs[0])[node.Int("axis", 0)];
    const int64_t declared = node.Int("num_outputs", parts);
    if (declared != parts) {
      return NodeError(
          node, "num_outputs is " + std::to_string(declared) + ", but it has " + std::to_string(parts) + " outputs");
    }
    const int64_t size = (dim + parts - 1) / parts;
    const int64_t last = dim - size * (parts - 1);
    if (last < 0 || (builder->opset() < 18 && last != size)) {
      return NodeError(node,
                       "cannot split a dim of " + std::to_string(dim) + " into " + std::to_string(parts) + " parts");
    }
    std::vector<int64_t> sizes(static_cast<size_t>(parts), size);
    sizes.back() = last;
    SetInput(&node, 1, builder->AddConstant(node.outputs[0] + "/split", IntList(std::move(sizes))));
  } else {
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, builder->KnownIntegers(node, 1));
    if (sizes.size() != node.outputs.size()) {
      return NodeError(node,
                       "has " + std::to_string(sizes.size()) + " sizes for " + std::to_string(parts) + " outputs");
    }
  }
  node.attributes.erase("num_outputs");
  return builder->Emit(std::move(node));
}

// Without `perm` the axes are reversed.
Status NormalizeTranspose(SourceNode node, OnnxGraphBuilder* builder) {
  const size_t rank = node.HasInput(0) ? builder->DimsOf(node.inputs[0]).size() : 0;
  std::vector<int64_t> identity(rank);
  std::iota(identity.begin(), identity.end(), 0);
  const std::vector<int64_t> reversed(identity.rbegin(), identity.rend());
  const std::vector<int64_t> perm = node.Ints("perm", reversed);
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != identity) {
    return NodeError(node, "perm " + DimsToString(perm) + " is no permutation of " + std::to_string(rank) + " axes");
  }
  node.attributes["perm"] = perm;
  return builder->Emit(std::move(node));
}

// Max, Min, Sum and Mean of any number of inputs become chains of two-input nodes.
Status NormalizeVariadic(SourceNode node, OnnxGraphBuilder* builder) {
  const std::vector<std::string> inputs = node.inputs;
  if (inputs.empty()) return NodeError(node, "has no input");
  const bool is_mean = node.op == "Mean";
  const std::string step = is_mean || node.op == "Sum" ? "Add" : node.op;
  if (inputs.size() == 1) {
    node.op = "Identity";
    return builder->Emit(std::move(node));
  }
  std::string so_far = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i) {
    SourceNode link;
    link.name = i + 1 == inputs.size() ? node.name : node.name + "/" + std::to_string(i);
    link.op = step;
    link.inputs = {so_far, inputs[i]};
    const bool is_last = i + 1 == inputs.size() && !is_mean;
    link.outputs = {is_last ? node.outputs[0] : builder->NewValueName(node.outputs[0] + "/" + std::to_string(i))};
    so_far = link.outputs[0];
    BNN_RETURN_IF_ERROR(builder->Emit(std::move(link)));
  }
  if (!is_mean) return OkStatus();
  node.op = "Div";
  const Tensor count = FloatTensor({}, {static_cast<float>(inputs.size())});
  node.inputs = {so_far, builder->AddConstant(node.outputs[0] + "/count", count)};
  return builder->Emit(std::move(node));
}

}  // namespace bnn::formats
