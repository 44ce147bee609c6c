#include "tools/bnn_run/preprocess.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace bnn::run {
namespace {

const char* LayoutName(bnn_layout layout) {
  switch (layout) {
    case BNN_LAYOUT_NONE:
      return "no image";
    case BNN_LAYOUT_NCHW:
      return "NCHW";
    case BNN_LAYOUT_NHWC:
      return "NHWC";
  }
  return "?";
}

bool IsColourCount(int64_t dim) { return dim == 1 || dim == 3; }

// Without the model's word and without a flag.
bnn_layout GuessLayout(std::span<const int64_t> dims) {
  if (dims.size() != 4) return BNN_LAYOUT_NONE;
  if (IsColourCount(dims[1])) return BNN_LAYOUT_NCHW;
  if (IsColourCount(dims[3])) return BNN_LAYOUT_NHWC;
  return BNN_LAYOUT_NONE;
}

int64_t Product(std::span<const int64_t> dims) {
  int64_t product = 1;
  for (const int64_t dim : dims) product *= dim;  // of an array or input that exists: it fits
  return product;
}

// One value for each channel from one for all.
std::vector<float> PerChannel(std::span<const float> values, int64_t channels) {
  if (values.size() == 1) return std::vector<float>(static_cast<size_t>(channels), values[0]);
  return {values.begin(), values.end()};
}

}  // namespace

Status Preprocessor::SetGeometry(const TensorInfo& input, const PreprocessFlags& flags) {
  name_ = input.name;
  if (input.dims.empty()) return Unsupported(fmt::format("input '{}' has no batch dimension", name_));
  sample_shape_.assign(input.dims.begin() + 1, input.dims.end());
  sample_size_ = Product(sample_shape_);
  if (flags.layout && input.dims.size() != 4) {
    return InvalidArgument(
        fmt::format("--layout is for inputs of 4 dimensions, but input '{}' is {}", name_, ShapeString(input.dims)));
  }
  layout_ = flags.layout.value_or(input.layout != BNN_LAYOUT_NONE ? input.layout : GuessLayout(input.dims));
  is_image_ = layout_ != BNN_LAYOUT_NONE && input.dims.size() == 4;
  if (!is_image_) {
    layout_ = BNN_LAYOUT_NONE;
    return OkStatus();
  }
  const bool nchw = layout_ == BNN_LAYOUT_NCHW;
  channels_ = input.dims[nchw ? 1 : 3];
  height_ = input.dims[nchw ? 2 : 1];
  width_ = input.dims[nchw ? 3 : 2];
  return OkStatus();
}

Result<Preprocessor::Affine> Preprocessor::MakeAffine(std::span<const float> mean, const Scale& scale) const {
  for (const size_t count : {mean.size(), scale.factor.size()}) {
    if (count != 1 && count != static_cast<size_t>(channels_)) {
      return InvalidArgument(fmt::format("{} values of mean or scale, but input '{}' has {}", count, name_,
                                         is_image_ ? fmt::format("{} channels", channels_) : "no channels"));
    }
  }
  Affine affine{PerChannel(mean, channels_), PerChannel(scale.factor, channels_), PerChannel(scale.divisor, channels_),
                true};
  const auto all_are = [](const std::vector<float>& values, float wanted) {
    return std::all_of(values.begin(), values.end(), [wanted](float value) { return value == wanted; });
  };
  affine.is_identity = all_are(affine.mean, 0) && all_are(affine.factor, 1) && all_are(affine.divisor, 1);
  return affine;
}

Result<Preprocessor> Preprocessor::Create(const TensorInfo& input, const PreprocessFlags& flags) {
  Preprocessor result;
  BNN_RETURN_IF_ERROR(result.SetGeometry(input, flags));
  const std::vector<float> no_mean{0.0F};
  const Scale no_scale;
  const std::vector<float> model_mean = input.mean.empty() ? no_mean : input.mean;
  const Scale model_scale = input.scale.empty() ? no_scale : Scale{input.scale, {1.0F}};
  BNN_ASSIGN_OR_RETURN(result.pixels_,
                       result.MakeAffine(flags.mean.value_or(model_mean), flags.scale.value_or(model_scale)));
  BNN_ASSIGN_OR_RETURN(result.others_, result.MakeAffine(flags.mean.value_or(no_mean), flags.scale.value_or(no_scale)));
  return result;
}

Result<Feed> Preprocessor::Match(const Array& array, const std::string& name) const {
  const std::span<const int64_t> shape(array.shape);
  const std::vector<int64_t> hwc{height_, width_, channels_}, chw{channels_, height_, width_};
  const auto is_sample = [](std::span<const int64_t> dims, const std::vector<int64_t>& wanted) {
    return std::equal(dims.begin(), dims.end(), wanted.begin(), wanted.end());
  };
  const auto order_of = [&](std::span<const int64_t> dims) -> std::optional<Feed::Order> {
    if (is_sample(dims, sample_shape_)) return Feed::Order::kSame;
    if (!is_image_) return std::nullopt;
    if (channels_ == 1 && is_sample(dims, {height_, width_})) return Feed::Order::kSame;
    if (is_sample(dims, hwc)) return Feed::Order::kHwcToChw;
    if (is_sample(dims, chw)) return Feed::Order::kChwToHwc;
    return std::nullopt;
  };
  if (!shape.empty()) {
    if (const auto order = order_of(shape.subspan(1))) return Feed{&array, shape[0], *order};
  }
  if (const auto order = order_of(shape)) return Feed{&array, 1, *order};
  // With one channel, or none, all orders are the same: only the number of values counts.
  if (shape.size() > 1 && channels_ == 1 && Product(shape.subspan(1)) == sample_size_) {
    return Feed{&array, shape[0], Feed::Order::kSame};
  }

  std::string wanted = fmt::format("[N,{}]", fmt::join(sample_shape_, ","));
  if (is_image_ && channels_ == 1) {
    wanted = fmt::format("[N,{},{}]", height_, width_);
  } else if (is_image_) {
    wanted = fmt::format("[N,{}] or [N,{}]", fmt::join(hwc, ","), fmt::join(chw, ","));
  }
  return InvalidArgument(fmt::format("{}: shape {} does not suit the model's input '{}': {} is needed", name,
                                     ShapeString(shape), name_, wanted));
}

void Preprocessor::FillSample(const Feed& feed, int64_t sample, const Affine& affine, std::span<float> scratch,
                              std::span<float> out) const {
  const bool same = feed.order == Feed::Order::kSame;
  CopyAsFloat(*feed.array, sample * sample_size_, same ? out : scratch);
  if (same && affine.is_identity) return;
  const float* const from = same ? out.data() : scratch.data();
  const int64_t pixels = sample_size_ / channels_;
  // Element (pixel p, channel c) lies at p * pixel_step + c * channel_step.
  const bool to_nhwc = layout_ == BNN_LAYOUT_NHWC;
  const bool from_nhwc = same ? to_nhwc : feed.order == Feed::Order::kHwcToChw;
  const int64_t to_pixel = to_nhwc ? channels_ : 1, to_channel = to_nhwc ? 1 : pixels;
  const int64_t from_pixel = from_nhwc ? channels_ : 1, from_channel = from_nhwc ? 1 : pixels;
  for (int64_t c = 0; c < channels_; ++c) {
    const size_t channel = static_cast<size_t>(c);
    const float mean = affine.mean[channel], factor = affine.factor[channel], divisor = affine.divisor[channel];
    for (int64_t p = 0; p < pixels; ++p) {
      const float value = from[p * from_pixel + c * from_channel];
      out[static_cast<size_t>(p * to_pixel + c * to_channel)] = (value - mean) * factor / divisor;
    }
  }
}

void Preprocessor::Fill(const Feed& feed, int64_t first, int64_t count, std::span<float> out) const {
  const Affine& affine = feed.array->dtype == DType::kU8 ? pixels_ : others_;
  std::vector<float> scratch(feed.order == Feed::Order::kSame ? 0 : static_cast<size_t>(sample_size_));
  for (int64_t i = 0; i < count; ++i) {
    FillSample(feed, first + i, affine, scratch,
               out.subspan(static_cast<size_t>(i * sample_size_), static_cast<size_t>(sample_size_)));
  }
}

std::string Preprocessor::Describe() const {
  std::string text = LayoutName(layout_);
  if (pixels_.is_identity) return text + ", pixels 0..255 as they are";
  const auto list = [](const std::vector<float>& values) {
    const bool equal = std::all_of(values.begin(), values.end(), [&](float value) { return value == values[0]; });
    return equal ? fmt::format("{}", values[0]) : fmt::format("[{}]", fmt::join(values, ", "));
  };
  text += fmt::format(", pixels as (p - {}) * {}", list(pixels_.mean), list(pixels_.factor));
  if (list(pixels_.divisor) != "1") text += " / " + list(pixels_.divisor);
  return text;
}

}  // namespace bnn::run
