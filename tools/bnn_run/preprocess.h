// From the values of a file to the values of a network's input: order of the dimensions, mean and scale.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bnn/bnn.hpp"
#include "tools/bnn_run/array.h"

namespace bnn::run {

// x = (value - mean[c]) * factor[c] / divisor[c], each step rounded to float32. A vector of 1 element serves all
// channels. The divisor is what makes "1/255" exact: value / 255 is not always value * float(1.0 / 255).
struct Scale {
  std::vector<float> factor{1.0F};
  std::vector<float> divisor{1.0F};
};

// "0.5" or "0.485,0.456,0.406": finite numbers, one or one a channel.
Result<std::vector<float>> ParseNumbers(std::string_view text);

// The same, and each may be a fraction: "1/255", "1/58.4,1/57.1,1/57.4".
Result<Scale> ParseScale(std::string_view text);

// What the user wants instead of what the model says.
struct PreprocessFlags {
  std::optional<std::vector<float>> mean;
  std::optional<Scale> scale;
  std::optional<bnn_layout> layout;
};

// An array that suits an input.
struct Feed {
  // How a sample of the file lies compared with the input.
  enum class Order { kSame, kHwcToChw, kChwToHwc };

  const Array* array = nullptr;
  int64_t samples = 0;
  Order order = Order::kSame;
};

// Fills one input of a network from arrays. Which values are pixels: those of uint8 arrays. They get the mean and scale
// of the model or, where given, of the flags. Values of any other type are taken as they are, unless a flag says
// otherwise; a flag that is absent then means mean 0 or scale 1.
class Preprocessor {
 public:
  // An input of 4 dimensions is an image if the model or a flag gives its layout; without either, if its second
  // (NCHW) or last (NHWC) dimension is 1 or 3.
  static Result<Preprocessor> Create(const TensorInfo& input, const PreprocessFlags& flags);

  // Judges the shape of an array. Accepted, with N samples: the input's own shape; [N,H,W,C] and [N,C,H,W] whatever the
  // order of the input (where both fit, the input's own); [N,H,W] for one channel; any of these without N as one
  // sample; for one channel, or an input that is no image, any [N,...] with as many values a sample. `name` is for the
  // message.
  Result<Feed> Match(const Array& array, const std::string& name) const;

  // Writes samples first .. first + count - 1 to `out`, which has count * sample_size() elements.
  void Fill(const Feed& feed, int64_t first, int64_t count, std::span<float> out) const;

  bool is_image() const { return is_image_; }
  bnn_layout layout() const { return layout_; }
  int64_t channels() const { return channels_; }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t sample_size() const { return sample_size_; }

  // "NCHW, pixels: (p - 0.5) * 2"
  std::string Describe() const;

 private:
  struct Affine {
    std::vector<float> mean, factor, divisor;  // one a channel
    bool is_identity = true;
  };

  Preprocessor() = default;
  Status SetGeometry(const TensorInfo& input, const PreprocessFlags& flags);
  Result<Affine> MakeAffine(std::span<const float> mean, const Scale& scale) const;
  void FillSample(const Feed& feed, int64_t sample, const Affine& affine, std::span<float> scratch,
                  std::span<float> out) const;

  std::string name_;
  std::vector<int64_t> sample_shape_;  // without the batch
  int64_t sample_size_ = 1;
  bool is_image_ = false;
  bnn_layout layout_ = BNN_LAYOUT_NONE;
  int64_t channels_ = 1, height_ = 1, width_ = 1;
  Affine pixels_;  // for uint8
  Affine others_;
};

}  // namespace bnn::run
