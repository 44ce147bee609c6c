// Quantize and Dequantize, as loops that compilers turn into vector instructions.
#include <bit>
#include <cstdint>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

using formats::ElementType;

// Rounding half to even without a rounding instruction: floats in [2^23, 2^24) have a spacing of 1, so adding 1.5 *
// 2^23 to a smaller number rounds it (in the current, default mode), and the low bits of the sum are the integer.
constexpr float kShift = 12582912.0f;
constexpr int32_t kShiftBits = std::bit_cast<int32_t>(kShift);

// Limits are integers, so clipping before rounding gives what saturating after it does. NaN gives the lowest.
template <typename Q>
void QuantizeAll(const formats::Quantize& op, const float* in, int64_t begin, int64_t end, Q* out) {
  const formats::IntegerRange range = formats::RangeOf(op.type);
  const auto low = static_cast<float>(range.low - op.to.zero_point);
  const auto high = static_cast<float>(range.high - op.to.zero_point);
  const int32_t offset = op.to.zero_point - kShiftBits;
  const float scale = op.to.scale;
  for (int64_t i = begin; i < end; ++i) {
    const float x = in[i] / scale;
    const float above = x > low ? x : low;
    const float clipped = above < high ? above : high;
    out[i] = static_cast<Q>(std::bit_cast<int32_t>(clipped + kShift) + offset);
  }
}

template <typename Q>
void DequantizeAll(const formats::Quantization& from, const Q* in, int64_t begin, int64_t end, float* out) {
  for (int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(in[i] - from.zero_point) * from.scale;
}

// A step of one input and one output of equal dims.
class ElementStep : public Step {
 public:
  ElementStep(const StepContext& context, const formats::NodeDef& node, const char* op)
      : count_(context.plan.batch * formats::ElementCount(context.Tensor(node.output).dims)) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = op;
    description.kernel = "plain";
    description.shape = DimsText(context.Tensor(node.output).dims);
  }

 protected:
  int64_t count_;
};

class QuantizeStep final : public ElementStep {
 public:
  QuantizeStep(const StepContext& context, const formats::NodeDef& node)
      : ElementStep(context, node, "quantize"), op_(std::get<formats::Quantize>(node.op)) {}

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    std::byte* out = context.Bytes(outputs[0]);
    ParallelItems(*context.pool, count_, 1, [&](int64_t begin, int64_t end) {
      if (op_.type == ElementType::kInt8) {
        QuantizeAll(op_, in, begin, end, reinterpret_cast<int8_t*>(out));
      } else {
        QuantizeAll(op_, in, begin, end, reinterpret_cast<uint8_t*>(out));
      }
    });
    return OkStatus();
  }

 private:
  formats::Quantize op_;
};

class DequantizeStep final : public ElementStep {
 public:
  DequantizeStep(const StepContext& context, const formats::NodeDef& node)
      : ElementStep(context, node, "dequantize"),
        from_(std::get<formats::Dequantize>(node.op).from),
        is_signed_(context.Tensor(node.inputs[0]).type == ElementType::kInt8) {}

  Status Run(const RunContext& context) const override {
    const std::byte* in = context.Bytes(inputs[0]);
    float* out = context.Floats(outputs[0]);
    ParallelItems(*context.pool, count_, 1, [&](int64_t begin, int64_t end) {
      if (is_signed_) {
        DequantizeAll(from_, reinterpret_cast<const int8_t*>(in), begin, end, out);
      } else {
        DequantizeAll(from_, reinterpret_cast<const uint8_t*>(in), begin, end, out);
      }
    });
    return OkStatus();
  }

 private:
  formats::Quantization from_;
  bool is_signed_;
};

}  // namespace

StepPtr MakeQuantize(const StepContext& context, const formats::NodeDef& node) {
  return std::make_unique<QuantizeStep>(context, node);
}

StepPtr MakeDequantize(const StepContext& context, const formats::NodeDef& node) {
  return std::make_unique<DequantizeStep>(context, node);
}

}  // namespace bnn::engine
