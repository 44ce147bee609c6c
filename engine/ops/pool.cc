#include "engine/ops/pool.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/ops/loops.h"
#include "engine/ops/strips.h"

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

// Strips are passed on by themselves; a row does not depend on which others are made with it.
class PlainPoolStep final : public StripStep {
 public:
  PlainPoolStep(const StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape)
      : StripStep(node.output),
        kind_(kind),
        shape_(shape),
        slots_(std::min<int64_t>(context.plan.threads, shape.batch * shape.out_h)) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.kernel = "plain";
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* const whole_map = keeps_map() ? context.Floats(map()) : nullptr;
    const int64_t rows = shape_.batch * shape_.out_h;
    if (!has_readers()) {
      const int64_t taps = shape_.window.kernel_h * shape_.window.kernel_w;
      ParallelItems(*context.pool, rows, row_floats() * taps, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) MakeRow(in, row, whole_map + row * row_floats());
      });
      return OkStatus();
    }
    ParallelFor(*context.pool, slots_, [&](int64_t first, int64_t last) {
      for (int64_t slot = first; slot < last; ++slot) {
        std::byte* const own = whole_map == nullptr ? context.Bytes(scratch) + slot * strip_bytes() : nullptr;
        for (int64_t row = rows * slot / slots_; row < rows * (slot + 1) / slots_; ++row) {
          float* const out = whole_map != nullptr ? whole_map + row * row_floats() : reinterpret_cast<float*>(own);
          MakeRow(in, row, out);
          PassOn(context, row, row + 1, out);
        }
      }
    });
    return OkStatus();
  }

  bool passes_rows_on() const override { return true; }

 protected:
  void PlaceScratch(StepContext* context) override {
    scratch = keeps_map() ? -1 : context->AddScratch(slots_ * strip_bytes());
  }

 private:
  int64_t row_floats() const { return shape_.out_w * shape_.out_c; }
  int64_t strip_bytes() const { return WholeLines(row_floats() * static_cast<int64_t>(sizeof(float))); }

  void MakeRow(const float* in, int64_t row, float* out) const {
    const float* image = in + row / shape_.out_h * shape_.in_h * shape_.in_w * shape_.in_c;
    for (int64_t w = 0; w < shape_.out_w; ++w) Pixel(image, row % shape_.out_h, w, out + w * shape_.out_c);
  }

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
  const int64_t slots_;  // rows that may be in work at once
};

Result<StepPtr> MakeDescribed(StepContext& context, const FloatNode& node, const formats::Window2d& window,
                              PoolKind kind) {
  BNN_ASSIGN_OR_RETURN(const WindowShape shape, WindowShapeOf(context, node, window));
  BNN_ASSIGN_OR_RETURN(StepPtr step, MakePool(context, node, kind, shape));
  step->description.op = kind == PoolKind::kMax ? "maxpool" : "avgpool";
  step->description.shape = ShapeText(shape);
  return step;
}

}  // namespace

StepPtr MakePlainPool(const StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape,
                      std::string reason) {
  auto step = std::make_unique<PlainPoolStep>(context, node, kind, shape);
  step->description.reason = std::move(reason);
  return step;
}

Result<StepPtr> MakeMaxPool(StepContext& context, const FloatNode& node, const formats::MaxPool& op) {
  return MakeDescribed(context, node, op.window, PoolKind::kMax);
}

// With count_include_pad every tap counts: windows never reach beyond the padded map.
Result<StepPtr> MakeAvgPool(StepContext& context, const FloatNode& node, const formats::AvgPool& op) {
  return MakeDescribed(context, node, op.window,
                       op.count_include_pad ? PoolKind::kAvgIncludePad : PoolKind::kAvgExcludePad);
}

}  // namespace bnn::engine
