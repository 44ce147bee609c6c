// Transposed convolution through oneDNN's deconvolution. Activations stay NHWC; the weights are reordered once.
#include <algorithm>
#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "engine/ops/make_step.h"
#include "engine/ops/onednn.h"
#include "engine/ops/onednn_weights.h"
#include "engine/ops/part_runner.h"

namespace bnn::engine {
namespace {

using dnnl::memory;

// Output row r gets something of the input rows i with i * stride + tap * dilation - pad_top = r for a tap: those from
// ceil((r + pad_top - (reach - 1)) / stride) to floor((r + pad_top) / stride). So a strip of output rows [r0, r1) is
// the transposed convolution of the input rows from the first of r0 to the last of r1 - 1, with other pads:
//
//     i0 * stride ------------  first row that input row i0 adds to, were there no pads
//                 : pad_top'  :
//     r0 + pad_top ===========
//                 |  strip    |
//     r1 + pad_top ===========
//                 : pad_bottom':
//     (i1 - 1) * stride + reach
//
// With a stride of at most the reach, no output row lies between the reaches of two input rows, so pad_top' >= 0. Below
// the last row there may be some that nothing adds to (output_pad); oneDNN takes those as a pad of 0, since it rounds
// down as convolutions do.
WindowPart Strip(const WindowShape& shape, int64_t r0, int64_t r1) {
  const formats::Window2d& w = shape.window;
  const int64_t reach = shape.reach_h();
  const int64_t from = r0 + w.pad_top - (reach - 1);
  const int64_t adds = std::max<int64_t>(0, (from + w.stride_h - 1) / w.stride_h);
  // Where nothing adds to r0 (a stride beyond the reach, rows of output_pad), the last input row in front of it.
  const int64_t first = std::min({adds, (r0 + w.pad_top) / w.stride_h, shape.in_h - 1});
  const int64_t last = std::min(shape.in_h - 1, (r1 - 1 + w.pad_top) / w.stride_h);
  WindowPart part{shape, first * shape.in_w * shape.in_c, r0 * shape.out_w * shape.out_c};
  part.shape.batch = 1;
  part.shape.in_h = last - first + 1;
  part.shape.out_h = r1 - r0;
  part.shape.window.pad_top = r0 + w.pad_top - first * w.stride_h;
  part.shape.window.pad_bottom =
      std::max<int64_t>(0, (part.shape.in_h - 1) * w.stride_h + reach - part.shape.window.pad_top - part.shape.out_h);
  return part;
}

// Images, or strips of their rows where an image is much work.
std::vector<WindowPart> CutTransposed(const WindowShape& shape, int64_t work) {
  const formats::Window2d& w = shape.window;
  const int64_t sample_work = std::max<int64_t>(1, work / shape.batch);
  // Each strip begins within the reach of an input row and ends in front of the last one's end.
  const bool can_cut = w.stride_h <= shape.reach_h() && w.pad_top < shape.reach_h() && w.pad_bottom < shape.reach_h();
  const int64_t most = can_cut ? std::min({sample_work / kPartMacs, shape.out_h / (2 * w.stride_h), kMaxParts}) : 1;
  const auto strips = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(1, most))));
  const int64_t rows = (shape.out_h + strips - 1) / strips;
  std::vector<WindowPart> parts;
  for (int64_t n = 0; n < shape.batch; ++n) {
    for (int64_t r0 = 0; r0 < shape.out_h; r0 += rows) {
      WindowPart part = Strip(shape, r0, std::min(r0 + rows, shape.out_h));
      part.src_offset += n * shape.in_h * shape.in_w * shape.in_c;
      part.dst_offset += n * shape.out_h * shape.out_w * shape.out_c;
      parts.push_back(part);
    }
  }
  return parts;
}

}  // namespace

Result<StepPtr> MakeConvTranspose2d(StepContext& context, const FloatNode& node, const formats::ConvTranspose2d& op) {
  BNN_ASSIGN_OR_RETURN(WindowShape shape, WindowShapeOf(context, node, op.window));
  const int64_t macs = shape.batch * shape.in_h * shape.in_w * shape.out_c * op.window.kernel_h * op.window.kernel_w *
                       (shape.in_c / op.groups);
  const std::string text = ShapeText(shape) + " g" + std::to_string(op.groups);
  // oneDNN finds the size of the input from that of the output and the pads, so what output_pad adds is less pad.
  shape.window.pad_right = std::max<int64_t>(0, shape.window.pad_right - op.output_pad_w);
  StepPtr step;
  BNN_RETURN_IF_ERROR(onednn::Guard(node.name, [&] {
    memory bias;
    memory::desc bias_desc;
    if (op.bias != formats::kNone) {
      bias_desc = onednn::Dense({shape.out_c});
      bias = onednn::Constant(context.BlobFloats(op.bias), bias_desc, bias_desc);
    }
    std::vector<std::shared_ptr<const WeightForm>> forms;
    const auto make = [&](const WindowShape& part) {
      const auto desc =
          onednn::DeconvolutionDesc(onednn::Nhwc(part.batch, part.in_h, part.in_w, part.in_c),
                                    onednn::PreferredWeights(part.window, part.in_c, part.out_c, op.groups), bias_desc,
                                    onednn::Nhwc(part.batch, part.out_h, part.out_w, part.out_c), part.window);
      const auto weights = onednn::Weights::Of(
          context.weights, op.weights,
          {{0, onednn::ModelWeights(part.window, part.in_c, part.out_c, op.groups), desc.weights_desc()}});
      forms.push_back(weights);
      return onednn::MakeKernel(desc, weights->block(0), bias);
    };
    PartPlan plan = PlanParts(CutTransposed(shape, WindowWork(shape, macs, sizeof(float))), make);
    plan.forms = std::move(forms);
    step = std::make_unique<PartStep>(context, node, std::move(plan), PartStep::PartsOf::kElements);
    return OkStatus();
  }));
  step->description.op = "conv_transpose2d";
  step->description.shape = text;
  step->description.macs = macs;
  return step;
}

}  // namespace bnn::engine
