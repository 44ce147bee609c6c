// Concatenation along an axis: every input is a run of floats in every row of the output.
#include <cstring>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

class ConcatStep final : public Step {
 public:
  ConcatStep(const StepContext& context, const FloatNode& node, const formats::Concat& op)
      : threads_(context.plan.threads), rows_(context.plan.batch) {
    const std::vector<int64_t>& out = context.Tensor(node.output).dims;
    for (size_t i = 0; i < static_cast<size_t>(op.axis); ++i) rows_ *= out[i];
    for (const int input : node.inputs) {
      const std::vector<int64_t>& dims = context.Tensor(input).dims;
      int64_t run = 1;
      for (size_t i = static_cast<size_t>(op.axis); i < dims.size(); ++i) run *= dims[i];
      runs_.push_back(run);
      row_ += run;
    }
    inputs = node.inputs;
    outputs = {node.output};
    description.name = node.name;
    description.op = "concat";
    description.kernel = "plain";
    description.shape =
        std::to_string(inputs.size()) + " inputs -> " + DimsText(out) + ", axis " + std::to_string(op.axis);
  }

  Status Run(const RunContext& context) const override {
    float* out = context.Floats(outputs[0]);
    ParallelItems(threads_, rows_, row_, [&](int64_t begin, int64_t end) {
      int64_t offset = 0;
      for (size_t i = 0; i < inputs.size(); ++i) {
        const float* in = context.Floats(inputs[i]);
        for (int64_t row = begin; row < end; ++row) {
          std::memcpy(out + row * row_ + offset, in + row * runs_[i], static_cast<size_t>(runs_[i]) * sizeof(float));
        }
        offset += runs_[i];
      }
    });
    return OkStatus();
  }

 private:
  const int threads_;
  int64_t rows_;               // of the output, all samples
  int64_t row_ = 0;            // floats
  std::vector<int64_t> runs_;  // floats of each input in a row
};

}  // namespace

Result<StepPtr> MakeConcat(StepContext& context, const FloatNode& node, const formats::Concat& op) {
  return StepPtr(std::make_unique<ConcatStep>(context, node, op));
}

}  // namespace bnn::engine
