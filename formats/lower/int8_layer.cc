// Layers whose two inputs are 8-bit integers: y = sum(q_a * q_w) * (scale_a * scale_w[c]) + bias[c].
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "formats/lower/layer.h"

namespace bnn::formats {
namespace {

std::string QuantizationToString(ElementType type, const Quantization& quantization) {
  char text[96];
  std::snprintf(text, sizeof(text), "%s, scale %.6g, zero point %d", type == ElementType::kInt8 ? "int8" : "uint8",
                static_cast<double>(quantization.scale), static_cast<int>(quantization.zero_point));
  return text;
}

std::string DescribeScales(const std::vector<float>& scales) {
  const auto [least, most] = std::minmax_element(scales.begin(), scales.end());
  char text[96];
  if (*least == *most) {
    std::snprintf(text, sizeof(text), "weights int8, scale %.6g", static_cast<double>(*least));
  } else {
    std::snprintf(text, sizeof(text), "weights int8, scales per output channel in [%.6g, %.6g]",
                  static_cast<double>(*least), static_cast<double>(*most));
  }
  return text;
}

// Columns of weights in the order of a flattened map (see ReorderColumns).
std::vector<int8_t> InOrder(const Layer& layer, const Form& data, const std::vector<int8_t>& integers) {
  if (data.order != Order::kFlattened) return integers;
  std::vector<int8_t> ordered(integers.size());
  for (int64_t i = 0; i < static_cast<int64_t>(integers.size()); ++i) {
    const int64_t row = i / layer.terms * layer.terms;
    ordered[static_cast<size_t>(i)] = integers[static_cast<size_t>(row + SourceIndex(data.map, i - row))];
  }
  return ordered;
}

}  // namespace

Result<Int8Form> FindInt8Form(const Lowering& lowering, const Layer& layer) {
  Int8Form form;
  const Lowering::Integers* data = lowering.FindIntegers(layer.data);
  if (data == nullptr) {
    const auto refused = lowering.refused_quantizers.find(layer.data);
    if (refused != lowering.refused_quantizers.end()) return Unsupported(refused->second);
    return Unsupported("activations are not quantized");
  }
  form.data = *data;
  const std::string activations =
      "activations " + QuantizationToString(lowering.builder.tensor(data->form.tensor).type, data->from);
  if (layer.terms > kMaxInt8Terms) {
    return Unsupported(activations + "; a sum of " + std::to_string(layer.terms) + " terms is above the limit of " +
                       std::to_string(kMaxInt8Terms));
  }
  Result<IntegerGrid> grid = FindIntegerGrid(layer.weights, layer.out_channels);
  if (!grid.ok()) return Unsupported(activations + "; " + grid.status().message());
  form.weights = *std::move(grid);
  form.reason = activations + "; " + DescribeScales(form.weights.scales);
  return form;
}

Result<int64_t> LowerInt8Layer(Lowering& lowering, const Layer& layer, const Int8Form& form) {
  const SourceNode& node = *layer.node;
  const int bias = layer.bias.empty() ? kNone : lowering.builder.AddFloats({layer.out_channels}, layer.bias);
  std::vector<float> scales = form.weights.scales;
  if (std::all_of(scales.begin(), scales.end(), [&](float s) { return s == scales[0]; })) scales.resize(1);
  const int weight_scales = lowering.ChannelBlob(scales);
  Form out;
  if (layer.is_conv) {
    const int64_t taps = layer.window.kernel_h * layer.window.kernel_w;
    QConv2d conv;
    conv.window = layer.window;
    conv.groups = layer.groups;
    conv.input = form.data.from;
    conv.weights = lowering.builder.AddInt8(
        {layer.out_channels, layer.window.kernel_h, layer.window.kernel_w, layer.terms / taps}, form.weights.integers);
    conv.weight_scales = weight_scales;
    conv.bias = bias;
    out.order = Order::kNhwc;
    BNN_ASSIGN_OR_RETURN(out.tensor, lowering.Emit(node, conv, {form.data.form.tensor}, node.outputs[0]));
  } else {
    QDense dense;
    dense.input = form.data.from;
    dense.weights = lowering.builder.AddInt8({layer.out_channels, layer.terms},
                                             InOrder(layer, form.data.form, form.weights.integers));
    dense.weight_scales = weight_scales;
    dense.bias = bias;
    BNN_ASSIGN_OR_RETURN(out.tensor, lowering.Emit(node, dense, {form.data.form.tensor}, node.outputs[0]));
  }
  lowering.SetFloats(node.outputs[0], out);
  return static_cast<int64_t>(form.weights.integers.size() + scales.size() * sizeof(float));
}

}  // namespace bnn::formats
