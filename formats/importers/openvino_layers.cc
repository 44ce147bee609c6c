// Layers: convolution, matrix products, pooling, normalization, reduction.
#include <algorithm>
#include <utility>

#include "formats/importers/openvino_operators.h"
#include "formats/ops/evaluator.h"
#include "formats/ops/window.h"

namespace bnn::formats {
namespace {

// strides, dilations, auto_pad and pads as ONNX names them.
Result<AttributeMap> WindowAttributes(const IrNode& node, bool has_dilations) {
  AttributeMap attributes;
  BNN_ASSIGN_OR_RETURN(attributes["strides"], node.Ints("strides"));
  if (has_dilations) {
    BNN_ASSIGN_OR_RETURN(attributes["dilations"], node.Ints("dilations"));
  }
  BNN_ASSIGN_OR_RETURN(const std::string auto_pad,
                       node.Word("auto_pad", {"explicit", "notset", "same_upper", "same_lower", "valid"}, "explicit"));
  if (auto_pad == "same_upper" || auto_pad == "same_lower") {
    attributes["auto_pad"] = std::string(auto_pad == "same_upper" ? "SAME_UPPER" : "SAME_LOWER");
  } else if (auto_pad == "valid") {
    attributes["auto_pad"] = std::string("VALID");
  } else {
    BNN_ASSIGN_OR_RETURN(std::vector<int64_t> pads, node.Ints("pads_begin"));
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads_end, node.Ints("pads_end"));
    pads.insert(pads.end(), pads_end.begin(), pads_end.end());
    attributes["pads"] = std::move(pads);
  }
  return attributes;
}

// A node of a sliding window with its window written out; not yet emitted.
Result<AttributeMap> WrittenOut(const IrNode& node, const std::string& op, const std::vector<std::string>& inputs,
                                AttributeMap attributes) {
  SourceNode window;
  window.name = node.layer.name;
  window.op = op;
  window.inputs = inputs;
  window.attributes = std::move(attributes);
  BNN_RETURN_IF_ERROR(WriteOutWindow(&window, *node.builder));
  return std::move(window.attributes);
}

Status FinishConv(const IrNode& node, const std::string& weights, int64_t groups) {
  BNN_ASSIGN_OR_RETURN(AttributeMap attributes, WindowAttributes(node, true));
  attributes["group"] = groups;
  const std::vector<std::string> inputs = {node.inputs[0], weights};
  BNN_ASSIGN_OR_RETURN(attributes, WrittenOut(node, "Conv", inputs, std::move(attributes)));
  return node.Finish("Conv", inputs, attributes);
}

// The u1 weights of a BinaryConvolution as the numbers that they stand for.
Result<std::string> SignWeights(const IrNode& node) {
  const Tensor* bits = node.builder->shapes().FindKnown(node.inputs[1]);
  if (bits == nullptr) return node.NotSupported("its weights, input 1, are not constant");
  if (bits->type != DType::kInt64) return node.Error("its weights, input 1, are not of the type u1");
  Tensor signs = FloatTensor(bits->dims, {});
  for (const int64_t bit : bits->integers) {
    if (bit != 0 && bit != 1)
      return node.Error("its weights, input 1, hold " + std::to_string(bit) + ", expected bits");
    signs.floats.push_back(bit == 1 ? 1.0F : -1.0F);
  }
  return node.Constant("weights", std::move(signs));
}

// The axis attribute from the front.
Result<int64_t> AxisAttribute(const IrNode& node, int64_t fallback) {
  BNN_ASSIGN_OR_RETURN(const int64_t axis, node.Int("axis", fallback));
  const int64_t rank = node.RankOf(0);
  if (axis < -rank || axis >= rank) {
    return node.Error("attribute 'axis' is " + std::to_string(axis) + ", the input has rank " + std::to_string(rank));
  }
  return axis < 0 ? axis + rank : axis;
}

// `value` with its last two axes swapped, where that changes anything.
Result<std::string> Transposed(const IrNode& node, size_t input) {
  const int64_t rank = node.RankOf(input);
  if (rank < 2) return node.inputs[input];
  std::vector<int64_t> perm;
  for (int64_t i = 0; i < rank; ++i) perm.push_back(i);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return node.Step("Transpose", {node.inputs[input]}, {{"perm", perm}});
}

}  // namespace

Status ImportConvolution(const IrNode& node) { return FinishConv(node, node.inputs[1], 1); }

// Weights [groups, out / groups, in / groups, h, w] -> [out, in / groups, h, w].
Status ImportGroupConvolution(const IrNode& node) {
  const Dims weights = node.DimsOf(1);
  if (weights.size() < 3)
    return node.Error("weights have dims " + DimsToString(weights) + ", expected one more for the groups");
  std::vector<int64_t> merged(weights.begin() + 1, weights.end());
  merged[0] = -1;
  if (CountElements(weights) == 0) return node.Error("weights have dims " + DimsToString(weights));
  BNN_ASSIGN_OR_RETURN(const std::string reshaped,
                       node.Step("Reshape", {node.inputs[1], node.IntsConstant("weights_dims", merged)}));
  return FinishConv(node, reshaped, weights[0]);
}

// Whatever feeds it is read as bits, x > 0, and the convolution is one of +-1. So the sign is written out in front of
// it, as FakeQuantize with both input limits 0. pad_value says what padding counts as: 0 excludes it from the sum, as
// the zeros of a Conv do; +-1 are numbers like the others, which a Pad puts there.
Status ImportBinaryConvolution(const IrNode& node) {
  BNN_RETURN_IF_ERROR(node.Word("mode", {"xnor-popcount"}).status());
  BNN_ASSIGN_OR_RETURN(const float pad_value, node.Float("pad_value"));
  if (pad_value != 0 && pad_value != 1 && pad_value != -1) {
    return node.NotSupported("attribute 'pad_value' is " + node.layer.data.at("pad_value") + "; supported: -1, 0, 1");
  }
  BNN_ASSIGN_OR_RETURN(const std::string weights, SignWeights(node));
  const std::string zero = node.Constant("threshold", FloatTensor({}, {0}));
  const std::string low = node.Constant("low", FloatTensor({}, {-1}));
  const std::string high = node.Constant("high", FloatTensor({}, {1}));
  BNN_ASSIGN_OR_RETURN(const std::string signs,
                       node.Step("FakeQuantize", {node.inputs[0], zero, zero, low, high}, {{"levels", int64_t{2}}}));
  BNN_ASSIGN_OR_RETURN(AttributeMap attributes, WindowAttributes(node, true));
  BNN_ASSIGN_OR_RETURN(attributes, WrittenOut(node, "Conv", {signs, weights}, std::move(attributes)));
  const auto pads = std::get<std::vector<int64_t>>(attributes["pads"]);
  const bool pads_anything = std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; });
  if (pad_value == 0 || !pads_anything) return node.Finish("Conv", {signs, weights}, attributes);
  const std::vector<int64_t> all_pads = {0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]};
  BNN_ASSIGN_OR_RETURN(const std::string padded,
                       node.Step("Pad", {signs, node.IntsConstant("pads", all_pads),
                                         node.Constant("pad_value", FloatTensor({}, {pad_value}))}));
  attributes["pads"] = std::vector<int64_t>{0, 0, 0, 0};
  return node.Finish("Conv", {padded, weights}, attributes);
}

Status ImportMatMul(const IrNode& node) {
  std::vector<std::string> inputs = node.inputs;
  const char* const keys[] = {"transpose_a", "transpose_b"};
  for (size_t i = 0; i < 2; ++i) {
    BNN_ASSIGN_OR_RETURN(const bool transposes, node.Bool(keys[i], false));
    if (!transposes) continue;
    BNN_ASSIGN_OR_RETURN(inputs[i], Transposed(node, i));
  }
  return node.Finish("MatMul", inputs);
}

// MaxPool has dilations since opset 8, AvgPool since opset 16.
Status ImportPool(const IrNode& node) {
  const bool is_max = node.op == "MaxPool";
  BNN_ASSIGN_OR_RETURN(AttributeMap attributes, WindowAttributes(node, node.Has("dilations")));
  BNN_ASSIGN_OR_RETURN(attributes["kernel_shape"], node.Ints("kernel"));
  BNN_ASSIGN_OR_RETURN(const std::string rounding,
                       node.Word("rounding_type", {"floor", "ceil", "ceil_torch"}, "floor"));
  attributes["ceil_mode"] = int64_t{rounding == "floor" ? 0 : 1};
  if (!is_max) {
    BNN_ASSIGN_OR_RETURN(const bool excludes_pads, node.Bool("exclude-pad"));
    attributes["count_include_pad"] = int64_t{excludes_pads ? 0 : 1};
  }
  BNN_ASSIGN_OR_RETURN(attributes, WrittenOut(node, node.op, {node.inputs[0]}, std::move(attributes)));
  return node.Finish(node.op, {node.inputs[0]}, attributes);
}

// Before opset 5 the data was the third input.
Status ImportBatchNorm(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const float epsilon, node.Float("epsilon"));
  std::vector<std::string> inputs = node.inputs;
  if (node.layer.opset < 5) std::rotate(inputs.begin(), inputs.begin() + 2, inputs.begin() + 3);
  return node.Finish("BatchNormalization", inputs, {{"epsilon", epsilon}});
}

Status ImportSoftmax(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(node, 1));
  return node.Finish(node.op, node.inputs, {{"axis", axis}});
}

// Axes are an input; none of them reduce nothing. The norms L1 and L2 are sums of magnitudes and of squares.
Status ImportReduce(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, node.KnownInts(1));
  BNN_ASSIGN_OR_RETURN(const bool keep_dims, node.Bool("keep_dims", false));
  if (axes.empty()) return node.Finish("Identity", {node.inputs[0]});
  std::string x = node.inputs[0];
  if (node.op == "ReduceL1") {
    BNN_ASSIGN_OR_RETURN(x, node.Step("Abs", {x}));
  } else if (node.op == "ReduceL2") {
    BNN_ASSIGN_OR_RETURN(x, node.Step("Mul", {x, x}));
  }
  const bool is_norm = node.op == "ReduceL1" || node.op == "ReduceL2";
  const std::vector<std::string> inputs = {x, node.IntsConstant("axes", axes)};
  const AttributeMap attributes = {{"keepdims", int64_t{keep_dims ? 1 : 0}}};
  if (node.op != "ReduceL2") return node.Finish(is_norm ? "ReduceSum" : node.op, inputs, attributes);
  BNN_ASSIGN_OR_RETURN(const std::string sum, node.Step("ReduceSum", inputs, attributes));
  return node.Finish("Sqrt", {sum});
}

}  // namespace bnn::formats
