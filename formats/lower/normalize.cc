// Operators over axes of a sample: Reduce*, LRN, NormalizeL2.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "formats/lower/operators.h"

namespace bnn::formats {
namespace {

// Axes of the source as increasing axes of a sample in the stored order.
Result<std::vector<int64_t>> SampleAxes(const SourceNode& node, std::vector<int64_t> axes, size_t rank) {
  for (int64_t& axis : axes) {
    if (axis < 0) axis += static_cast<int64_t>(rank);
    if (axis < 0 || axis >= static_cast<int64_t>(rank)) return NodeNotLowered(node, "an axis is out of range");
    if (axis == 0) return NodeNotLowered(node, "it works along axis 0, which would mix the samples of a batch");
    axis = SampleAxis(rank, axis);
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  if (axes.empty()) return NodeNotLowered(node, "it names no axes");
  return axes;
}

// Of input 1. Absent or empty: all axes.
Result<std::vector<int64_t>> AxesInput(const Lowering& lowering, const SourceNode& node, size_t rank) {
  const Tensor* axes = node.HasInput(1) ? lowering.graph.FindConstant(node.inputs[1]) : nullptr;
  if (node.HasInput(1) && (axes == nullptr || axes->type != DType::kInt64)) {
    return NodeNotLowered(node, "its axes are no constant integers");
  }
  if (axes == nullptr || axes->integers.empty()) return SampleAxes(node, {0}, rank);
  return SampleAxes(node, axes->integers, rank);
}

Status EmitStored(Lowering& lowering, const SourceNode& node, Op op) {
  BNN_ASSIGN_OR_RETURN(const int in, lowering.Stored(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, std::move(op), {in}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0],
                     {out, lowering.DimsOf(node.inputs[0]).size() == 4 ? Order::kNhwc : Order::kSource, {}});
  return OkStatus();
}

// A reduction over height and width is the pooling of a whole map, for which there are kernels.
Op ReduceOp(ReduceKind kind, const std::vector<int64_t>& axes, const std::vector<int64_t>& dims) {
  const bool is_pool = dims.size() == 3 && axes == std::vector<int64_t>{0, 1};
  if (!is_pool || kind == ReduceKind::kSum || kind == ReduceKind::kMin) return Reduce{kind, axes};
  Window2d window;
  window.kernel_h = dims[0];
  window.kernel_w = dims[1];
  window.whole_map = true;
  if (kind == ReduceKind::kMax) return MaxPool{window};
  return AvgPool{window, false};
}

}  // namespace

Status LowerReduce(Lowering& lowering, const SourceNode& node) {
  static const std::map<std::string, ReduceKind> kKinds = {{"ReduceMax", ReduceKind::kMax},
                                                           {"ReduceMean", ReduceKind::kMean},
                                                           {"ReduceMin", ReduceKind::kMin},
                                                           {"ReduceSum", ReduceKind::kSum}};
  Dims dims = lowering.DimsOf(node.inputs[0]);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, AxesInput(lowering, node, dims.size()));
  BNN_ASSIGN_OR_RETURN(const int in, lowering.Stored(node.inputs[0]));
  Form form{kNone, dims.size() == 4 ? Order::kNhwc : Order::kSource, {}};
  BNN_ASSIGN_OR_RETURN(
      form.tensor, lowering.Emit(node, ReduceOp(kKinds.at(node.op), axes, StoredDims(dims)), {in}, node.outputs[0]));
  if (node.Int("keepdims", 1) == 0) {
    for (size_t axis = 1; axis < dims.size(); ++axis) {
      const int64_t stored = SampleAxis(dims.size(), static_cast<int64_t>(axis));
      if (std::binary_search(axes.begin(), axes.end(), stored)) dims[axis] = 1;
    }
    BNN_ASSIGN_OR_RETURN(form,
                         lowering.Reshaped(node.name, form, dims, lowering.DimsOf(node.outputs[0]), node.outputs[0]));
  }
  lowering.SetFloats(node.outputs[0], form);
  return OkStatus();
}

Status LowerLrn(Lowering& lowering, const SourceNode& node) {
  Lrn op;
  BNN_ASSIGN_OR_RETURN(op.axes, SampleAxes(node, node.Ints("axes", {1}), lowering.DimsOf(node.inputs[0]).size()));
  op.size = node.Int("size", 1);
  op.alpha = node.Float("alpha", 1e-4f);
  op.beta = node.Float("beta", 0.75f);
  op.bias = node.Float("bias", 1.0f);
  return EmitStored(lowering, node, op);
}

Status LowerNormalizeL2(Lowering& lowering, const SourceNode& node) {
  NormalizeL2 op;
  BNN_ASSIGN_OR_RETURN(op.axes, AxesInput(lowering, node, lowering.DimsOf(node.inputs[0]).size()));
  op.eps = node.Float("eps", 0);
  op.eps_mode = node.String("eps_mode", "add") == "add" ? EpsMode::kAdd : EpsMode::kMax;
  return EmitStored(lowering, node, op);
}

}  // namespace bnn::formats
