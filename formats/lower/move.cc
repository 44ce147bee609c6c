// Operators that move elements, and those that work along one axis. Axis 0 is the batch: no operator may touch it.
#include <algorithm>
#include <map>
#include <utility>

#include "formats/lower/operators.h"

namespace bnn::formats {
namespace {

Order StoredOrder(const Dims& dims) { return dims.size() == 4 ? Order::kNhwc : Order::kSource; }

void SetStored(Lowering& lowering, const std::string& value, int tensor) {
  lowering.SetFloats(value, {tensor, StoredOrder(lowering.DimsOf(value)), {}});
}

// The attribute `axis` as an axis of one sample in the stored order.
Result<int64_t> AxisAttribute(const Lowering& lowering, const SourceNode& node, int64_t fallback) {
  const auto rank = static_cast<int64_t>(lowering.DimsOf(node.inputs[0]).size());
  int64_t axis = node.Int("axis", fallback);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return NodeNotLowered(node, "axis is out of range");
  if (axis == 0) return NodeNotLowered(node, "it works along axis 0, which would mix the samples of a batch");
  return SampleAxis(static_cast<size_t>(rank), axis);
}

Result<std::vector<int64_t>> IntsInput(const Lowering& lowering, const SourceNode& node, size_t index,
                                       std::vector<int64_t> fallback) {
  if (!node.HasInput(index)) return fallback;
  const Tensor* constant = lowering.graph.FindConstant(node.inputs[index]);
  if (constant == nullptr || constant->type != DType::kInt64) {
    return NodeNotLowered(node, "input '" + node.inputs[index] + "' is not a constant list of integers");
  }
  return constant->integers;
}

// Axes that an operator names, or the first `count` ones.
Result<std::vector<int64_t>> AxesInput(const Lowering& lowering, const SourceNode& node, size_t index, size_t count) {
  std::vector<int64_t> all(count);
  for (size_t i = 0; i < count; ++i) all[i] = static_cast<int64_t>(i);
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> axes, IntsInput(lowering, node, index, all));
  const auto rank = static_cast<int64_t>(lowering.DimsOf(node.inputs[0]).size());
  for (int64_t& axis : axes) {
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank) return NodeNotLowered(node, "an axis is out of range");
  }
  if (axes.size() != count) return NodeNotLowered(node, "its parameters have different lengths");
  return axes;
}

// For each axis of the output, in the order `out_axes`, where it lies among those of the input. Axes are the source's;
// its axis i of the output is axis source_perm[i] of the input.
std::vector<int64_t> PermutationTo(const std::vector<int64_t>& out_axes, const std::vector<int64_t>& in_axes,
                                   const std::vector<int64_t>& source_perm) {
  std::vector<int64_t> perm;
  for (const int64_t out_axis : out_axes) {
    const int64_t in_axis = source_perm[static_cast<size_t>(out_axis)];
    perm.push_back(std::find(in_axes.begin(), in_axes.end(), in_axis) - in_axes.begin());
  }
  return perm;
}

}  // namespace

Status LowerReshape(Lowering& lowering, const SourceNode& node) {
  const std::string& in = node.inputs[0];
  const std::string& out = node.outputs[0];
  const Dims& from = lowering.DimsOf(in);
  const Dims& to = lowering.DimsOf(out);
  if (const Lowering::Integers* integers = lowering.FindIntegers(in)) {
    const bool flattens = from.size() == 4 && to.size() == 2 && integers->form.order == Order::kNhwc;
    if (flattens) {
      const Quantization quantization = integers->from;
      BNN_ASSIGN_OR_RETURN(const Form form, lowering.Reshaped(node.name, integers->form, from, to, out + "/integers"));
      lowering.SetIntegers(out, form, quantization);
    }
    if (lowering.graph.FindValue(in)->type != DType::kFloat32) {  // between QuantizeLinear and DequantizeLinear
      return flattens ? OkStatus() : NodeNotLowered(node, "integers are flattened, but not reshaped otherwise");
    }
  }
  // Where the source order is at hand (of inputs), a reshape needs no transposition.
  Form form;
  if (lowering.HasNatural(in)) {
    BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Natural(in));
  } else {
    BNN_ASSIGN_OR_RETURN(form, lowering.Any(in));
  }
  BNN_ASSIGN_OR_RETURN(form, lowering.Reshaped(node.name, form, from, to, out));
  lowering.SetFloats(out, form);
  return OkStatus();
}

Status LowerTranspose(Lowering& lowering, const SourceNode& node) {
  const std::string& in = node.inputs[0];
  const size_t rank = lowering.DimsOf(in).size();
  std::vector<int64_t> reversed;
  for (size_t i = rank; i-- > 0;) reversed.push_back(static_cast<int64_t>(i));
  const std::vector<int64_t> source_perm = node.Ints("perm", reversed);
  if (source_perm.size() != rank) return NodeNotLowered(node, "perm does not fit the rank");
  if (source_perm[0] != 0) return NodeNotLowered(node, "it moves axis 0, the batch");

  // Source order of the input where it is at hand: NHWC inputs that the source transposes first need nothing then.
  const bool natural = lowering.HasNatural(in);
  BNN_ASSIGN_OR_RETURN(const int tensor, natural ? lowering.Natural(in) : lowering.Stored(in));
  const Order stored = StoredOrder(lowering.DimsOf(in));
  const std::vector<int64_t> in_axes = SourceAxes(rank, natural ? Order::kSource : stored);
  // The output is kept in either order. Where its elements lie like that already, nothing moves: maps that the source
  // transposes to NHWC before it flattens them or gives them out.
  const std::vector<int64_t>& dims = lowering.builder.tensor(tensor).dims;
  for (const Order order : {stored, Order::kSource}) {
    const std::vector<int64_t> perm = PermutationTo(SourceAxes(rank, order), in_axes, source_perm);
    std::vector<int64_t> out_dims, long_axes;  // axes of size 1 have no order
    for (const int64_t axis : perm) {
      out_dims.push_back(dims[static_cast<size_t>(axis)]);
      if (out_dims.back() != 1) long_axes.push_back(axis);
    }
    if (!std::is_sorted(long_axes.begin(), long_axes.end())) continue;
    Form form{tensor, order, {}};
    if (out_dims != dims) form.tensor = lowering.builder.AddReshape(node.name, tensor, out_dims, node.outputs[0]);
    lowering.SetFloats(node.outputs[0], form);
    return OkStatus();
  }
  const Transpose transpose{PermutationTo(SourceAxes(rank, stored), in_axes, source_perm)};
  BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, transpose, {tensor}, node.outputs[0]));
  SetStored(lowering, node.outputs[0], out);
  return OkStatus();
}

Status LowerConcat(Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(lowering, node, 0));
  std::vector<int> inputs;
  for (const std::string& input : node.inputs) {
    if (lowering.graph.FindConstant(input) != nullptr)
      return NodeNotLowered(node, "it joins the constant '" + input + "'");
    BNN_ASSIGN_OR_RETURN(const int tensor, lowering.Stored(input));
    inputs.push_back(tensor);
  }
  BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, Concat{axis}, inputs, node.outputs[0]));
  SetStored(lowering, node.outputs[0], out);
  return OkStatus();
}

Status LowerSlice(Lowering& lowering, const SourceNode& node) {
  const Dims& dims = lowering.DimsOf(node.inputs[0]);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> starts, IntsInput(lowering, node, 1, {}));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, IntsInput(lowering, node, 2, {}));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, AxesInput(lowering, node, 3, starts.size()));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> steps,
                       IntsInput(lowering, node, 4, std::vector<int64_t>(starts.size(), 1)));
  if (ends.size() != starts.size() || steps.size() != starts.size()) {
    return NodeNotLowered(node, "its parameters have different lengths");
  }
  Slice slice;
  slice.begin.assign(dims.size() - 1, 0);
  slice.end = StoredDims(dims);
  slice.step.assign(dims.size() - 1, 1);
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t dim = dims[static_cast<size_t>(axes[i])];
    const int64_t begin = std::clamp<int64_t>(starts[i] < 0 ? starts[i] + dim : starts[i], 0, dim);
    const int64_t end = std::clamp<int64_t>(ends[i] < 0 ? ends[i] + dim : ends[i], begin, dim);
    if (steps[i] < 1) return NodeNotLowered(node, "a step of " + std::to_string(steps[i]) + " is not supported");
    if (axes[i] == 0) {
      if (begin == 0 && end == dim && steps[i] == 1) continue;
      return NodeNotLowered(node, "it takes a part of axis 0, the batch");
    }
    const auto axis = static_cast<size_t>(SampleAxis(dims.size(), axes[i]));
    slice.begin[axis] = begin;
    slice.end[axis] = end;
    slice.step[axis] = steps[i];
  }
  BNN_ASSIGN_OR_RETURN(const int in, lowering.Stored(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, slice, {in}, node.outputs[0]));
  SetStored(lowering, node.outputs[0], out);
  return OkStatus();
}

Status LowerSplit(Lowering& lowering, const SourceNode& node) {
  const Dims& dims = lowering.DimsOf(node.inputs[0]);
  BNN_ASSIGN_OR_RETURN(const int64_t sample_axis, AxisAttribute(lowering, node, 0));
  const auto axis = static_cast<size_t>(sample_axis);
  BNN_ASSIGN_OR_RETURN(const int in, lowering.Stored(node.inputs[0]));
  Slice slice;
  slice.begin.assign(dims.size() - 1, 0);
  slice.end = StoredDims(dims);
  slice.step.assign(dims.size() - 1, 1);
  int64_t begin = 0;
  for (const std::string& output : node.outputs) {
    slice.begin[axis] = begin;
    begin += StoredDims(lowering.DimsOf(output))[axis];
    slice.end[axis] = begin;
    BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, slice, {in}, output));
    SetStored(lowering, output, out);
  }
  return OkStatus();
}

Status LowerPad(Lowering& lowering, const SourceNode& node) {
  const Dims& dims = lowering.DimsOf(node.inputs[0]);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, IntsInput(lowering, node, 1, {}));
  const size_t count = pads.size() / 2;
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes,
                       AxesInput(lowering, node, 3, node.HasInput(3) ? count : dims.size()));
  if (axes.size() != count || pads.size() != 2 * count) return NodeNotLowered(node, "its pads do not fit the rank");
  Pad pad;
  const std::string mode = node.String("mode", "constant");
  static const std::map<std::string, PadMode> kModes = {{"constant", PadMode::kConstant},
                                                        {"reflect", PadMode::kReflect},
                                                        {"edge", PadMode::kEdge},
                                                        {"symmetric", PadMode::kSymmetric}};
  if (kModes.count(mode) == 0) return NodeNotLowered(node, "mode is '" + mode + "'");
  pad.mode = kModes.at(mode);
  pad.before.assign(dims.size() - 1, 0);
  pad.after.assign(dims.size() - 1, 0);
  for (size_t i = 0; i < count; ++i) {
    const int64_t before = pads[i], after = pads[i + count];
    if (before < 0 || after < 0) return NodeNotLowered(node, "negative padding is not supported");
    if (axes[i] == 0) {
      if (before == 0 && after == 0) continue;
      return NodeNotLowered(node, "it pads axis 0, the batch");
    }
    const auto axis = static_cast<size_t>(SampleAxis(dims.size(), axes[i]));
    pad.before[axis] = before;
    pad.after[axis] = after;
  }
  if (node.HasInput(2)) {
    const Tensor* value = lowering.graph.FindConstant(node.inputs[2]);
    if (value == nullptr || value->type != DType::kFloat32 || value->size() != 1) {
      return NodeNotLowered(node, "its value is not one constant number");
    }
    pad.value = value->floats[0];
  }
  BNN_ASSIGN_OR_RETURN(const int in, lowering.Stored(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, pad, {in}, node.outputs[0]));
  SetStored(lowering, node.outputs[0], out);
  return OkStatus();
}

Status LowerSoftmax(Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(lowering, node, -1));
  BNN_ASSIGN_OR_RETURN(const int in, lowering.Stored(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(const int out,
                       lowering.Emit(node, Softmax{axis, node.op == "LogSoftmax"}, {in}, node.outputs[0]));
  SetStored(lowering, node.outputs[0], out);
  return OkStatus();
}

}  // namespace bnn::formats
