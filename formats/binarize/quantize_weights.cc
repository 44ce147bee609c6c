#include "formats/binarize/quantize_weights.h"

#include <utility>

#include "formats/binarize/binarize_layers.h"
#include "formats/passes/graph_edit.h"

namespace bnn::formats {

Result<WeightsQuantizer> WeightsQuantizerByName(const std::string& name) {
  if (name == "binary_mean_scaling") return WeightsQuantizer::kMeanScaling;
  if (name == "binary_channel_wise_mean_scaling") return WeightsQuantizer::kChannelWiseMeanScaling;
  return InvalidArgument("there is no weights quantizer '" + name +
                         "'; known are binary_mean_scaling and binary_channel_wise_mean_scaling");
}

Status QuantizeWeights(SourceGraph* graph, WeightsQuantizer quantizer, const std::set<std::string>& layers) {
  const NncfMode mean = quantizer == WeightsQuantizer::kMeanScaling ? NncfMode::kDorefa : NncfMode::kXnor;
  for (SourceNode& node : graph->nodes) {
    if (layers.count(node.name) == 0) continue;
    const Tensor* weights = node.HasInput(1) ? graph->FindConstant(node.inputs[1]) : nullptr;
    if (node.op != "Conv" || weights == nullptr || weights->type != DType::kFloat32 || weights->dims.size() != 4) {
      return InvalidArgument(graph->file + ": node '" + node.name + "' is no 2-D Conv with constant weights");
    }
    const std::vector<float> means = WeightScale(*weights, mean).floats;
    const size_t of_mean = weights->floats.size() / means.size();
    Tensor quantized = *weights;
    for (size_t i = 0; i < quantized.floats.size(); ++i) {
      float& w = quantized.floats[i];
      w = w >= 0 ? means[i / of_mean] : -means[i / of_mean];
    }
    node.inputs[1] = AddConstant(graph, node.inputs[1] + "/quantized", std::move(quantized));
  }
  return OkStatus();
}

}  // namespace bnn::formats
