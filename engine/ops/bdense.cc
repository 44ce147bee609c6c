// Binary dense layer with its fused epilogue.
#include "kernels/bdense/bdense.h"

#include <memory>
#include <utility>
#include <variant>

#include "engine/compile/epilogue_params.h"
#include "engine/ops/binary_ops.h"
#include "engine/ops/packed_bits.h"
#include "engine/ops/selection.h"
#include "engine/parallel.h"

namespace bnn::engine {
namespace {

class BDenseStep final : public Step {
 public:
  BDenseStep(const StepContext& context, const Group& group, int input)
      : shape_(Shape(context, group)),
        threads_(context.plan.threads),
        epilogue_(context, group, shape_.out_features, /*groups=*/1, shape_.max_acc()),
        input_layout_(context.Tensor(input).bits) {
    const formats::NodeDef& node = context.model.nodes[static_cast<size_t>(group.source_node)];
    inputs = epilogue_.residuals();
    if (epilogue_.float_output() != -1) in_place = InPlace{epilogue_.float_output(), inputs};
    inputs.insert(inputs.begin(), input);
    if (epilogue_.float_output() != -1) outputs.push_back(epilogue_.float_output());
    if (epilogue_.bits_output() != -1) outputs.push_back(epilogue_.bits_output());
    std::string refusals;
    kernel_ = kernels::SelectBDense(shape_, context.plan.max_isa, AppendRefusal, &refusals);
    weights_ = Weights::Of(context.weights, std::get<formats::BDense>(node.op).weights, *kernel_, shape_, /*groups=*/1,
                           shape_.out_features * kernels::WordsFor(shape_.in_features));

    description.name = node.name;
    description.op = "bdense" + epilogue_.op_suffix();
    description.kernel = kernel_->name;
    description.shape = std::to_string(shape_.in_features) + " -> " + std::to_string(shape_.out_features);
    description.reason = JoinReasons(refusals, epilogue_.reason());
    if (shape_.planes > 1) description.shape += " " + std::to_string(shape_.planes) + "bit";
    description.macs = shape_.planes * shape_.rows * shape_.in_features * shape_.out_features;
    description.is_binary = true;
    description.weight_bytes = weights_->bytes() + epilogue_.bytes();
  }

  Status Run(const RunContext& context) const override {
    const int64_t blocks = kernels::PaddedChannels(shape_.out_features) / kernels::kChannelBlock;
    // Output features first: each thread then reads its own part of the weights only.
    const bool by_blocks = blocks >= threads_ || blocks >= shape_.rows;
    ParallelFor(*context.pool, by_blocks ? blocks : shape_.rows, [&](int64_t begin, int64_t end) {
      kernels::EpilogueStep steps[kernels::kMaxEpilogueSteps];
      kernels::BDenseArgs args;
      args.in = context.Words(inputs[0]) + input_layout_.interior();
      args.in_row_stride = input_layout_.image_words();
      args.in_plane_stride = input_layout_.plane_words();
      args.weights = weights_->group(0);
      args.epilogue = epilogue_.Bind(context, 0, /*rows_are_samples=*/true, steps);
      args.row_begin = by_blocks ? 0 : begin;
      args.row_end = by_blocks ? shape_.rows : end;
      args.block_begin = by_blocks ? begin : 0;
      args.block_end = by_blocks ? end : blocks;
      kernel_->run(shape_, args);
    });
    return OkStatus();
  }

 private:
  using Weights = PackedBits<kernels::BDenseKernel, kernels::BDenseShape>;

  static kernels::BDenseShape Shape(const StepContext& context, const Group& group) {
    const formats::NodeDef& node = context.model.nodes[static_cast<size_t>(group.source_node)];
    const auto& op = std::get<formats::BDense>(node.op);
    const formats::Blob& weights = context.model.blobs[static_cast<size_t>(op.weights)];
    const formats::ElementType type = context.model.tensors[static_cast<size_t>(node.inputs[0])].type;
    return {context.plan.batch, weights.dims[1], weights.dims[0], formats::BitsOf(type)};
  }

  const kernels::BDenseShape shape_;
  const int threads_;
  const EpilogueParams epilogue_;
  const BitsLayout input_layout_;
  const kernels::BDenseKernel* kernel_ = nullptr;
  std::shared_ptr<const Weights> weights_;
};

}  // namespace

Result<StepPtr> MakeBDense(StepContext& context, const Group& group, int input) {
  return StepPtr(std::make_unique<BDenseStep>(context, group, input));
}

}  // namespace bnn::engine
