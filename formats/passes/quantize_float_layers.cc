#include "formats/passes/quantize_float_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "formats/passes/graph_edit.h"

namespace bnn::formats {
namespace {

constexpr float kWeightSteps = 127;
constexpr float kActivationSteps = 255;  // of uint8

// The axis of the weights along which output channels lie, or -1 where the node is no layer with constant weights.
int64_t OutputAxis(const SourceGraph& graph, const SourceNode& node) {
  const Tensor* weights = node.HasInput(1) ? graph.FindConstant(node.inputs[1]) : nullptr;
  if (weights == nullptr || weights->type != DType::kFloat32) return -1;
  if (node.op == "Conv" && weights->dims.size() == 4) return 0;
  if (weights->dims.size() != 2) return -1;
  if (node.op == "MatMul") return 1;
  return node.op == "Gemm" ? (node.Int("transB", 0) != 0 ? 0 : 1) : -1;
}

// Each weight as the nearest multiple of its channel's step.
Tensor RoundWeights(const Tensor& weights, int64_t axis) {
  const auto channels = static_cast<size_t>(weights.dims[static_cast<size_t>(axis)]);
  size_t inner = 1;
  for (size_t i = static_cast<size_t>(axis) + 1; i < weights.dims.size(); ++i) {
    inner *= static_cast<size_t>(weights.dims[i]);
  }
  std::vector<float> largest(channels, 0.0f);
  const auto channel = [&](size_t i) { return i / inner % channels; };
  for (size_t i = 0; i < weights.floats.size(); ++i) {
    largest[channel(i)] = std::max(largest[channel(i)], std::fabs(weights.floats[i]));
  }
  Tensor rounded = weights;
  for (size_t i = 0; i < rounded.floats.size(); ++i) {
    const float step = largest[channel(i)] / kWeightSteps;
    if (step > 0) rounded.floats[i] = std::nearbyint(rounded.floats[i] / step) * step;
  }
  return rounded;
}

class Quantizer {
 public:
  Quantizer(SourceGraph* graph, const std::map<std::string, ActivationRange>& ranges)
      : graph_(*graph), ranges_(ranges) {}

  Result<std::vector<QuantizedFloatLayer>> Run(const std::set<std::string>& layers) {
    std::vector<QuantizedFloatLayer> done;
    std::vector<SourceNode> nodes = std::exchange(graph_.nodes, {});
    for (SourceNode& node : nodes) {
      const int64_t axis = layers.count(node.name) > 0 ? OutputAxis(graph_, node) : -1;
      if (axis >= 0) {
        BNN_ASSIGN_OR_RETURN(QuantizedFloatLayer layer, QuantizeInput(&node));
        node.inputs[1] =
            AddConstant(&graph_, node.inputs[1] + "/rounded", RoundWeights(*graph_.FindConstant(node.inputs[1]), axis));
        done.push_back(std::move(layer));
      }
      graph_.nodes.push_back(std::move(node));
    }
    return done;
  }

 private:
  // Zero must be one of the integers, for padding and because ReLU makes so many; so the range always holds it.
  Result<QuantizedFloatLayer> Parameters(const SourceNode& node) const {
    QuantizedFloatLayer layer;
    layer.name = node.name;
    layer.value = node.inputs[0];
    const auto range = ranges_.find(layer.value);
    if (range == ranges_.end()) {
      return InvalidArgument("node '" + node.name + "': the range of its input '" + layer.value + "' is not known");
    }
    layer.range = range->second;
    if (!std::isfinite(layer.range.low) || !std::isfinite(layer.range.high) || layer.range.low > layer.range.high) {
      return InvalidArgument("node '" + node.name + "': the range of its input '" + layer.value + "' is [" +
                             std::to_string(layer.range.low) + ", " + std::to_string(layer.range.high) + "]");
    }
    const double low = std::min(layer.range.low, 0.0f), high = std::max(layer.range.high, 0.0f);
    const double step = (high - low) / kActivationSteps;
    if (!std::isnormal(static_cast<float>(step))) return layer;  // nothing but zeros: any scale will do
    layer.scale = static_cast<float>(step);
    layer.zero_point = std::llround(-low / step);
    return layer;
  }

  // Makes the node read its input through QuantizeLinear and DequantizeLinear; layers that share an input share them.
  Result<QuantizedFloatLayer> QuantizeInput(SourceNode* node) {
    BNN_ASSIGN_OR_RETURN(QuantizedFloatLayer layer, Parameters(*node));
    const auto [known, is_new] = dequantized_.try_emplace(layer.value);
    if (is_new) {
      const Dims dims = graph_.FindValue(layer.value)->dims;
      SourceNode quantize;
      quantize.name = layer.value + "/QuantizeLinear";
      quantize.op = "QuantizeLinear";
      quantize.inputs = {layer.value, AddConstant(&graph_, layer.value + "/scale", FloatTensor({}, {layer.scale})),
                         AddConstant(&graph_, layer.value + "/zero_point", IntTensor({}, {layer.zero_point}))};
      quantize.outputs = {NewValueName(graph_, layer.value + "/quantized")};
      quantize.attributes = {{"low", int64_t{0}}, {"high", int64_t{255}}};
      graph_.values[quantize.outputs[0]] = {DType::kInt64, dims};
      SourceNode dequantize;
      dequantize.name = layer.value + "/DequantizeLinear";
      dequantize.op = "DequantizeLinear";
      dequantize.inputs = {quantize.outputs[0], quantize.inputs[1], quantize.inputs[2]};
      dequantize.outputs = {NewValueName(graph_, layer.value + "/dequantized")};
      graph_.values[dequantize.outputs[0]] = {DType::kFloat32, dims};
      known->second = dequantize.outputs[0];
      graph_.nodes.push_back(std::move(quantize));
      graph_.nodes.push_back(std::move(dequantize));
    }
    node->inputs[0] = known->second;
    return layer;
  }

  SourceGraph& graph_;
  const std::map<std::string, ActivationRange>& ranges_;
  std::map<std::string, std::string> dequantized_;  // value -> what its DequantizeLinear gives
};

}  // namespace

std::vector<std::string> DataInputsOf(const SourceGraph& graph, const std::set<std::string>& layers) {
  std::vector<std::string> values;
  for (const SourceNode& node : graph.nodes) {
    if (layers.count(node.name) == 0 || OutputAxis(graph, node) < 0) continue;
    if (std::find(values.begin(), values.end(), node.inputs[0]) == values.end()) values.push_back(node.inputs[0]);
  }
  return values;
}

Result<std::vector<QuantizedFloatLayer>> QuantizeFloatLayers(SourceGraph* graph, const std::set<std::string>& layers,
                                                             const std::map<std::string, ActivationRange>& ranges) {
  return Quantizer(graph, ranges).Run(layers);
}

}  // namespace bnn::formats
