// Reduce: sums and means run in double, in the order of the elements.
#include <algorithm>
#include <array>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"
#include "engine/ops/reduced_axes.h"

namespace bnn::engine {
namespace {

using formats::ReduceKind;

// Results that are computed together, on the stack.
constexpr int64_t kLanes = 64;

template <typename T, typename Step>
void Accumulate(const ReducedAxes& axes, const float* in, int64_t lanes, const Step& step, T* results) {
  axes.ForEachTerm([&](int64_t offset) {
    const float* terms = in + offset;
    for (int64_t i = 0; i < lanes; ++i) results[i] = step(results[i], terms[i]);
  });
}

// `lanes` (at most kLanes) results that lie side by side.
void Lanes(ReduceKind kind, const ReducedAxes& axes, const float* in, int64_t lanes, float* out) {
  switch (kind) {
    case ReduceKind::kMean:
    case ReduceKind::kSum: {
      std::array<double, kLanes> sums{};
      Accumulate(
          axes, in, lanes, [](double sum, float x) { return sum + static_cast<double>(x); }, sums.data());
      const double divisor = kind == ReduceKind::kMean ? static_cast<double>(axes.terms()) : 1.0;
      for (int64_t i = 0; i < lanes; ++i) out[i] = static_cast<float>(sums[static_cast<size_t>(i)] / divisor);
      return;
    }
    case ReduceKind::kMax:
      std::copy_n(in, lanes, out);
      return Accumulate(
          axes, in, lanes, [](float most, float x) { return x > most ? x : most; }, out);
    case ReduceKind::kMin:
      std::copy_n(in, lanes, out);
      return Accumulate(
          axes, in, lanes, [](float least, float x) { return x < least ? x : least; }, out);
  }
}

const char* Name(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kMean:
      return "reduce mean";
    case ReduceKind::kSum:
      return "reduce sum";
    case ReduceKind::kMax:
      return "reduce max";
    case ReduceKind::kMin:
      return "reduce min";
  }
  return "reduce";
}

class ReduceStep final : public Step {
 public:
  ReduceStep(const StepContext& context, const FloatNode& node, const formats::Reduce& op)
      : kind_(op.kind), axes_(context.plan.batch, context.Tensor(node.inputs[0]).dims, op.axes) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = Name(kind_);
    description.kernel = "plain";
    description.shape =
        DimsText(context.Tensor(node.inputs[0]).dims) + " -> " + DimsText(context.Tensor(node.output).dims);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    const int64_t blocks = (axes_.lanes() + kLanes - 1) / kLanes;
    const int64_t work = std::min(axes_.lanes(), kLanes) * axes_.terms();
    ParallelItems(*context.pool, axes_.rows() * blocks, work, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t row = i / blocks, first = i % blocks * kLanes;
        Lanes(kind_, axes_, in + axes_.First(row) + first, std::min(kLanes, axes_.lanes() - first),
              out + row * axes_.lanes() + first);
      }
    });
    return OkStatus();
  }

 private:
  const ReduceKind kind_;
  const ReducedAxes axes_;
};

}  // namespace

Result<StepPtr> MakeReduce(StepContext& context, const FloatNode& node, const formats::Reduce& op) {
  return StepPtr(std::make_unique<ReduceStep>(context, node, op));
}

}  // namespace bnn::engine
