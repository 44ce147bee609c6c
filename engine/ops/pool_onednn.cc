// Max and average pooling through oneDNN, or through plain loops where oneDNN has nothing better.
#include <utility>

#include "engine/ops/make_step.h"
#include "engine/ops/onednn.h"
#include "engine/ops/part_runner.h"
#include "engine/ops/pool.h"

namespace bnn::engine {
namespace {

dnnl::algorithm Algorithm(PoolKind kind) {
  switch (kind) {
    case PoolKind::kMax:
      return dnnl::algorithm::pooling_max;
    case PoolKind::kAvgIncludePad:
      return dnnl::algorithm::pooling_avg_include_padding;
    case PoolKind::kAvgExcludePad:
      return dnnl::algorithm::pooling_avg_exclude_padding;
  }
  return dnnl::algorithm::undef;
}

// Why oneDNN cannot be asked for this window; empty when it can.
std::string Refusal(const WindowShape& s) {
  const formats::Window2d& w = s.window;
  if (w.dilation_h != 1 || w.dilation_w != 1) return "oneDNN has no fast dilated pooling";
  if (w.pad_top >= w.kernel_h || w.pad_bottom >= w.kernel_h || w.pad_left >= w.kernel_w || w.pad_right >= w.kernel_w) {
    return "oneDNN does not pool windows that lie in the padding";
  }
  return "";
}

}  // namespace

Result<StepPtr> MakePool(StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape) {
  std::string reason = Refusal(shape);
  StepPtr step;
  if (reason.empty()) {
    const int64_t taps =
        shape.batch * shape.out_h * shape.out_w * shape.out_c * shape.window.kernel_h * shape.window.kernel_w;
    const int64_t work = WindowWork(shape, taps, sizeof(float));
    const Status status = onednn::Guard(node.name, [&] {
      PartPlan plan = PlanWindow(shape, work, [&](const WindowShape& part) {
        return onednn::MakeKernel(
            onednn::PoolDesc(Algorithm(kind), onednn::Nhwc(part.batch, part.in_h, part.in_w, part.in_c),
                             onednn::Nhwc(part.batch, part.out_h, part.out_w, part.out_c), part.window));
      });
      if (plan.kernels.front().impl.find("sse41") != std::string::npos) {
        // Its loads fault unless the tensor is aligned to 16 bytes; ours, like the caller's, is aligned to a float.
        reason = "oneDNN's SSE4.1 pooling needs aligned tensors";
        return OkStatus();
      }
      step = std::make_unique<PartStep>(context, node, std::move(plan), PartStep::PartsOf::kRows);
      return OkStatus();
    });
    if (status.code() == StatusCode::kUnsupported) {
      reason = "oneDNN has no such pooling on this CPU";
    } else {
      BNN_RETURN_IF_ERROR(status);
    }
  }
  if (step == nullptr) step = MakePlainPool(context, node, kind, shape, std::move(reason));
  return step;
}

}  // namespace bnn::engine
