// Normalizations by the size of neighbouring or of all elements: Lrn and NormalizeL2. Sums of squares run in double.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"
#include "engine/ops/reduced_axes.h"

namespace bnn::engine {
namespace {

constexpr int64_t kLanes = 64;

class NormalizeL2Step final : public Step {
 public:
  NormalizeL2Step(const StepContext& context, const FloatNode& node, const formats::NormalizeL2& op)
      : op_(op), axes_(context.plan.batch, context.Tensor(node.inputs[0]).dims, op.axes) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = "normalize_l2";
    description.kernel = "plain";
    description.shape = DimsText(context.Tensor(node.output).dims);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    const int64_t blocks = (axes_.lanes() + kLanes - 1) / kLanes;
    const int64_t work = std::min(axes_.lanes(), kLanes) * axes_.terms();
    ParallelItems(*context.pool, axes_.rows() * blocks, work, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i % blocks * kLanes, offset = axes_.First(i / blocks) + first;
        Lanes(in + offset, std::min(kLanes, axes_.lanes() - first), out + offset);
      }
    });
    return OkStatus();
  }

 private:
  // `lanes` groups of elements, side by side.
  void Lanes(const float* in, int64_t lanes, float* out) const {
    std::array<double, kLanes> sums{};
    axes_.ForEachTerm([&](int64_t offset) {
      for (int64_t i = 0; i < lanes; ++i) {
        const auto x = static_cast<double>(in[offset + i]);
        sums[static_cast<size_t>(i)] += x * x;
      }
    });
    std::array<float, kLanes> factors{};
    const auto eps = static_cast<double>(op_.eps);
    for (size_t i = 0; i < static_cast<size_t>(lanes); ++i) {
      const double root = std::sqrt(op_.eps_mode == formats::EpsMode::kAdd ? sums[i] + eps : std::max(sums[i], eps));
      factors[i] = root == 0 ? 0.0f : static_cast<float>(1 / root);
    }
    axes_.ForEachTerm([&](int64_t offset) {
      for (int64_t i = 0; i < lanes; ++i) out[offset + i] = in[offset + i] * factors[static_cast<size_t>(i)];
    });
  }

  const formats::NormalizeL2 op_;
  const ReducedAxes axes_;
};

// x^-beta. 0.75, which all networks of its time took, needs no power.
float Power(double x, double beta) {
  return static_cast<float>(1 / (beta == 0.75 ? std::sqrt(x * std::sqrt(x)) : std::pow(x, beta)));
}

class LrnStep final : public Step {
 public:
  LrnStep(const StepContext& context, const FloatNode& node, const formats::Lrn& op)
      : dims_(context.Tensor(node.output).dims),
        before_((op.size - 1) / 2),
        after_(op.size / 2),
        alpha_(static_cast<double>(op.alpha) /
               std::pow(static_cast<double>(op.size), static_cast<double>(op.axes.size()))),
        beta_(static_cast<double>(op.beta)),
        bias_(static_cast<double>(op.bias)) {
    int64_t stride = count_ = formats::ElementCount(dims_);
    for (size_t i = 0; i < dims_.size(); ++i) {
      stride /= dims_[i];
      if (std::binary_search(op.axes.begin(), op.axes.end(), static_cast<int64_t>(i))) {
        axes_.push_back({dims_[i], stride});
        terms_ *= std::min(op.size, dims_[i]);
      }
    }
    batch_ = context.plan.batch;
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = "lrn";
    description.kernel = "plain";
    description.shape = DimsText(dims_) + ", size " + std::to_string(op.size);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    ParallelItems(*context.pool, batch_ * count_, terms_, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        out[i] = in[i] * Power(bias_ + alpha_ * SumOfSquares(in + i, i % count_, 0), beta_);
      }
    });
    return OkStatus();
  }

 private:
  struct Axis {
    int64_t size, stride;
  };

  // Over the neighbours of the element *x along the axes from number `axis` on; `at` is its place in the sample.
  double SumOfSquares(const float* x, int64_t at, size_t axis) const {
    const auto [size, stride] = axes_[axis];
    const int64_t place = at / stride % size;
    const int64_t begin = -std::min(before_, place), end = std::min(after_, size - 1 - place);
    double sum = 0;
    for (int64_t i = begin; i <= end; ++i) {
      const float* neighbour = x + i * stride;
      const auto value = static_cast<double>(*neighbour);
      sum += axis + 1 < axes_.size() ? SumOfSquares(neighbour, at, axis + 1) : value * value;
    }
    return sum;
  }

  const std::vector<int64_t> dims_;
  const int64_t before_, after_;  // neighbours that count, where they exist
  const double alpha_, beta_, bias_;
  std::vector<Axis> axes_;
  int64_t batch_ = 1, count_ = 1, terms_ = 1;
};

}  // namespace

Result<StepPtr> MakeNormalizeL2(StepContext& context, const FloatNode& node, const formats::NormalizeL2& op) {
  return StepPtr(std::make_unique<NormalizeL2Step>(context, node, op));
}

Result<StepPtr> MakeLrn(StepContext& context, const FloatNode& node, const formats::Lrn& op) {
  return StepPtr(std::make_unique<LrnStep>(context, node, op));
}

}  // namespace bnn::engine
