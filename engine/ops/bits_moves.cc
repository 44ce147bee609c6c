// Steps that move bits: pooling, unpacking, copies between layouts, halos.
#include <utility>
#include <variant>

#include "engine/aligned_buffer.h"
#include "engine/compile/geometry.h"
#include "engine/ops/binary_ops.h"
#include "engine/ops/selection.h"
#include "engine/parallel.h"
#include "kernels/bitpack/bitpack.h"
#include "kernels/bmaxpool/bmaxpool.h"

namespace bnn::engine {
namespace {

class BMaxPoolStep final : public Step {
 public:
  BMaxPoolStep(const StepContext& context, const formats::NodeDef& node)
      : in_(context.Tensor(node.inputs[0]).bits),
        out_(context.Tensor(node.output).bits),
        kernel_(kernels::SelectBMaxPool(context.plan.max_isa, AppendRefusal, &description.reason)) {
    const formats::Window2d& window = std::get<formats::BMaxPool>(node.op).window;
    shape_.batch = context.plan.batch;
    shape_.in_h = in_.h;
    shape_.in_w = in_.w;
    shape_.channels = in_.channels;
    shape_.planes = in_.planes;
    // A pool works on words, whatever channels they hold: with grouped pixels the gaps are 0 on both sides.
    if (in_.groups > 1) shape_.channels = in_.pixel_words() * kernels::kBitsPerWord;
    shape_.kernel_h = window.kernel_h;
    shape_.kernel_w = window.kernel_w;
    shape_.stride_h = window.stride_h;
    shape_.stride_w = window.stride_w;
    shape_.dilation_h = window.dilation_h;
    shape_.dilation_w = window.dilation_w;
    shape_.pad_top = window.pad_top;
    shape_.pad_left = window.pad_left;
    shape_.out_h = out_.h;
    shape_.out_w = out_.w;
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = "bmaxpool";
    description.kernel = kernel_->name;
    description.shape = DimsText(context.Tensor(node.inputs[0]).dims) + " -> " +
                        DimsText(context.Tensor(node.output).dims) + ", " + WindowText(window);
  }

  Status Run(const RunContext& context) const override {
    const int64_t rows = shape_.batch * shape_.out_h;
    ParallelFor(*context.pool, rows, [&](int64_t begin, int64_t end) {
      while (begin < end) {
        kernels::BMaxPoolArgs args;
        args.in = context.Words(inputs[0]) + in_.interior();
        args.in_strides = in_.strides();
        args.out = context.Words(outputs[0]) + out_.interior();
        args.out_strides = out_.strides();
        args.image_begin = begin / shape_.out_h;
        args.image_end = args.image_begin + 1;
        args.row_begin = begin % shape_.out_h;
        args.row_end = std::min(shape_.out_h, args.row_begin + end - begin);
        kernel_->run(shape_, args);
        begin += args.row_end - args.row_begin;
      }
    });
    return OkStatus();
  }

 private:
  const BitsLayout in_, out_;
  const kernels::BMaxPoolKernel* kernel_;
  kernels::BMaxPoolShape shape_;
};

class UnpackStep final : public Step {
 public:
  UnpackStep(const StepContext& context, const formats::NodeDef& node)
      : in_(context.Tensor(node.inputs[0]).bits),
        batch_(context.plan.batch),
        kernel_(kernels::SelectBitpack(context.plan.max_isa, AppendRefusal, &description.reason)) {
    values_ = PaddedTable(Values(context, std::get<formats::Unpack>(node.op)), in_.channels, in_.groups);
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = "unpack";
    description.kernel = kernel_->name;
    description.shape = DimsText(context.Tensor(node.output).dims);
  }

  Status Run(const RunContext& context) const override {
    // Rows that follow each other without gaps are one.
    const bool is_dense = !in_.has_halo() && in_.planes == 1;
    ParallelFor(*context.pool, batch_ * in_.h, [&](int64_t begin, int64_t end) {
      const int64_t together = is_dense ? end - begin : 1;
      for (int64_t row = begin; row < end; row += together) {
        for (int64_t g = 0; g < in_.groups; ++g) {
          kernels::BitunpackArgs args;
          args.pixels = together * in_.w;
          args.channels = in_.group_channels();
          args.bits = context.Words(inputs[0]) + in_.interior() + row / in_.h * in_.image_words() +
                      row % in_.h * in_.row_words() + g * in_.group_words();
          args.bits_pixel_stride = in_.pixel_words();
          args.planes = in_.planes;
          args.bits_plane_stride = in_.plane_words();
          args.values = values_.data() + g * kernels::PaddedChannels(in_.group_channels());
          args.value_stride = in_.groups * kernels::PaddedChannels(in_.group_channels());
          args.out = context.Floats(outputs[0]) + row * in_.w * in_.channels + g * in_.group_channels();
          args.out_pixel_stride = in_.channels;
          kernel_->unpack(args);
        }
      }
    });
    return OkStatus();
  }

 private:
  // By level.
  static std::vector<std::vector<float>> Values(const StepContext& context, const formats::Unpack& op) {
    const auto floats = [&](int blob) {
      const float* first = context.BlobFloats(blob);
      return std::vector<float>(first,
                                first + formats::ElementCount(context.model.blobs[static_cast<size_t>(blob)].dims));
    };
    if (op.bits == 1) return {floats(op.low), floats(op.high)};
    const std::vector<float> table = floats(op.values);
    const std::ptrdiff_t columns = std::ssize(table) >> op.bits;
    std::vector<std::vector<float>> rows;
    for (auto row = table.begin(); row != table.end(); row += columns) rows.emplace_back(row, row + columns);
    return rows;
  }

  const BitsLayout in_;
  const int64_t batch_;
  const kernels::BitpackKernel* kernel_;
  AlignedBuffer<float> values_;  // [2^planes][groups][PaddedChannels(channels of a group)]
};

class RelayoutStep final : public Step {
 public:
  RelayoutStep(const StepContext& context, const std::string& name, int from, int to, const std::string& reason)
      : from_(context.Tensor(from).bits), to_(context.Tensor(to).bits), batch_(context.plan.batch) {
    inputs = {from};
    outputs = {to};
    description.name = name;
    description.op = "bits-relayout";
    description.kernel = "copy_bits";
    description.shape = DimsText(context.Tensor(from).dims) + " -> " + DimsText(context.Tensor(to).dims);
    description.reason = reason;
  }

  Status Run(const RunContext& context) const override {
    const uint32_t* source = context.Words(inputs[0]);
    uint32_t* target = context.Words(outputs[0]);
    ParallelFor(*context.pool, batch_ * from_.h * from_.w, [&](int64_t begin, int64_t end) {
      for (int64_t pixel = begin; pixel < end; ++pixel) {
        for (int plane = 0; plane < from_.planes; ++plane) {
          CopyPixel(source + PixelOffset(from_, pixel) + plane * from_.plane_words(),
                    target + PixelOffset(to_, pixel) + plane * to_.plane_words());
        }
      }
    });
    return OkStatus();
  }

 private:
  // The pixel's first word of plane 0; `pixel` counts the real pixels of all images in row-major order.
  static int64_t PixelOffset(const BitsLayout& layout, int64_t pixel) {
    const int64_t image = pixel / (layout.h * layout.w);
    const int64_t in_image = pixel % (layout.h * layout.w);
    return layout.interior() + image * layout.image_words() + in_image / layout.w * layout.row_words() +
           in_image % layout.w * layout.pixel_words();
  }

  void CopyPixel(const uint32_t* source, uint32_t* target) const {
    for (int64_t i = 0; i < to_.pixel_words(); ++i) target[i] = 0;  // spare bits
    // Runs of channels that are contiguous on both sides: up to the end of a group of either.
    for (int64_t c = 0; c < from_.channels;) {
      const int64_t from_left = from_.group_channels() - c % from_.group_channels();
      const int64_t to_left = to_.group_channels() - c % to_.group_channels();
      const int64_t count = std::min(from_left, to_left);
      kernels::CopyBits(source, BitOffset(from_, c), target, BitOffset(to_, c), count);
      c += count;
    }
  }

  static int64_t BitOffset(const BitsLayout& layout, int64_t channel) {
    return channel / layout.group_channels() * layout.group_words() * kernels::kBitsPerWord +
           channel % layout.group_channels();
  }

  const BitsLayout from_, to_;
  const int64_t batch_;
};

}  // namespace

Result<StepPtr> MakeBMaxPool(StepContext& context, const formats::NodeDef& node) {
  return StepPtr(std::make_unique<BMaxPoolStep>(context, node));
}

Result<StepPtr> MakeUnpack(StepContext& context, const formats::NodeDef& node) {
  return StepPtr(std::make_unique<UnpackStep>(context, node));
}

StepPtr MakeRelayout(const StepContext& context, const std::string& name, int from, int to, const std::string& reason) {
  return std::make_unique<RelayoutStep>(context, name, from, to, reason);
}

void FillHalo(const BitsLayout& layout, int64_t batch, uint32_t* words) {
  const auto fill_pixels = [&](int64_t row, int64_t pixel_begin, int64_t pixel_end) {
    for (int64_t p = pixel_begin; p < pixel_end; ++p) {
      uint32_t* pixel = words + row * layout.row_words() + p * layout.pixel_words();
      for (int64_t i = 0; i < layout.pixel_words(); ++i) {
        pixel[i] = layout.halo_one ? kernels::WordMask(layout.group_channels(), i % layout.group_words()) : 0;
      }
    }
  };
  const int64_t padded_w = layout.left + layout.w + layout.right;
  for (int64_t n = 0; n < batch * layout.planes; ++n, words += layout.plane_words()) {
    for (int64_t row = 0; row < layout.top; ++row) fill_pixels(row, 0, padded_w);
    for (int64_t row = layout.top; row < layout.top + layout.h; ++row) {
      fill_pixels(row, 0, layout.left);
      fill_pixels(row, layout.left + layout.w, padded_w);
    }
    for (int64_t row = layout.top + layout.h; row < layout.top + layout.h + layout.bottom; ++row) {
      fill_pixels(row, 0, padded_w);
    }
  }
}

}  // namespace bnn::engine
