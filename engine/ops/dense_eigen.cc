// Fully connected layer without oneDNN: blocks of outputs, of all samples.
#include <algorithm>
#include <memory>
#include <string>

#include "engine/aligned_buffer.h"
#include "engine/ops/gemm_eigen.h"
#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

// Outputs of a block, which one thread computes.
constexpr int64_t kBlockOutputs = 64;

class DenseStep final : public Step {
 public:
  DenseStep(StepContext& context, const FloatNode& node, const formats::Dense& op)
      : batch_(context.plan.batch),
        in_(formats::ElementCount(context.Tensor(node.inputs[0]).dims)),
        out_(formats::ElementCount(context.Tensor(node.output).dims)),
        weights_(context.SharedFloats(op.weights)),
        bias_(context.BiasOrZeros(op.bias, out_)) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = "dense";
    description.kernel = "eigen";
    description.shape = std::to_string(in_) + " -> " + std::to_string(out_);
    description.macs = batch_ * in_ * out_;
    description.weight_bytes = in_ * out_ * static_cast<int64_t>(sizeof(float));
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    const int64_t blocks = (out_ + kBlockOutputs - 1) / kBlockOutputs;
    ParallelItems(*context.pool, blocks, kBlockOutputs * in_, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * kBlockOutputs;
        const int64_t count = std::min(kBlockOutputs, out_ - first);
        for (int64_t r = 0; r < batch_; ++r) std::copy_n(bias_.data() + first, count, out + r * out_ + first);
        AddProduct(in, in_, batch_, weights_.get() + first * in_, in_, count, in_, out + first, out_);
      }
    });
    return OkStatus();
  }

 private:
  const int64_t batch_, in_, out_;
  const std::shared_ptr<const float> weights_;  // as the file has them
  const AlignedBuffer<float> bias_;
};

}  // namespace

Result<StepPtr> MakeDense(StepContext& context, const FloatNode& node, const formats::Dense& op) {
  return StepPtr(std::make_unique<DenseStep>(context, node, op));
}

}  // namespace bnn::engine
