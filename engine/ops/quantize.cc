// Quantize and Dequantize.
#include "kernels/quantize/quantize.h"

#include <cstdint>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"
#include "engine/ops/selection.h"

namespace bnn::engine {
namespace {

using formats::ElementType;

// A step of one input and one output of equal dims.
class ElementStep : public Step {
 public:
  ElementStep(const StepContext& context, const formats::NodeDef& node, const char* op)
      : count_(context.plan.batch * formats::ElementCount(context.Tensor(node.output).dims)) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = op;
    kernel_ = kernels::SelectQuantize(context.plan.max_isa, AppendRefusal, &description.reason);
    description.kernel = kernel_->name;
    description.shape = DimsText(context.Tensor(node.output).dims);
  }

 protected:
  int64_t count_;
  const kernels::QuantizeKernel* kernel_;
};

class QuantizeStep final : public ElementStep {
 public:
  QuantizeStep(const StepContext& context, const formats::NodeDef& node) : ElementStep(context, node, "quantize") {
    const auto& op = std::get<formats::Quantize>(node.op);
    quantizer_ = kernels::MakeQuantizer(op.to.scale, op.to.zero_point, op.type == ElementType::kInt8);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    std::byte* out = context.Bytes(outputs[0]);
    ParallelItems(*context.pool, count_, 1, [&](int64_t begin, int64_t end) {
      kernel_->quantize({.quantizer = quantizer_, .count = end - begin, .in = in + begin, .out = out + begin});
    });
    return OkStatus();
  }

 private:
  kernels::Quantizer quantizer_;
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
      kernel_->dequantize({.scale = from_.scale,
                           .zero_point = from_.zero_point,
                           .is_signed = is_signed_,
                           .count = end - begin,
                           .in = in + begin,
                           .out = out + begin});
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
