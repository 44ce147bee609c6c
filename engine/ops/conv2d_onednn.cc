// Float convolution through oneDNN. Activations stay NHWC, as all of bnn; the weights are reordered once.
#include <memory>
#include <utility>
#include <vector>

#include "engine/ops/make_step.h"
#include "engine/ops/onednn.h"
#include "engine/ops/onednn_weights.h"
#include "engine/ops/part_runner.h"

namespace bnn::engine {
namespace {

using dnnl::memory;

// The logical dims of the weights as oneDNN orders them, with the strides of the model's [out][kh][kw][in / groups].
memory::desc ModelWeights(const WindowShape& s, int64_t groups) {
  const int64_t kh = s.window.kernel_h, kw = s.window.kernel_w;
  const int64_t in = s.in_c / groups, out = s.out_c / groups;
  const memory::dims dims = {out, in, kh, kw};
  const memory::dims strides = {kh * kw * in, 1, kw * in, in};
  if (groups == 1) return {dims, memory::data_type::f32, strides};
  return {{groups, out, in, kh, kw},
          memory::data_type::f32,
          {out * strides[0], strides[0], strides[1], strides[2], strides[3]}};
}

memory::desc PreferredWeights(const WindowShape& s, int64_t groups) {
  const int64_t kh = s.window.kernel_h, kw = s.window.kernel_w;
  const int64_t in = s.in_c / groups, out = s.out_c / groups;
  if (groups == 1) return onednn::AnyLayout({out, in, kh, kw});
  return onednn::AnyLayout({groups, out, in, kh, kw});
}

}  // namespace

Result<StepPtr> MakeConv2d(StepContext& context, const FloatNode& node, const formats::Conv2d& op) {
  BNN_ASSIGN_OR_RETURN(const WindowShape shape, WindowShapeOf(context, node, op.window));
  const int64_t macs = shape.batch * shape.out_h * shape.out_w * shape.out_c * op.window.kernel_h * op.window.kernel_w *
                       (shape.in_c / op.groups);
  StepPtr step;
  BNN_RETURN_IF_ERROR(onednn::Guard(node.name, [&] {
    memory bias;
    memory::desc bias_desc;
    if (op.bias != formats::kNone) {
      bias_desc = onednn::Dense({shape.out_c});
      bias = onednn::Constant(context.BlobFloats(op.bias), bias_desc, bias_desc);
    }
    // Parts of different shape mostly like the same layout, and then share it.
    std::vector<std::shared_ptr<const WeightForm>> forms;
    const auto make = [&](const WindowShape& part) {
      const auto desc = onednn::ConvolutionDesc(
          onednn::Nhwc(part.batch, part.in_h, part.in_w, part.in_c), PreferredWeights(part, op.groups), bias_desc,
          onednn::Nhwc(part.batch, part.out_h, part.out_w, part.out_c), part.window);
      const auto weights =
          onednn::Weights::Of(context.weights, op.weights, {{0, ModelWeights(part, op.groups), desc.weights_desc()}});
      forms.push_back(weights);
      return onednn::MakeKernel(desc, weights->block(0), bias);
    };
    PartPlan plan = PlanWindow(shape, macs, make);
    plan.forms = std::move(forms);
    step = std::make_unique<PartStep>(context, node, std::move(plan));
    return OkStatus();
  }));
  step->description.op = "conv2d";
  step->description.shape = ShapeText(shape) + " g" + std::to_string(op.groups);
  step->description.macs = macs;
  return step;
}

}  // namespace bnn::engine
