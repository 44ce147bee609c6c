// ConvTranspose: a float layer. Its sums have another number of terms at each place, so it is no binary layer.
#include <string>
#include <utility>
#include <vector>

#include "formats/lower/operators.h"
#include "formats/ops/window.h"

namespace bnn::formats {
namespace {

// [in][out / group][h][w] -> [out][h][w][in / group].
std::vector<float> ToModelWeights(const Tensor& weights, int64_t groups) {
  const int64_t in = weights.dims[0], group_in = in / groups, group_out = weights.dims[1];
  const int64_t taps = weights.dims[2] * weights.dims[3];
  std::vector<float> result;
  result.reserve(weights.floats.size());
  for (int64_t o = 0; o < group_out * groups; ++o) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t i = o / group_out * group_in; i < (o / group_out + 1) * group_in; ++i) {
        result.push_back(weights.floats[static_cast<size_t>((i * group_out + o % group_out) * taps + tap)]);
      }
    }
  }
  return result;
}

const Tensor* FloatConstant(const Lowering& lowering, const std::string& value) {
  const Tensor* tensor = lowering.graph.FindConstant(value);
  return tensor != nullptr && tensor->type == DType::kFloat32 ? tensor : nullptr;
}

}  // namespace

Status LowerConvTranspose(Lowering& lowering, const SourceNode& node) {
  const Tensor* weights = FloatConstant(lowering, node.inputs[1]);
  if (weights == nullptr) return NodeNotLowered(node, "its weights are no constant floats");
  const Dims& in = lowering.DimsOf(node.inputs[0]);
  BNN_ASSIGN_OR_RETURN(const TransposedWindow window, ResolveTransposedWindow(node, in, weights->dims));
  ConvTranspose2d op;
  op.groups = node.Int("group", 1);
  op.window.kernel_h = window.kernel[0], op.window.kernel_w = window.kernel[1];
  op.window.stride_h = window.stride[0], op.window.stride_w = window.stride[1];
  op.window.dilation_h = window.dilation[0], op.window.dilation_w = window.dilation[1];
  op.window.pad_top = window.pad_begin[0], op.window.pad_left = window.pad_begin[1];
  op.window.pad_bottom = window.pad_end[0], op.window.pad_right = window.pad_end[1];
  op.output_pad_h = window.output_pad[0], op.output_pad_w = window.output_pad[1];
  if (op.output_pad_h >= op.window.stride_h || op.output_pad_w >= op.window.stride_w) {
    return NodeNotLowered(node, "an output_padding that is not below the stride is not supported");
  }
  LayerReport report;
  report.name = node.name;
  report.op = node.op;
  report.reason = "transposed convolutions run as floats";
  const int64_t taps = op.window.kernel_h * op.window.kernel_w;
  report.macs = in[2] * in[3] * in[1] * weights->dims[1] * taps;
  report.source_bytes = report.model_bytes = weights->size() * static_cast<int64_t>(sizeof(float));
  op.weights =
      lowering.builder.AddFloats({window.out_channels, op.window.kernel_h, op.window.kernel_w, in[1] / op.groups},
                                 ToModelWeights(*weights, op.groups));
  if (node.HasInput(2)) {
    const Tensor* bias = FloatConstant(lowering, node.inputs[2]);
    if (bias == nullptr) return NodeNotLowered(node, "its bias is no constant of floats");
    op.bias = lowering.builder.AddFloats({window.out_channels}, bias->floats);
  }
  BNN_ASSIGN_OR_RETURN(const int data, lowering.Stored(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, op, {data}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], {out, Order::kNhwc, {}});
  lowering.report->layers.push_back(std::move(report));
  return OkStatus();
}

}  // namespace bnn::formats
