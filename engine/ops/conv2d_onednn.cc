// Float convolution through oneDNN. Activations stay NHWC, as all of bnn; the weights are reordered once.
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "engine/ops/make_step.h"
#include "engine/ops/onednn.h"
#include "engine/ops/onednn_weights.h"
#include "engine/ops/part_runner.h"

namespace bnn::engine {
namespace {

using dnnl::memory;

onednn::Activation ToActivation(const StepContext& context, const formats::Op* op) {
  onednn::Activation activation;
  if (op == nullptr) return activation;
  if (const auto* clamp = std::get_if<formats::Clamp>(op)) {
    activation.kind = onednn::Activation::Kind::kClamp;
    activation.low = clamp->low;
    activation.high = clamp->high;
  } else {
    activation.kind = onednn::Activation::Kind::kPRelu;
    activation.slope = context.BlobFloats(std::get<formats::PRelu>(*op).slope)[0];
  }
  return activation;
}

}  // namespace

Result<StepPtr> MakeConv2d(StepContext& context, const FloatNode& node, const formats::Conv2d& op,
                           const formats::Op* activation) {
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
      const auto desc = onednn::ConvolutionDesc(onednn::Nhwc(part.batch, part.in_h, part.in_w, part.in_c),
                                                onednn::PreferredWeights(part.window, part.in_c, part.out_c, op.groups),
                                                bias_desc, onednn::Nhwc(part.batch, part.out_h, part.out_w, part.out_c),
                                                part.window, ToActivation(context, activation));
      const auto weights = onednn::Weights::Of(
          context.weights, op.weights,
          {{0, onednn::ModelWeights(part.window, part.in_c, part.out_c, op.groups), desc.weights_desc()}});
      forms.push_back(weights);
      return onednn::MakeKernel(desc, weights->block(0), bias);
    };
    PartPlan plan = PlanWindow(shape, WindowWork(shape, macs, sizeof(float)), make);
    plan.forms = std::move(forms);
    step = std::make_unique<PartStep>(context, node, std::move(plan), PartStep::PartsOf::kRows);
    return OkStatus();
  }));
  step->description.op = "conv2d";
  if (activation != nullptr) {
    step->description.op += std::holds_alternative<formats::Clamp>(*activation) ? "+clamp" : "+prelu";
  }
  step->description.shape = ShapeText(shape) + " g" + std::to_string(op.groups);
  step->description.macs = macs;
  return step;
}

}  // namespace bnn::engine
