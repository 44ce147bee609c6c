// Element-wise functions. Exponentials go to oneDNN, whose vector code is several times faster than a call of the C
// library an element; everything that has one right answer (rounding, roots, clips) is computed by plain loops.
#include <algorithm>
#include <optional>
#include <utility>

#include "engine/ops/make_step.h"
#include "engine/ops/onednn.h"
#include "engine/ops/part_runner.h"
#include "engine/ops/unary.h"

namespace bnn::engine {
namespace {

using formats::UnaryKind;

// Elements of a part: some tens of microseconds.
constexpr int64_t kPartElements = int64_t{1} << 15;

std::optional<dnnl::algorithm> Algorithm(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kMish:
      return dnnl::algorithm::eltwise_mish;
    case UnaryKind::kSwish:
      return dnnl::algorithm::eltwise_swish;
    case UnaryKind::kElu:
      return dnnl::algorithm::eltwise_elu;
    case UnaryKind::kSoftplus:
      return dnnl::algorithm::eltwise_soft_relu;
    case UnaryKind::kGelu:
      return dnnl::algorithm::eltwise_gelu_erf;
    case UnaryKind::kGeluTanh:
      return dnnl::algorithm::eltwise_gelu_tanh;
    case UnaryKind::kLog:
      return dnnl::algorithm::eltwise_log;
    case UnaryKind::kSigmoid:
      return dnnl::algorithm::eltwise_logistic;
    case UnaryKind::kTanh:
      return dnnl::algorithm::eltwise_tanh;
    case UnaryKind::kExp:
      return dnnl::algorithm::eltwise_exp;
    case UnaryKind::kHardSigmoid:
    case UnaryKind::kHardSwish:
    case UnaryKind::kSqrt:
    case UnaryKind::kAbs:
    case UnaryKind::kFloor:
    case UnaryKind::kCeil:
    case UnaryKind::kRound:
    case UnaryKind::kPow:
    case UnaryKind::kErf:
      return std::nullopt;
  }
  return std::nullopt;
}

// Version 3 has a steepness, 1 being what version 2 computes; that ignores it. The others have a meaning of theirs.
float AlphaOf(const formats::Unary& op) { return op.kind == UnaryKind::kSoftplus ? 1.0f : op.alpha; }

PartPlan PlanElements(int64_t count, dnnl::algorithm algorithm, float alpha) {
  PartPlan plan;
  const auto add_kernel = [&](int64_t elements) {
    plan.kernels.push_back(onednn::MakeKernel(onednn::EltwiseDesc(algorithm, onednn::Dense({elements}), alpha)));
  };
  add_kernel(std::min(count, kPartElements));
  for (int64_t first = 0; first < count; first += kPartElements) {
    const bool shorter = first > 0 && count - first < kPartElements;
    if (shorter) add_kernel(count - first);
    plan.parts.push_back({shorter ? 1 : 0, first, first});
  }
  return plan;
}

}  // namespace

Result<StepPtr> MakeUnary(StepContext& context, const FloatNode& node, const formats::Unary& op) {
  StepPtr step;
  if (const std::optional<dnnl::algorithm> algorithm = Algorithm(op.kind)) {
    const int64_t count = context.plan.batch * formats::ElementCount(context.Tensor(node.output).dims);
    BNN_RETURN_IF_ERROR(onednn::Guard(node.name, [&] {
      step = std::make_unique<PartStep>(context, node, PlanElements(count, *algorithm, AlphaOf(op)),
                                        PartStep::PartsOf::kElements);
      return OkStatus();
    }));
  } else {
    step = MakePlainUnary(context, node, op);
  }
  step->description.op = UnaryName(op.kind);
  step->description.shape = DimsText(context.Tensor(node.output).dims);
  return step;
}

}  // namespace bnn::engine
