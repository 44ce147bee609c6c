// A chain of elementwise nodes over a float tensor, possibly ending in bits. With nothing before the bits it is a plain
// bit packing, for which there is a faster kernel.
#include "kernels/eltwise/eltwise.h"

#include <utility>

#include "engine/compile/epilogue_params.h"
#include "engine/ops/binary_ops.h"
#include "engine/ops/selection.h"
#include "engine/ops/strips.h"
#include "engine/parallel.h"
#include "kernels/bitpack/bitpack.h"

namespace bnn::engine {
namespace {

class EltwiseStep final : public Step, public RowReader {
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

  // Of a map whose only use are bits: floats may be wanted within a wider map, where strips cannot write.
  const RowReader* row_reader() const override { return epilogue_.float_output() == -1 ? this : nullptr; }

  void ReadRows(const RunContext& context, int64_t begin, int64_t end, const float* rows) const override {
    Rows(context, begin, end, rows, {0, geometry_.w * geometry_.c, geometry_.c});
  }

  Status Run(const RunContext& context) const override {
    const kernels::Strides in = geometry_.float_strides(context.plan->tensors[static_cast<size_t>(inputs[0])]);
    ParallelFor(*context.pool, batch_ * geometry_.h, [&](int64_t begin, int64_t end) {
      Rows(context, begin, end, context.Floats(inputs[0]) + begin * in.row, in);
    });
    return OkStatus();
  }

 private:
  // The rows [begin, end) of all images laid end to end, the first of which is at `in`; a vector is an image of one
  // row.
  void Rows(const RunContext& context, int64_t begin, int64_t end, const float* in,
            const kernels::Strides& strides) const {
    kernels::EpilogueStep steps[kernels::kMaxEpilogueSteps];
    const kernels::Epilogue epilogue = epilogue_.Bind(context, 0, /*rows_are_samples=*/false, steps);
    while (begin < end) {
      const int64_t image = begin / geometry_.h;
      const int64_t row = begin % geometry_.h;
      const int64_t rows = std::min(geometry_.h - row, end - begin);
      if (is_packing_) {
        Pack(epilogue, image, row, rows, in, strides);
      } else {
        Map(epilogue, image, row, rows, in, strides);
      }
      begin += rows;
      in += rows * strides.row;
    }
  }

  void Map(const kernels::Epilogue& epilogue, int64_t image, int64_t row, int64_t rows, const float* in,
           const kernels::Strides& strides) const {
    kernels::EpilogueStep steps[kernels::kMaxEpilogueSteps];
    kernels::EltwiseArgs args;
    args.out_h = geometry_.h;
    args.out_w = geometry_.w;
    args.channels = geometry_.c;
    args.in = in;
    args.in_strides = strides;
    args.epilogue = FromRow(epilogue, image, row, steps);
    args.image_end = 1;
    args.row_end = rows;
    kernel_->run(args);
  }

  // The epilogue of a map whose image 0, row 0 is this one.
  static kernels::Epilogue FromRow(kernels::Epilogue epilogue, int64_t image, int64_t row,
                                   kernels::EpilogueStep* steps) {
    const auto offset = [&](const kernels::Strides& s) { return image * s.image + row * s.row; };
    for (int i = 0; i < epilogue.num_steps; ++i) {
      steps[i] = epilogue.steps[i];
      if (steps[i].kind == kernels::StepKind::kAdd) steps[i].a += offset(steps[i].strides);
    }
    epilogue.steps = steps;
    if (epilogue.out != nullptr) epilogue.out += offset(epilogue.out_strides);
    if (epilogue.bits != nullptr) epilogue.bits += offset(epilogue.bits_strides);
    return epilogue;
  }

  void Pack(const kernels::Epilogue& epilogue, int64_t image, int64_t row, int64_t rows, const float* in,
            const kernels::Strides& strides) const {
    // Rows that follow each other without gaps are one.
    const bool is_dense = strides.row == geometry_.w * strides.pixel &&
                          epilogue.bits_strides.row == geometry_.w * epilogue.bits_strides.pixel;
    const int64_t together = is_dense ? rows : 1;
    for (int64_t end = row + rows; row < end; row += together, in += strides.row) {
      kernels::BitpackArgs args;
      args.pixels = together * geometry_.w;
      args.channels = geometry_.c;
      args.in = in;
      args.in_pixel_stride = strides.pixel;
      args.in_channel_stride = 1;
      args.thresholds = epilogue.thresholds;
      args.planes = epilogue.planes;
      args.threshold_stride = epilogue.threshold_stride;
      args.bits_plane_stride = epilogue.bits_strides.plane;
      args.signs = epilogue.signs;
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
