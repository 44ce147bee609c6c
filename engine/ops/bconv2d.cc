// Binary convolution with its fused epilogue.
#include "kernels/bconv2d/bconv2d.h"

#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "engine/compile/bits_layouts.h"
#include "engine/compile/border_classes.h"
#include "engine/compile/epilogue_params.h"
#include "engine/ops/binary_ops.h"
#include "engine/ops/packed_bits.h"
#include "engine/ops/selection.h"
#include "engine/parallel.h"

namespace bnn::engine {
namespace {

kernels::Padding ToKernel(formats::PadValue value) {
  switch (value) {
    case formats::PadValue::kOne:
      return kernels::Padding::kOne;
    case formats::PadValue::kMinusOne:
      return kernels::Padding::kMinusOne;
    case formats::PadValue::kZero:
      return kernels::Padding::kZero;
  }
  return kernels::Padding::kZero;
}

class BConv2dStep final : public Step {
 public:
  BConv2dStep(const StepContext& context, const Group& group, int input)
      : node_(context.model.nodes[static_cast<size_t>(group.source_node)]),
        op_(std::get<formats::BConv2d>(node_.op)),
        shape_(GroupShape(context)),
        threads_(context.plan.threads),
        epilogue_(context, group, shape_.out_channels * op_.groups, op_.groups, shape_.max_acc()),
        input_layout_(context.Tensor(input).bits) {
    inputs = epilogue_.residuals();
    if (epilogue_.float_output() != -1) in_place = InPlace{epilogue_.float_output(), inputs};
    inputs.insert(inputs.begin(), input);
    if (epilogue_.float_output() != -1) outputs.push_back(epilogue_.float_output());
    if (epilogue_.bits_output() != -1) outputs.push_back(epilogue_.bits_output());
    takes_strided_floats = true;
    std::string refusals;
    kernel_ = kernels::SelectBConv2d(shape_, context.plan.max_isa, AppendRefusal, &refusals);
    MakeWeights(context);
    Describe(context, refusals);
  }

  Status Run(const RunContext& context) const override {
    const Split split = ChooseSplit();
    ParallelFor(*context.pool, split.units, [&](int64_t begin, int64_t end) {
      for (int64_t g = 0; g < op_.groups; ++g) {
        if (split.by_rows) {
          RunRows(context, g, begin, end);
        } else {
          RunPart(context, g, {0, shape_.batch, 0, shape_.out_h(), begin, end});
        }
      }
    });
    return OkStatus();
  }

 private:
  using Weights = PackedBits<kernels::BConv2dKernel, kernels::BConv2dShape>;

  struct Split {
    bool by_rows = true;
    int64_t units = 0;
  };
  struct Part {
    int64_t image_begin, image_end, row_begin, row_end, block_begin, block_end;
  };

  int64_t Blocks() const { return kernels::PaddedChannels(shape_.out_channels) / kernels::kChannelBlock; }

  // Over output rows or over channel blocks, whichever leaves the last thread less to wait for.
  Split ChooseSplit() const {
    const int64_t rows = shape_.batch * shape_.out_h();
    const auto waste = [&](int64_t units) {  // work of the busiest thread relative to its fair share
      return static_cast<double>((units + threads_ - 1) / threads_ * threads_) / static_cast<double>(units);
    };
    if (waste(rows) <= waste(Blocks())) return {true, rows};
    return {false, Blocks()};
  }

  // The rows [begin, end) of all images laid end to end: a rectangle for each image that they touch.
  void RunRows(const RunContext& context, int64_t g, int64_t begin, int64_t end) const {
    const int64_t out_h = shape_.out_h();
    while (begin < end) {
      const int64_t image = begin / out_h;
      const int64_t row = begin % out_h;
      const int64_t row_end = std::min(out_h, row + end - begin);
      RunPart(context, g, {image, image + 1, row, row_end, 0, Blocks()});
      begin += row_end - row;
    }
  }

  void RunPart(const RunContext& context, int64_t g, const Part& part) const {
    kernels::EpilogueStep steps[kernels::kMaxEpilogueSteps];
    const BorderClasses& border = borders_[static_cast<size_t>(g)];
    kernels::BConv2dArgs args;
    // The halo may be wider than this convolution's padding when other readers need more.
    args.in = context.Words(inputs[0]) + (input_layout_.top - shape_.pad_top) * input_layout_.row_words() +
              (input_layout_.left - shape_.pad_left) * input_layout_.pixel_words() +
              g * kernels::WordsFor(shape_.in_channels);
    args.in_strides = input_layout_.strides();
    args.weights = weights_->group(g);
    args.base = border.base.data();
    if (!border.row_class.empty()) {
      args.row_class = border.row_class.data();
      args.col_class = border.col_class.data();
      args.num_col_classes = border.num_col_classes;
    }
    args.epilogue = epilogue_.Bind(context, g, /*rows_are_samples=*/false, steps);
    args.image_begin = part.image_begin;
    args.image_end = part.image_end;
    args.row_begin = part.row_begin;
    args.row_end = part.row_end;
    args.block_begin = part.block_begin;
    args.block_end = part.block_end;
    kernel_->run(shape_, args);
  }

  kernels::BConv2dShape GroupShape(const StepContext& context) const {
    const formats::TensorDef& input = context.model.tensors[static_cast<size_t>(node_.inputs[0])];
    const std::vector<int64_t>& in = input.dims;
    const formats::Window2d& window = op_.window;
    kernels::BConv2dShape shape;
    shape.planes = formats::BitsOf(input.type);
    shape.batch = context.plan.batch;
    shape.in_h = in[0];
    shape.in_w = in[1];
    shape.in_channels = in[2] / op_.groups;
    shape.out_channels = context.model.blobs[static_cast<size_t>(op_.weights)].dims[0] / op_.groups;
    shape.kernel_h = window.kernel_h;
    shape.kernel_w = window.kernel_w;
    shape.stride_h = window.stride_h;
    shape.stride_w = window.stride_w;
    shape.dilation_h = window.dilation_h;
    shape.dilation_w = window.dilation_w;
    shape.pad_top = window.pad_top;
    shape.pad_left = window.pad_left;
    shape.pad_bottom = window.pad_bottom;
    shape.pad_right = window.pad_right;
    shape.padding = ToKernel(op_.pad_value);
    return shape;
  }

  // The border classes first: they read the weights as the file has them, which packing makes unnecessary.
  void MakeWeights(const StepContext& context) {
    const int64_t source_words = shape_.out_channels * kernels::WordsFor(shape_.terms());
    std::shared_ptr<const WeightStore::Source> source;
    if (NeedsBorderClasses(shape_)) source = context.weights.SourceOf(op_.weights);
    for (int64_t g = 0; g < op_.groups; ++g) {
      const auto* words = source == nullptr ? nullptr : reinterpret_cast<const uint32_t*>(source->data());
      borders_.push_back(MakeBorderClasses(shape_, words == nullptr ? nullptr : words + g * source_words));
    }
    source.reset();
    weights_ = Weights::Of(context.weights, op_.weights, *kernel_, shape_, op_.groups, source_words);
  }

  void Describe(const StepContext& context, const std::string& refusals) {
    const std::vector<int64_t>& in = context.model.tensors[static_cast<size_t>(node_.inputs[0])].dims;
    const std::vector<int64_t>& out = context.model.tensors[static_cast<size_t>(node_.output)].dims;
    const formats::Window2d& window = op_.window;
    description.name = node_.name;
    description.op = "bconv2d" + epilogue_.op_suffix();
    description.kernel = kernel_->name;
    description.shape = DimsText(in) + " -> " + DimsText(out) + ", " + WindowText(window);
    if (op_.groups > 1) description.shape += " g" + std::to_string(op_.groups);
    if (shape_.planes > 1) description.shape += " " + std::to_string(shape_.planes) + "bit";
    description.reason = JoinReasons(refusals, epilogue_.reason());
    if (!borders_[0].row_class.empty()) {
      description.reason = JoinReasons(description.reason, "excluded padding corrected a border class");
    }
    description.macs = shape_.planes * shape_.batch * shape_.out_h() * shape_.out_w() * shape_.out_channels *
                       op_.groups * shape_.terms();
    description.is_binary = true;
    int64_t base_bytes = 0;
    for (const BorderClasses& border : borders_) base_bytes += static_cast<int64_t>(border.base.bytes());
    description.weight_bytes = weights_->bytes() + base_bytes + epilogue_.bytes();
  }

  const formats::NodeDef node_;
  const formats::BConv2d op_;
  const kernels::BConv2dShape shape_;  // of one group
  const int threads_;
  const EpilogueParams epilogue_;
  const BitsLayout input_layout_;
  const kernels::BConv2dKernel* kernel_ = nullptr;
  std::shared_ptr<const Weights> weights_;
  std::vector<BorderClasses> borders_;  // a group each
};

}  // namespace

Result<StepPtr> MakeBConv2d(StepContext& context, const Group& group, int input) {
  return StepPtr(std::make_unique<BConv2dStep>(context, group, input));
}

}  // namespace bnn::engine
