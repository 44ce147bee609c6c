#include "engine/ops/int8_layer.h"

#include <cmath>
#include <variant>

namespace bnn::engine {
namespace {

using formats::ElementType;
using formats::kNone;
using formats::NodeDef;

// The float part, one node of the chain after the other.
class Finisher {
 public:
  Finisher(const StepContext& context, Int8Finish* finish) : context_(context), finish_(*finish) {}

  void Start(const formats::Quantization& input, int weight_scales, int bias, int64_t channels) {
    finish_.src_zero_point = input.zero_point;
    for (int64_t c = 0; c < channels; ++c) finish_.scale.push_back(input.scale * At(weight_scales, c));
    if (bias == kNone) return;
    for (int64_t c = 0; c < channels; ++c) finish_.bias.push_back(At(bias, c));
  }

  void Apply(const formats::Affine& affine) {
    finish_.bias.resize(finish_.scale.size(), 0.0f);
    for (size_t c = 0; c < finish_.scale.size(); ++c) {
      const float a = At(affine.scale, static_cast<int64_t>(c));
      finish_.scale[c] *= a;
      finish_.bias[c] = std::fma(finish_.bias[c], a, At(affine.bias, static_cast<int64_t>(c)));
    }
  }

  void Apply(const formats::Clamp& clamp) {
    finish_.low = clamp.low;
    finish_.high = clamp.high;
  }

  // Limits that the saturation implies are dropped: a ReLU in front of a zero point of 0 costs nothing.
  void Apply(const formats::Quantize& quantize) {
    const float zero_point = static_cast<float>(quantize.to.zero_point);
    const auto to_integers = [&](float y) { return y / quantize.to.scale + zero_point; };
    for (float& scale : finish_.scale) scale /= quantize.to.scale;
    if (zero_point != 0) finish_.bias.resize(finish_.scale.size(), 0.0f);
    for (float& bias : finish_.bias) bias = to_integers(bias);
    finish_.low = to_integers(finish_.low);
    finish_.high = to_integers(finish_.high);
    const formats::IntegerRange range = formats::RangeOf(quantize.type);
    if (finish_.low <= static_cast<float>(range.low)) finish_.low = -std::numeric_limits<float>::infinity();
    if (finish_.high >= static_cast<float>(range.high)) finish_.high = std::numeric_limits<float>::infinity();
  }

 private:
  float At(int blob, int64_t channel) const {
    const int64_t count = formats::ElementCount(context_.model.blobs[static_cast<size_t>(blob)].dims);
    return context_.BlobFloats(blob)[count == 1 ? 0 : channel];
  }

  const StepContext& context_;
  Int8Finish& finish_;
};

WindowShape DenseShape(const StepContext& context, const FloatNode& node) {
  WindowShape shape;
  shape.in_w = shape.out_w = context.plan.batch;
  shape.in_c = formats::ElementCount(context.Tensor(node.inputs[0]).dims);
  shape.out_c = formats::ElementCount(context.Tensor(node.output).dims);
  return shape;
}

}  // namespace

Result<Int8Layer> DescribeInt8Layer(const StepContext& context, const Group& group) {
  const auto node_at = [&](int n) -> const NodeDef& { return context.model.nodes[static_cast<size_t>(n)]; };
  const NodeDef& source = node_at(group.source_node);
  Int8Layer layer;
  layer.node = {source.name, {group.input}, group.int8_output != kNone ? group.int8_output : group.float_output};
  layer.src_type = context.Tensor(group.input).type;
  layer.dst_type = context.Tensor(layer.node.output).type;
  Finisher finisher(context, &layer.finish);
  if (const auto* conv = std::get_if<formats::QConv2d>(&source.op)) {
    BNN_ASSIGN_OR_RETURN(layer.shape, WindowShapeOf(context, layer.node, conv->window));
    layer.groups = conv->groups;
    layer.weights = conv->weights;
    layer.op = "qconv2d";
    layer.shape_text = ShapeText(layer.shape) + (layer.groups > 1 ? " g" + std::to_string(layer.groups) : "");
    finisher.Start(conv->input, conv->weight_scales, conv->bias, layer.shape.out_c);
  } else {
    const auto& dense = std::get<formats::QDense>(source.op);
    layer.shape = DenseShape(context, layer.node);
    layer.weights = dense.weights;
    layer.op = "qdense";
    layer.shape_text = std::to_string(layer.shape.in_c) + " -> " + std::to_string(layer.shape.out_c);
    finisher.Start(dense.input, dense.weight_scales, dense.bias, layer.shape.out_c);
  }
  for (const int n : group.chain) {
    if (const auto* affine = std::get_if<formats::Affine>(&node_at(n).op)) {
      finisher.Apply(*affine);
      layer.op += "+affine";
    } else {
      finisher.Apply(std::get<formats::Clamp>(node_at(n).op));
      layer.op += "+clamp";
    }
  }
  if (group.quantize != kNone) {
    finisher.Apply(std::get<formats::Quantize>(node_at(group.quantize).op));
    layer.op += "+quantize";
  }
  return layer;
}

std::shared_ptr<const int8_t> Int8Weights(const StepContext& context, const Int8Layer& layer) {
  const std::shared_ptr<const WeightStore::Source> source = context.weights.SourceOf(layer.weights);
  return {source, reinterpret_cast<const int8_t*>(source->data())};
}

}  // namespace bnn::engine
