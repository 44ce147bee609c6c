// A chain of elementwise nodes over a float tensor, possibly ending in bits. With nothing before the bits it is a plain
// bit packing, for which there is a faster kernel.
#include "kernels/eltwise/eltwise.h"

#include <utility>

#include "engine/compile/epilogue_params.h"
#include "engine/ops/binary_ops.h"
#include "engine/ops/selection.h"
#include "engine/parallel.h"
#include "kernels/bitpack/bitpack.h"

namespace bnn::engine {
namespace {

class EltwiseStep final : public Step {
 public:
  EltwiseStep(const StepContext& context, const Group& group)
      : geometry_(GeometryOf(context.Tensor(group.input).dims)),
        batch_(context.plan.batch),
        epilogue_(context, group, geometry_.c, /*groups=*/1, /*terms=*/0) {
    inputs = epilogue_.residuals();
    inputs.insert(inputs.begin(), group.input);
    if (epilogue_.float_output() != -1) outputs.push_back(epilogue_.float_output());
    if (epilogue_.bits_output() != -1) outputs.push_back(epilogue_.bits_output());
    if (epilogue_.float_output() != -1) in_place = InPlace{epilogue_.float_output(), inputs};
    takes_strided_floats = true;
    is_packing_ = !epilogue_.has_steps() && epilogue_.float_output() == -1;
    if (is_packing_) {
      packer_ = kernels::SelectBitpack(context.plan.max_isa, AppendRefusal, &description.reason);
    } else {
      kernel_ = kernels::SelectEltwise(context.plan.max_isa, AppendRefusal, &description.reason);
    }

    description.reason = JoinReasons(description.reason, epilogue_.reason());
    const int first = group.chain.empty() ? group.branch.front() : group.chain.front();
    description.name = context.model.nodes[static_cast<size_t>(first)].name;
    description.op = epilogue_.op_suffix().substr(1);
    description.kernel = is_packing_ ? packer_->name : kernel_->name;
    description.shape = DimsText(context.Tensor(group.input).dims);
    description.weight_bytes = epilogue_.bytes();
  }

  Status Run(const RunContext& context) const override {
    // The rows of all images laid end to end; a vector is an image of one row.
    const int64_t rows = batch_ * geometry_.h;
    ParallelFor(*context.pool, rows, [&](int64_t begin, int64_t end) {
      kernels::EpilogueStep steps[kernels::kMaxEpilogueSteps];
      const kernels::Epilogue epilogue = epilogue_.Bind(context, 0, /*rows_are_samples=*/false, steps);
      while (begin < end) {
        const int64_t image = begin / geometry_.h;
        const int64_t row = begin % geometry_.h;
        const int64_t row_end = std::min(geometry_.h, row + end - begin);
        if (is_packing_) {
          Pack(context, epilogue, image, row, row_end);
        } else {
          Map(context, epilogue, image, row, row_end);
        }
        begin += row_end - row;
      }
    });
    return OkStatus();
  }

 private:
  void Map(const RunContext& context, const kernels::Epilogue& epilogue, int64_t image, int64_t row,
           int64_t row_end) const {
    kernels::EltwiseArgs args;
    args.out_h = geometry_.h;
    args.out_w = geometry_.w;
    args.channels = geometry_.c;
    args.in = context.Floats(inputs[0]);
    args.in_strides = geometry_.float_strides(context.plan->tensors[static_cast<size_t>(inputs[0])]);
    args.epilogue = epilogue;
    args.image_begin = image;
    args.image_end = image + 1;
    args.row_begin = row;
    args.row_end = row_end;
    kernel_->run(args);
  }

  void Pack(const RunContext& context, const kernels::Epilogue& epilogue, int64_t image, int64_t row,
            int64_t row_end) const {
    const kernels::Strides in = geometry_.float_strides(context.plan->tensors[static_cast<size_t>(inputs[0])]);
    for (; row < row_end; ++row) {
      kernels::BitpackArgs args;
      args.pixels = geometry_.w;
      args.channels = geometry_.c;
      args.in = context.Floats(inputs[0]) + image * in.image + row * in.row;
      args.in_pixel_stride = in.pixel;
      args.in_channel_stride = 1;
      args.thresholds = epilogue.thresholds;
      args.bits = epilogue.bits + image * epilogue.bits_strides.image + row * epilogue.bits_strides.row;
      args.bits_pixel_stride = epilogue.bits_strides.pixel;
      packer_->pack(args);
    }
  }

  const Geometry geometry_;
  const int64_t batch_;
  const EpilogueParams epilogue_;
  bool is_packing_ = false;
  const kernels::EltwiseKernel* kernel_ = nullptr;  // not when packing
  const kernels::BitpackKernel* packer_ = nullptr;  // only when packing
};

}  // namespace

Result<StepPtr> MakeEltwise(StepContext& context, const Group& group) {
  return StepPtr(std::make_unique<EltwiseStep>(context, group));
}

}  // namespace bnn::engine
