// Max and average pooling without oneDNN.
#include "engine/ops/make_step.h"
#include "engine/ops/pool.h"

namespace bnn::engine {
namespace {

Result<StepPtr> MakePool(StepContext& context, const FloatNode& node, const formats::Window2d& window, PoolKind kind) {
  BNN_ASSIGN_OR_RETURN(const WindowShape shape, WindowShapeOf(context, node, window));
  StepPtr step = MakePlainPool(context, node, kind, shape, "built without oneDNN");
  step->description.op = kind == PoolKind::kMax ? "maxpool" : "avgpool";
  step->description.shape = ShapeText(shape);
  return step;
}

}  // namespace

Result<StepPtr> MakeMaxPool(StepContext& context, const FloatNode& node, const formats::MaxPool& op) {
  return MakePool(context, node, op.window, PoolKind::kMax);
}

Result<StepPtr> MakeAvgPool(StepContext& context, const FloatNode& node, const formats::AvgPool& op) {
  return MakePool(context, node, op.window, op.count_include_pad ? PoolKind::kAvgIncludePad : PoolKind::kAvgExcludePad);
}

}  // namespace bnn::engine
