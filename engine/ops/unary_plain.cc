// Element-wise functions without oneDNN.
#include "engine/ops/make_step.h"
#include "engine/ops/unary.h"

namespace bnn::engine {

Result<StepPtr> MakeUnary(StepContext& context, const FloatNode& node, const formats::Unary& op) {
  StepPtr step = MakePlainUnary(context, node, op);
  step->description.op = UnaryName(op.kind);
  step->description.shape = DimsText(context.Tensor(node.output).dims);
  return step;
}

}  // namespace bnn::engine
