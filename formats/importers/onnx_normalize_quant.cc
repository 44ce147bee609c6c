// Quantization to 8-bit integers.
#include <onnx/onnx_pb.h>

#include <cmath>
#include <string>
#include <utility>

#include "formats/importers/onnx_normalize.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

using onnx::TensorProto;

// Scale and zero point are the inputs `first` and `first + 1`. Only constants can be part of a model.
Status CheckParameters(const SourceNode& node, OnnxGraphBuilder* builder, size_t first) {
  if (!node.HasInput(first)) return NodeError(node, "its scale, input " + std::to_string(first) + ", is absent");
  if (node.Int("block_size", 0) != 0) return NodeUnsupported(node, "quantizes in blocks");
  const auto known = [&](size_t i) { return builder->shapes().FindKnown(node.inputs[i]); };
  const Tensor* scale = known(first);
  if (scale == nullptr) return NodeUnsupported(node, "its scale is not constant");
  for (const float s : scale->floats) {
    if (!std::isfinite(s) || s <= 0) return NodeError(node, "its scale is " + std::to_string(s));
  }
  if (node.HasInput(first + 1) && known(first + 1) == nullptr) {
    return NodeUnsupported(node, "its zero point is not constant");
  }
  return OkStatus();
}

// The range of the integers that `type` holds.
Status SetRange(int32_t type, SourceNode* node) {
  if (type != TensorProto::INT8 && type != TensorProto::UINT8) {
    return NodeUnsupported(*node, "quantizes to data type " + std::to_string(type) + ", not to int8 or uint8");
  }
  node->attributes["low"] = int64_t{type == TensorProto::INT8 ? -128 : 0};
  node->attributes["high"] = int64_t{type == TensorProto::INT8 ? 127 : 255};
  return OkStatus();
}

void DropQuantizationAttributes(SourceNode* node) {
  for (const char* key : {"block_size", "output_dtype", "saturate", "precision"}) node->attributes.erase(key);
}

// One of the two nodes around an operator on quantized tensors, with parameters that are inputs `first`, `first + 1`
// of `whole`.
SourceNode LinearNode(const SourceNode& whole, const char* op, const std::string& suffix, std::string input,
                      size_t first, std::string output) {
  SourceNode node;
  node.name = whole.name + suffix;
  node.op = op;
  node.inputs = {std::move(input), whole.inputs[first], whole.inputs[first + 1]};
  node.outputs = {std::move(output)};
  return node;
}

// The int32 bias of a QLinearConv has the scale of the products: scale of the input times that of the weights.
Result<std::string> BiasAsFloats(const SourceNode& node, OnnxGraphBuilder* builder) {
  const Tensor* bias = builder->shapes().FindKnown(node.inputs[8]);
  if (bias == nullptr || bias->type != DType::kInt64) return NodeUnsupported(node, "its bias is no constant integers");
  const Tensor& x_scale = *builder->shapes().FindKnown(node.inputs[1]);
  const Tensor& w_scale = *builder->shapes().FindKnown(node.inputs[4]);
  if (x_scale.size() != 1 || (w_scale.size() != 1 && w_scale.size() != bias->size())) {
    return NodeError(node, "its scales do not fit its bias " + DimsToString(bias->dims));
  }
  std::vector<float> values;
  for (size_t i = 0; i < bias->integers.size(); ++i) {
    const double w = w_scale.floats[w_scale.size() == 1 ? 0 : i];
    values.push_back(static_cast<float>(static_cast<double>(bias->integers[i]) * (double{x_scale.floats[0]} * w)));
  }
  return builder->AddConstant(node.inputs[8] + "/float32", FloatTensor(bias->dims, std::move(values)));
}

}  // namespace

// The type is that of the zero point, or output_dtype (opset 21), or uint8.
Status NormalizeQuantizeLinear(SourceNode node, OnnxGraphBuilder* builder) {
  BNN_RETURN_IF_ERROR(CheckParameters(node, builder, 1));
  int32_t type = static_cast<int32_t>(node.Int("output_dtype", 0));
  if (node.HasInput(2)) type = builder->ElementTypeOf(node.inputs[2]);
  BNN_RETURN_IF_ERROR(SetRange(type == 0 && !node.HasInput(2) ? int32_t{TensorProto::UINT8} : type, &node));
  DropQuantizationAttributes(&node);
  return builder->Emit(std::move(node));
}

Status NormalizeDequantizeLinear(SourceNode node, OnnxGraphBuilder* builder) {
  BNN_RETURN_IF_ERROR(CheckParameters(node, builder, 1));
  DropQuantizationAttributes(&node);
  return builder->Emit(std::move(node));
}

// QLinearConv: x, scale, zero point, w, scale, zero point, y scale, zero point, bias. QLinearMatMul: the same for a, b,
// y.
Status NormalizeQLinear(SourceNode node, OnnxGraphBuilder* builder) {
  const bool is_conv = node.op == "QLinearConv";
  for (size_t i = 0; i < 8; ++i) {
    if (!node.HasInput(i)) return NodeError(node, "required input " + std::to_string(i) + " is absent");
  }
  for (const size_t first : {1, 4, 6}) BNN_RETURN_IF_ERROR(CheckParameters(node, builder, first));
  SourceNode x =
      LinearNode(node, "DequantizeLinear", "/x", node.inputs[0], 1, builder->NewValueName(node.outputs[0] + "/x"));
  SourceNode w =
      LinearNode(node, "DequantizeLinear", "/w", node.inputs[3], 4, builder->NewValueName(node.outputs[0] + "/w"));
  // Scales of weights: one an output channel, or one a column.
  w.attributes["axis"] = int64_t{is_conv ? 0 : -1};
  SourceNode layer = node;
  layer.op = is_conv ? "Conv" : "MatMul";
  layer.inputs = {x.outputs[0], w.outputs[0]};
  layer.outputs = {builder->NewValueName(node.outputs[0] + "/float32")};
  if (is_conv && node.HasInput(8)) {
    BNN_ASSIGN_OR_RETURN(std::string bias, BiasAsFloats(node, builder));
    layer.inputs.push_back(std::move(bias));
  }
  SourceNode y = LinearNode(node, "QuantizeLinear", "/y", layer.outputs[0], 6, node.outputs[0]);
  BNN_RETURN_IF_ERROR(SetRange(builder->ElementTypeOf(node.inputs[7]), &y));
  BNN_RETURN_IF_ERROR(builder->Emit(std::move(x)));
  BNN_RETURN_IF_ERROR(builder->Emit(std::move(w)));
  BNN_RETURN_IF_ERROR(is_conv ? NormalizeWindow(std::move(layer), builder) : builder->Emit(std::move(layer)));
  return builder->Emit(std::move(y));
}

}  // namespace bnn::formats
