// Fully connected layer through oneDNN's inner product. The parts are blocks of outputs, each with its own weights.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/ops/make_step.h"
#include "engine/ops/onednn.h"
#include "engine/ops/onednn_weights.h"
#include "engine/ops/part_runner.h"
#include "engine/parallel.h"

namespace bnn::engine {
namespace {

using dnnl::memory;

// Weights of a part. At small batches a dense layer is bound by reading its weights, so the part is smaller than
// kPartMacs: 1 MiB of weights, which takes about 50 microseconds from memory.
constexpr int64_t kPartWeights = int64_t{1} << 18;
// Outputs of a block are a multiple of the vector registers that a kernel computes together.
constexpr int64_t kBlockOutputs = 64;

struct DenseShape {
  int64_t batch, in, out;
  int64_t block;  // outputs of a part; the last one may be smaller

  int64_t blocks() const { return (out + block - 1) / block; }
};

DenseShape ShapeOf(const StepContext& context, const FloatNode& node) {
  DenseShape s{};
  s.batch = context.plan.batch;
  s.in = formats::ElementCount(context.Tensor(node.inputs[0]).dims);
  s.out = formats::ElementCount(context.Tensor(node.output).dims);
  const int64_t parts = std::clamp<int64_t>((s.in * s.out + kPartWeights / 2) / kPartWeights, 1, kMaxParts);
  const int64_t outputs = (s.out + parts - 1) / parts;
  s.block = (outputs + kBlockOutputs - 1) / kBlockOutputs * kBlockOutputs;
  return s;
}

// oneDNN writes a block densely as [batch][block outputs]. With one block or one sample that is the tensor itself;
// otherwise blocks go to scratch, one after another, and are then copied to their places in the rows.
class DenseStep final : public Step {
 public:
  DenseStep(StepContext& context, const FloatNode& node, const DenseShape& shape, PartPlan plan)
      : shape_(shape), runner_(node.name, std::move(plan), context.plan.threads) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    const int64_t staging_bytes = staged() ? StagingFloats() * static_cast<int64_t>(sizeof(float)) : 0;
    if (staging_bytes + runner_.scratch_bytes() > 0) {
      scratch = context.AddScratch(runner_.scratch_bytes() + staging_bytes);
    }
    description.name = node.name;
    description.op = "dense";
    description.kernel = runner_.kernel_name();
    description.shape = std::to_string(shape.in) + " -> " + std::to_string(shape.out);
    description.macs = shape.batch * shape.in * shape.out;
    description.weight_bytes = runner_.weight_bytes();
    if (runner_.is_reference_code()) description.reason = "oneDNN has no optimized kernel for this shape on this CPU";
  }

  std::unique_ptr<StepState> MakeState() const override { return runner_.MakeState(); }

  Status Run(const RunContext& context) const override {
    const float* src = context.Floats(inputs[0]);
    float* dst = context.Floats(outputs[0]);
    std::byte* memory = scratch < 0 ? nullptr : context.Bytes(scratch);
    if (!staged()) return runner_.Run(*context.pool, context.state, src, dst, memory);
    auto* staging = reinterpret_cast<float*>(memory + runner_.scratch_bytes());
    BNN_RETURN_IF_ERROR(runner_.Run(*context.pool, context.state, src, staging, memory));
    for (int64_t first = 0; first < shape_.out; first += shape_.block) {
      const int64_t count = std::min(shape_.block, shape_.out - first);
      for (int64_t n = 0; n < shape_.batch; ++n) {
        std::memcpy(dst + n * shape_.out + first, staging + shape_.batch * first + n * count,
                    static_cast<size_t>(count) * sizeof(float));
      }
    }
    return OkStatus();
  }

 private:
  bool staged() const { return shape_.batch > 1 && shape_.blocks() > 1; }
  int64_t StagingFloats() const { return shape_.batch * shape_.out; }

  DenseShape shape_;
  PartRunner runner_;
};

}  // namespace

Result<StepPtr> MakeDense(StepContext& context, const FloatNode& node, const formats::Dense& op) {
  const DenseShape shape = ShapeOf(context, node);
  StepPtr step;
  BNN_RETURN_IF_ERROR(onednn::Guard(node.name, [&] {
    const auto outputs_of = [&](int64_t first) { return std::min(shape.block, shape.out - first); };
    memory::desc bias_desc;
    std::vector<dnnl::inner_product_forward::primitive_desc> descs;
    std::vector<onednn::Weights::Block> blocks;
    for (int64_t first = 0; first < shape.out; first += shape.block) {
      const int64_t count = outputs_of(first);
      if (op.bias != formats::kNone) bias_desc = onednn::Dense({count});
      descs.push_back(onednn::InnerProductDesc(onednn::Dense({shape.batch, shape.in}),
                                               onednn::AnyLayout({count, shape.in}), bias_desc,
                                               onednn::Dense({shape.batch, count})));
      blocks.push_back({first * shape.in * static_cast<int64_t>(sizeof(float)), onednn::Dense({count, shape.in}),
                        descs.back().weights_desc()});
    }
    const auto weights = onednn::Weights::Of(context.weights, op.weights, blocks);
    PartPlan plan;
    plan.forms.push_back(weights);
    for (size_t i = 0; i < blocks.size(); ++i) {
      const int64_t first = static_cast<int64_t>(i) * shape.block;
      memory bias;
      if (op.bias != formats::kNone) {
        bias_desc = onednn::Dense({outputs_of(first)});
        bias = onednn::Constant(context.BlobFloats(op.bias) + first, bias_desc, bias_desc);
      }
      plan.parts.push_back({static_cast<int>(i), 0, shape.batch * first});
      plan.kernels.push_back(onednn::MakeKernel(descs[i], weights->block(i), bias));
    }
    step = std::make_unique<DenseStep>(context, node, shape, std::move(plan));
    return OkStatus();
  }));
  return step;
}

}  // namespace bnn::engine
