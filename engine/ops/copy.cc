// The same bytes in another place: an input that is an output, a tensor that must not share memory.
#include <cstring>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

class CopyStep final : public Step {
 public:
  CopyStep(const StepContext& context, const FloatNode& node)
      : count_(context.plan.batch * formats::ElementCount(context.Tensor(node.output).dims)) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = "copy";
    description.kernel = "plain";
    description.shape = DimsText(context.Tensor(node.output).dims);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    ParallelItems(*context.pool, count_, 1, [&](int64_t begin, int64_t end) {
      std::memcpy(out + begin, in + begin, static_cast<size_t>(end - begin) * sizeof(float));
    });
    return OkStatus();
  }

 private:
  const int64_t count_;
};

}  // namespace

Result<StepPtr> MakeCopy(StepContext& context, const FloatNode& node) {
  return StepPtr(std::make_unique<CopyStep>(context, node));
}

}  // namespace bnn::engine
