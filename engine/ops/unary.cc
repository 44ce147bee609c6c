#include "engine/ops/unary.h"

#include <cmath>

#include "engine/ops/loops.h"

namespace bnn::engine {
namespace {

using formats::UnaryKind;

// max(0, min(1, x)); NaN gives 1.
float Clip01(float x) {
  const float below = x < 1.0f ? x : 1.0f;
  return below > 0.0f ? below : 0.0f;
}

// log(1 + e^x) without overflow.
float Softplus(float x) { return (x > 0 ? x : 0.0f) + std::log1p(std::exp(-std::fabs(x))); }

template <typename Fn>
void Map(const float* in, int64_t begin, int64_t end, float* out, const Fn& fn) {
  for (int64_t i = begin; i < end; ++i) out[i] = fn(in[i]);
}

void Apply(const formats::Unary& op, const float* in, int64_t begin, int64_t end, float* out) {
  const float alpha = op.alpha, beta = op.beta;
  const auto map = [&](const auto& fn) { Map(in, begin, end, out, fn); };
  switch (op.kind) {
    case UnaryKind::kSigmoid:
      return map([](float x) { return 1.0f / (1.0f + std::exp(-x)); });
    case UnaryKind::kHardSigmoid:
      return map([=](float x) { return Clip01(alpha * x + beta); });
    case UnaryKind::kHardSwish:
      return map([](float x) { return x * Clip01(x / 6.0f + 0.5f); });
    case UnaryKind::kTanh:
      return map([](float x) { return std::tanh(x); });
    case UnaryKind::kExp:
      return map([](float x) { return std::exp(x); });
    case UnaryKind::kSqrt:
      return map([](float x) { return std::sqrt(x); });
    case UnaryKind::kAbs:
      return map([](float x) { return std::fabs(x); });
    case UnaryKind::kFloor:
      return map([](float x) { return std::floor(x); });
    case UnaryKind::kCeil:
      return map([](float x) { return std::ceil(x); });
    case UnaryKind::kRound:  // the default rounding mode is half to even
      return map([](float x) { return std::nearbyint(x); });
    case UnaryKind::kPow:
      return map([=](float x) { return std::pow(x, alpha); });
    case UnaryKind::kMish:
      return map([](float x) { return x * std::tanh(Softplus(x)); });
    case UnaryKind::kSwish:
      return map([=](float x) { return x / (1.0f + std::exp(-alpha * x)); });
    case UnaryKind::kElu:
      return map([=](float x) { return x < 0 ? alpha * std::expm1(x) : x; });
    case UnaryKind::kSoftplus:
      return map(Softplus);
    case UnaryKind::kErf:
      return map([](float x) { return std::erf(x); });
    case UnaryKind::kGelu:
      return map([](float x) { return 0.5f * x * (1.0f + std::erf(x * 0.70710678f)); });
    case UnaryKind::kGeluTanh:
      return map([](float x) { return 0.5f * x * (1.0f + std::tanh(0.79788456f * (x + 0.044715f * x * x * x))); });
    case UnaryKind::kLog:
      return map([](float x) { return std::log(x); });
  }
}

class PlainUnaryStep final : public Step {
 public:
  PlainUnaryStep(const StepContext& context, const FloatNode& node, const formats::Unary& op)
      : op_(op), count_(context.plan.batch * formats::ElementCount(context.Tensor(node.output).dims)) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.kernel = "plain";
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    ParallelItems(*context.pool, count_, 1, [&](int64_t begin, int64_t end) { Apply(op_, in, begin, end, out); });
    return OkStatus();
  }

 private:
  const formats::Unary op_;
  const int64_t count_;
};

}  // namespace

const char* UnaryName(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kSigmoid:
      return "sigmoid";
    case UnaryKind::kHardSigmoid:
      return "hard_sigmoid";
    case UnaryKind::kHardSwish:
      return "hard_swish";
    case UnaryKind::kTanh:
      return "tanh";
    case UnaryKind::kExp:
      return "exp";
    case UnaryKind::kSqrt:
      return "sqrt";
    case UnaryKind::kAbs:
      return "abs";
    case UnaryKind::kFloor:
      return "floor";
    case UnaryKind::kCeil:
      return "ceil";
    case UnaryKind::kRound:
      return "round";
    case UnaryKind::kPow:
      return "pow";
    case UnaryKind::kMish:
      return "mish";
    case UnaryKind::kSwish:
      return "swish";
    case UnaryKind::kElu:
      return "elu";
    case UnaryKind::kSoftplus:
      return "softplus";
    case UnaryKind::kErf:
      return "erf";
    case UnaryKind::kGelu:
      return "gelu";
    case UnaryKind::kGeluTanh:
      return "gelu_tanh";
    case UnaryKind::kLog:
      return "log";
  }
  return "unary";
}

StepPtr MakePlainUnary(const StepContext& context, const FloatNode& node, const formats::Unary& op) {
  return std::make_unique<PlainUnaryStep>(context, node, op);
}

}  // namespace bnn::engine
