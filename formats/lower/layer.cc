#include "formats/lower/layer.h"

#include <algorithm>
#include <utility>

#include "formats/lower/window.h"
#include "formats/passes/channels.h"

namespace bnn::formats {
namespace {

// Weights and bias must be constants: a model holds them.
Result<const Tensor*> ConstantFloats(const Lowering& lowering, const SourceNode& node, size_t index, const char* what) {
  const Tensor* tensor = lowering.graph.FindConstant(node.inputs[index]);
  if (tensor == nullptr) return NodeNotLowered(node, std::string("its ") + what + " are not constant");
  if (tensor->type != DType::kFloat32) {
    return NodeNotLowered(node, std::string("its ") + what + " are " + DTypeName(tensor->type));
  }
  return tensor;
}

Result<Layer> ParseConv(const Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const Tensor* weights, ConstantFloats(lowering, node, 1, "weights"));
  const Dims& in = lowering.DimsOf(node.inputs[0]);
  const Dims& out = lowering.DimsOf(node.outputs[0]);
  if (in.size() != 4 || weights->dims.size() != 4 || out.size() != 4) {
    return NodeNotLowered(node, "only two-dimensional convolutions are supported; its input is " + DimsToString(in));
  }
  Layer layer;
  layer.is_conv = true;
  layer.groups = node.Int("group", 1);
  layer.out_channels = weights->dims[0];
  const int64_t in_channels = weights->dims[1], kernel_h = weights->dims[2], kernel_w = weights->dims[3];
  if (layer.groups < 1 || layer.out_channels % layer.groups != 0 || in_channels * layer.groups != in[1]) {
    return NodeNotLowered(node, "weights " + DimsToString(weights->dims) + " do not fit input " + DimsToString(in) +
                                    " with " + std::to_string(layer.groups) + " groups");
  }
  BNN_ASSIGN_OR_RETURN(layer.window, ParseWindow(node, kernel_h, kernel_w));
  if (layer.window.kernel_h != kernel_h || layer.window.kernel_w != kernel_w) {
    return NodeNotLowered(node, "its kernel_shape does not fit weights " + DimsToString(weights->dims));
  }
  layer.terms = in_channels * kernel_h * kernel_w;
  layer.macs = out[1] * out[2] * out[3] * layer.terms;
  layer.weights.resize(weights->floats.size());
  size_t next = 0;  // OIHW -> OHWI
  for (int64_t o = 0; o < layer.out_channels; ++o) {
    for (int64_t hw = 0; hw < kernel_h * kernel_w; ++hw) {
      for (int64_t i = 0; i < in_channels; ++i) {
        layer.weights[next++] = weights->floats[static_cast<size_t>((o * in_channels + i) * kernel_h * kernel_w + hw)];
      }
    }
  }
  if (node.HasInput(2)) {
    BNN_ASSIGN_OR_RETURN(const Tensor* bias, ConstantFloats(lowering, node, 2, "bias"));
    if (bias->size() != layer.out_channels) {
      return NodeNotLowered(node, "its bias " + DimsToString(bias->dims) + " is not one value per output channel");
    }
    layer.bias = bias->floats;
  }
  return layer;
}

// y = alpha * x * W + beta * bias.
Result<Layer> ParseDense(const Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const Tensor* weights, ConstantFloats(lowering, node, 1, "weights"));
  const Dims& in = lowering.DimsOf(node.inputs[0]);
  const Dims& out = lowering.DimsOf(node.outputs[0]);
  if (in.size() != 2 || weights->dims.size() != 2 || out.size() != 2) {
    return NodeNotLowered(node, "only [batch, features] x [features, outputs] is supported; found " + DimsToString(in) +
                                    " x " + DimsToString(weights->dims));
  }
  if (node.Int("transA", 0) != 0) return NodeNotLowered(node, "transA mixes samples");
  const bool is_gemm = node.op == "Gemm";
  const bool out_first = is_gemm && node.Int("transB", 0) != 0;
  const float alpha = is_gemm ? node.Float("alpha", 1) : 1, beta = is_gemm ? node.Float("beta", 1) : 1;
  Layer layer;
  layer.out_channels = weights->dims[out_first ? 0 : 1];
  layer.terms = weights->dims[out_first ? 1 : 0];
  layer.macs = layer.out_channels * layer.terms;
  layer.weights.resize(weights->floats.size());
  for (int64_t o = 0; o < layer.out_channels; ++o) {
    for (int64_t i = 0; i < layer.terms; ++i) {
      const int64_t from = out_first ? o * layer.terms + i : i * layer.out_channels + o;
      layer.weights[static_cast<size_t>(o * layer.terms + i)] = alpha * weights->floats[static_cast<size_t>(from)];
    }
  }
  if (is_gemm && node.HasInput(2)) {
    BNN_ASSIGN_OR_RETURN(const Tensor* bias, ConstantFloats(lowering, node, 2, "bias"));
    std::optional<std::vector<float>> values = PerChannel(*bias, out);
    if (!values) return NodeNotLowered(node, "its bias " + DimsToString(bias->dims) + " is not one value per output");
    if (values->size() == 1) values->assign(static_cast<size_t>(layer.out_channels), (*values)[0]);
    for (const float b : *values) layer.bias.push_back(beta * b);
  }
  return layer;
}

}  // namespace

Result<Layer> ParseLayer(const Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(Layer layer, node.op == "Conv" ? ParseConv(lowering, node) : ParseDense(lowering, node));
  layer.node = &node;
  layer.data = node.inputs[0];
  if (lowering.graph.FindConstant(layer.data) != nullptr) return NodeNotLowered(node, "its data input is constant");
  return layer;
}

std::vector<float> ReorderColumns(const Layer& layer, const MapDims& map) {
  std::vector<float> weights(layer.weights.size());
  for (int64_t o = 0; o < layer.out_channels; ++o) {
    for (int64_t i = 0; i < layer.terms; ++i) {
      weights[static_cast<size_t>(o * layer.terms + i)] =
          layer.weights[static_cast<size_t>(o * layer.terms + SourceIndex(map, i))];
    }
  }
  return weights;
}

namespace {

// Appends the layer as binary, or else int8, or else float, and reports which and why.
Status LowerAsWhatItCanBe(Lowering& lowering, const Layer& layer, LayerReport* report) {
  const Result<BinaryForm> binary = FindBinaryForm(lowering, layer);
  if (binary.ok()) {
    report->runs_as = RunsAs::kBinary;
    report->reason = binary->reason;
    BNN_ASSIGN_OR_RETURN(report->model_bytes, LowerBinaryLayer(lowering, layer, *binary));
    return OkStatus();
  }
  const Result<Int8Form> int8 = FindInt8Form(lowering, layer);
  if (int8.ok()) {
    report->runs_as = RunsAs::kInt8;
    report->reason = int8->reason;
    BNN_ASSIGN_OR_RETURN(report->model_bytes, LowerInt8Layer(lowering, layer, *int8));
    return OkStatus();
  }
  // Where the source quantizes the activations, why not int8 says more than why not binary.
  report->reason = lowering.IsQuantized(layer.data) ? int8.status().message() : binary.status().message();
  BNN_ASSIGN_OR_RETURN(report->model_bytes, LowerFloatLayer(lowering, layer));
  return OkStatus();
}

}  // namespace

Status LowerLayer(Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const Layer layer, ParseLayer(lowering, node));
  LayerReport report;
  report.name = node.name;
  report.op = node.op;
  report.macs = layer.macs;
  report.source_bytes = static_cast<int64_t>(layer.weights.size() * sizeof(float));
  const auto zeros = std::count(layer.weights.begin(), layer.weights.end(), 0.0f);
  if (zeros > 0) report.sparsity = static_cast<double>(zeros) / static_cast<double>(layer.weights.size());
  BNN_RETURN_IF_ERROR(LowerAsWhatItCanBe(lowering, layer, &report));
  lowering.report->layers.push_back(std::move(report));
  return OkStatus();
}

Result<int64_t> LowerFloatLayer(Lowering& lowering, const Layer& layer) {
  const SourceNode& node = *layer.node;
  const auto weight_bytes = static_cast<int64_t>(layer.weights.size() * sizeof(float));
  const int bias = layer.bias.empty() ? kNone : lowering.builder.AddFloats({layer.out_channels}, layer.bias);
  Form out;
  if (layer.is_conv) {
    Conv2d conv;
    conv.window = layer.window;
    conv.groups = layer.groups;
    conv.bias = bias;
    const int64_t taps = layer.window.kernel_h * layer.window.kernel_w;
    conv.weights = lowering.builder.AddFloats(
        {layer.out_channels, layer.window.kernel_h, layer.window.kernel_w, layer.terms / taps}, layer.weights);
    BNN_ASSIGN_OR_RETURN(const int data, lowering.Stored(layer.data));
    out.order = Order::kNhwc;
    BNN_ASSIGN_OR_RETURN(out.tensor, lowering.Emit(node, conv, {data}, node.outputs[0]));
  } else {
    BNN_ASSIGN_OR_RETURN(const Form data, lowering.Any(layer.data));
    const bool flattened = data.order == Order::kFlattened;
    Dense dense;
    dense.bias = bias;
    dense.weights = lowering.builder.AddFloats({layer.out_channels, layer.terms},
                                               flattened ? ReorderColumns(layer, data.map) : layer.weights);
    BNN_ASSIGN_OR_RETURN(out.tensor, lowering.Emit(node, dense, {data.tensor}, node.outputs[0]));
  }
  lowering.SetFloats(node.outputs[0], out);
  return weight_bytes;
}

}  // namespace bnn::formats
