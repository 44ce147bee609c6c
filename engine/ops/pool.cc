#include "engine/ops/pool.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/ops/loops.h"

namespace bnn::engine {
namespace {

// The taps k of a window axis with 0 <= start + k * dilation < size: [first, last).
struct TapRange {
  int64_t first, last;
};
TapRange TapsInside(int64_t start, int64_t kernel, int64_t dilation, int64_t size) {
  const int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const int64_t last = start >= size ? 0 : (size - 1 - start) / dilation + 1;
  return {std::min(first, kernel), std::clamp(last, std::min(first, kernel), kernel)};
}

class PlainPoolStep final : public Step {
 public:
  PlainPoolStep(const StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape)
      : kind_(kind), shape_(shape) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.kernel = "plain";
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    const WindowShape& s = shape_;
    const int64_t taps = s.window.kernel_h * s.window.kernel_w;
    ParallelItems(*context.pool, s.batch * s.out_h, s.out_w * s.out_c * taps, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* image = in + row / s.out_h * s.in_h * s.in_w * s.in_c;
        for (int64_t w = 0; w < s.out_w; ++w) {
          Pixel(image, row % s.out_h, w, out + (row * s.out_w + w) * s.out_c);
        }
      }
    });
    return OkStatus();
  }

 private:
  void Pixel(const float* image, int64_t out_row, int64_t out_col, float* out) const {
    const formats::Window2d& window = shape_.window;
    const int64_t channels = shape_.in_c;
    const int64_t top = out_row * window.stride_h - window.pad_top;
    const int64_t left = out_col * window.stride_w - window.pad_left;
    const TapRange rows = TapsInside(top, window.kernel_h, window.dilation_h, shape_.in_h);
    const TapRange cols = TapsInside(left, window.kernel_w, window.dilation_w, shape_.in_w);
    const bool max = kind_ == PoolKind::kMax;
    std::fill_n(out, channels, max ? -std::numeric_limits<float>::infinity() : 0.0f);
    for (int64_t kh = rows.first; kh < rows.last; ++kh) {
      for (int64_t kw = cols.first; kw < cols.last; ++kw) {
        const int64_t pixel = (top + kh * window.dilation_h) * shape_.in_w + left + kw * window.dilation_w;
        const float* in = image + pixel * channels;
        if (max) {
          for (int64_t c = 0; c < channels; ++c) out[c] = in[c] > out[c] ? in[c] : out[c];
        } else {
          for (int64_t c = 0; c < channels; ++c) out[c] += in[c];
        }
      }
    }
    if (max) return;
    int64_t count = window.kernel_h * window.kernel_w;
    if (kind_ == PoolKind::kAvgExcludePad) count = (rows.last - rows.first) * (cols.last - cols.first);
    const auto divisor = static_cast<float>(std::max<int64_t>(count, 1));
    for (int64_t c = 0; c < channels; ++c) out[c] /= divisor;
  }

  const PoolKind kind_;
  const WindowShape shape_;
};

}  // namespace

StepPtr MakePlainPool(const StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape,
                      std::string reason) {
  auto step = std::make_unique<PlainPoolStep>(context, node, kind, shape);
  step->description.reason = std::move(reason);
  return step;
}

}  // namespace bnn::engine
