#include "bench/conv_work.h"

#include <algorithm>
#include <map>
#include <utility>

namespace bnn::bench {
namespace {

using kernels::PaddedChannels;
using kernels::WordsFor;

// The border class (kernels/bconv2d/bconv2d.h) of every output position along one axis: positions whose windows have
// the same taps inside the image share a class.
std::vector<uint16_t> BorderClasses(int64_t out, int64_t in, int64_t kernel, int64_t stride, int64_t dilation,
                                    int64_t pad) {
  std::map<std::vector<bool>, uint16_t> classes;
  std::vector<uint16_t> of_position;
  for (int64_t position = 0; position < out; ++position) {
    std::vector<bool> inside;
    for (int64_t tap = 0; tap < kernel; ++tap) {
      const int64_t at = position * stride + tap * dilation - pad;
      inside.push_back(at >= 0 && at < in);
    }
    of_position.push_back(classes.try_emplace(inside, static_cast<uint16_t>(classes.size())).first->second);
  }
  return of_position;
}

int64_t CountOf(const std::vector<uint16_t>& classes) {
  return classes.empty() ? 1 : 1 + *std::max_element(classes.begin(), classes.end());
}

}  // namespace

kernels::BConv2dShape ConvCase::Shape() const {
  kernels::BConv2dShape shape;
  shape.in_h = height;
  shape.in_w = width;
  shape.in_channels = in;
  shape.out_channels = out;
  shape.kernel_h = shape.kernel_w = kernel;
  shape.stride_h = shape.stride_w = stride;
  shape.dilation_h = shape.dilation_w = dilation;
  const int64_t pad = valid ? 0 : dilation * (kernel - 1) / 2;
  shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = pad;
  shape.padding = padding;
  shape.planes = planes;
  return shape;
}

kernels::BConv2dShape ConvCase::GroupShape() const {
  kernels::BConv2dShape shape = Shape();
  shape.in_channels /= groups;
  shape.out_channels /= groups;
  return shape;
}

int64_t ConvCase::Macs() const {
  const kernels::BConv2dShape shape = GroupShape();
  return shape.out_h() * shape.out_w() * out * shape.terms();
}

std::string ConvCase::Name() const {
  const auto text = [](int64_t value) { return std::to_string(value); };
  std::string name = text(kernel) + "x" + text(kernel);
  if (stride > 1) name += "s" + text(stride);
  if (dilation > 1) name += "d" + text(dilation);
  if (groups > 1) name += "g" + text(groups);
  name += "/" + text(height) + "x" + text(width) + "x" + text(in) + "->" + text(out);
  if (padding == kernels::Padding::kZero) name += "/zero";
  return name;
}

ConvWork::ConvWork(const kernels::BConv2dKernel& kernel, const ConvCase& c, Output output, int64_t cold_bytes,
                   std::shared_ptr<OutputMemory> memory)
    : kernel_(kernel),
      shape_(c.GroupShape()),
      groups_(c.groups),
      epilogue_(output, shape_.out_h(), shape_.out_w(), shape_.out_channels, c.groups, c.planes, std::move(memory)) {
  // The kernel reads input that carries its padding.
  const int64_t halo_h = shape_.in_h + shape_.pad_top + shape_.pad_bottom;
  const int64_t halo_w = shape_.in_w + shape_.pad_left + shape_.pad_right;
  const int64_t pixel_words = groups_ * WordsFor(shape_.in_channels);
  in_ = RandomBits(c.planes * halo_h * halo_w * groups_, shape_.in_channels);
  const int64_t image_words = halo_h * halo_w * pixel_words;
  in_strides_ = {.image = image_words, .row = halo_w * pixel_words, .pixel = pixel_words, .plane = image_words};

  // Packed weights start at cache lines.
  constexpr int64_t kLineWords = 64 / sizeof(uint32_t);
  group_weights_ = (kernel.packed_words(shape_) + kLineWords - 1) / kLineWords * kLineWords;
  const int64_t words = group_weights_ * groups_;
  copies_ = 1 + cold_bytes / (words * static_cast<int64_t>(sizeof(uint32_t)));
  weights_ = Buffer<uint32_t>(words * copies_);
  const Buffer<uint32_t> source = RandomBits(shape_.out_channels, shape_.terms());
  for (int64_t g = 0; g < groups_; ++g) kernel.pack(shape_, source.data(), weights_.data() + g * group_weights_);
  for (int64_t copy = 1; copy < copies_; ++copy) std::copy_n(weights_.data(), words, weights_.data() + copy * words);

  if (shape_.padding == kernels::Padding::kZero) {
    row_class_ =
        BorderClasses(shape_.out_h(), shape_.in_h, shape_.kernel_h, shape_.stride_h, shape_.dilation_h, shape_.pad_top);
    col_class_ = BorderClasses(shape_.out_w(), shape_.in_w, shape_.kernel_w, shape_.stride_w, shape_.dilation_w,
                               shape_.pad_left);
    num_col_classes_ = CountOf(col_class_);
  }
  // The corrections of the classes are left out: no time depends on their values.
  base_ = Buffer<int32_t>(CountOf(row_class_) * num_col_classes_ * PaddedChannels(shape_.out_channels));
  std::fill(base_.data(), base_.data() + base_.count(), static_cast<int32_t>(shape_.max_acc()));
}

void ConvWork::RunPart(int64_t row_begin, int64_t row_end, int64_t block_begin, int64_t block_end) const {
  for (int64_t g = 0; g < groups_; ++g) {
    kernels::EpilogueStep steps[kernels::kMaxEpilogueSteps];
    kernels::BConv2dArgs args;
    args.in = in_.data() + g * WordsFor(shape_.in_channels);
    args.in_strides = in_strides_;
    args.weights = weights_.data() + (copy_ * groups_ + g) * group_weights_;
    args.base = base_.data();
    if (!row_class_.empty()) {
      args.row_class = row_class_.data();
      args.col_class = col_class_.data();
      args.num_col_classes = num_col_classes_;
    }
    args.epilogue = epilogue_.Bind(g, steps);
    args.image_end = 1;
    args.row_begin = row_begin;
    args.row_end = row_end;
    args.block_begin = block_begin;
    args.block_end = block_end;
    kernel_.run(shape_, args);
  }
}

}  // namespace bnn::bench
