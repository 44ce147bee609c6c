// Softmax along one axis: exp(x - max) / sum of these; its logarithm: x - max - log(sum). Sums run in double, in the
// order of the axis.
#include <algorithm>
#include <cmath>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

// One vector of `count` elements, `stride` apart.
void Vector(const float* in, int64_t count, int64_t stride, bool log, float* out) {
  float max = in[0];
  for (int64_t i = 1; i < count; ++i) max = std::max(max, in[i * stride]);
  double sum = 0;
  if (log) {
    for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(std::exp(in[i * stride] - max));
    const double log_sum = std::log(sum);
    for (int64_t i = 0; i < count; ++i) {
      out[i * stride] = static_cast<float>(static_cast<double>(in[i * stride] - max) - log_sum);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    out[i * stride] = std::exp(in[i * stride] - max);
    sum += static_cast<double>(out[i * stride]);
  }
  for (int64_t i = 0; i < count; ++i) out[i * stride] = static_cast<float>(static_cast<double>(out[i * stride]) / sum);
}

class SoftmaxStep final : public Step {
 public:
  SoftmaxStep(const StepContext& context, const FloatNode& node, const formats::Softmax& op)
      : log_(op.log), outer_(context.plan.batch) {
    const std::vector<int64_t>& dims = context.Tensor(node.inputs[0]).dims;
    for (size_t i = 0; i < dims.size(); ++i) {
      const auto axis = static_cast<int64_t>(i);
      (axis < op.axis ? outer_ : axis == op.axis ? count_ : inner_) *= dims[i];
    }
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = log_ ? "log_softmax" : "softmax";
    description.kernel = "plain";
    description.shape = DimsText(dims) + ", axis " + std::to_string(op.axis);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    ParallelItems(*context.pool, outer_ * inner_, count_, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i / inner_ * count_ * inner_ + i % inner_;
        Vector(in + first, count_, inner_, log_, out + first);
      }
    });
    return OkStatus();
  }

 private:
  const bool log_;
  int64_t outer_, count_ = 1, inner_ = 1;
};

}  // namespace

Result<StepPtr> MakeSoftmax(StepContext& context, const FloatNode& node, const formats::Softmax& op) {
  return StepPtr(std::make_unique<SoftmaxStep>(context, node, op));
}

}  // namespace bnn::engine
