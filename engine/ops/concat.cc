// Concatenation along an axis: every input is a run of floats in every row of the output.
#include <cstring>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

class ConcatStep final : public Step {
 public:
  ConcatStep(const StepContext& context, const FloatNode& node, const formats::Concat& op) : rows_(context.plan.batch) {
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
    joins_channels = op.axis == std::ssize(out) - 1;
    takes_strided_floats = joins_channels;  // its rows are pixels then
    description.name = node.name;
    description.op = "concat";
    description.kernel = "plain";
    description.shape =
        std::to_string(inputs.size()) + " inputs -> " + DimsText(out) + ", axis " + std::to_string(op.axis);
  }

  Status Run(const RunContext& context) const override {
    float* out = context.Floats(outputs[0]);
    const int64_t out_step = RowStep(context, outputs[0], row_);
    ParallelItems(*context.pool, rows_, row_, [&](int64_t begin, int64_t end) {
      int64_t offset = 0;
      for (size_t i = 0; i < inputs.size(); ++i) {
        const float* in = context.Floats(inputs[i]);
        const bool lies_there = in == out + offset;  // concat_in_place.h
        const int64_t in_step = RowStep(context, inputs[i], runs_[i]);
        for (int64_t row = begin; row < end && !lies_there; ++row) {
          std::memcpy(out + row * out_step + offset, in + row * in_step, static_cast<size_t>(runs_[i]) * sizeof(float));
        }
        offset += runs_[i];
      }
    });
    return OkStatus();
  }

 private:
  // Floats from one row of a tensor to the next, where a row has `run` floats.
  static int64_t RowStep(const RunContext& context, int tensor, int64_t run) {
    const int64_t pixel_stride = context.plan->tensors[static_cast<size_t>(tensor)].pixel_stride;
    return pixel_stride != 0 ? pixel_stride : run;
  }

  int64_t rows_;               // of the output, all samples
  int64_t row_ = 0;            // floats
  std::vector<int64_t> runs_;  // floats of each input in a row
};

}  // namespace

Result<StepPtr> MakeConcat(StepContext& context, const FloatNode& node, const formats::Concat& op) {
  return StepPtr(std::make_unique<ConcatStep>(context, node, op));
}

}  // namespace bnn::engine
