// Float convolution without oneDNN: strips of output pixels, whose windows are gathered as rows of a matrix, times the
// weights as the file has them. A window that is the pixel itself (1x1) is read where it lies. Where every channel is a
// group of its own (depthwise) there is nothing to multiply matrices for: taps are added channel by channel.
//
// The work is cut into strips of whole rows, by the shape alone: Eigen sums in an order that depends on how many pixels
// a product has, so strips that depended on the number of threads would change the result.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "engine/aligned_buffer.h"
#include "engine/ops/gemm_eigen.h"
#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"
#include "engine/ops/strips.h"
#include "engine/ops/window_parts.h"

namespace bnn::engine {
namespace {

// Of one product: more share the packing of the weights, but their windows should stay in the cache.
constexpr int64_t kProductPixels = 32;
constexpr auto kFloatBytes = static_cast<int64_t>(sizeof(float));

class Conv2dStep final : public StripStep {
 public:
  Conv2dStep(StepContext& context, const FloatNode& node, const formats::Conv2d& op, const WindowShape& shape,
             const formats::Op* activation)
      : StripStep(node.output),
        shape_(shape),
        groups_(op.groups),
        group_in_(shape.in_c / op.groups),
        group_out_(shape.out_c / op.groups),
        weights_(context.SharedFloats(op.weights)),
        bias_(context.BiasOrZeros(op.bias, shape.out_c)) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    if (activation != nullptr) {
      if (const auto* clamp = std::get_if<formats::Clamp>(activation)) {
        clamp_ = *clamp;
        has_clamp_ = true;
      } else {
        slope_ = context.BlobFloats(std::get<formats::PRelu>(*activation).slope)[0];
        has_slope_ = true;
      }
    }
    if (is_depthwise()) PackDepthwise();
    strip_rows_ = (kProductPixels + shape.out_w - 1) / shape.out_w;
    strips_ = (rows() + strip_rows_ - 1) / strip_rows_;
    slots_ = std::min<int64_t>(context.plan.threads, strips_);
    PlaceScratch(&context);
    Describe(node, activation);
  }

  bool passes_rows_on() const override { return true; }

  Status Run(const RunContext& context) const override {
    float* const whole_map = keeps_map() ? context.Floats(map()) : nullptr;
    ParallelFor(*context.pool, slots_, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        float* const own = scratch < 0 ? nullptr : context.Floats(scratch) + slot * slot_floats();
        float* const columns = gathers() ? own : nullptr;
        for (int64_t strip = strips_ * slot / slots_; strip < strips_ * (slot + 1) / slots_; ++strip) {
          const int64_t first = strip * strip_rows_, last = std::min(rows(), first + strip_rows_);
          float* const out = whole_map != nullptr ? whole_map + first * row_floats() : own + columns_floats();
          MakeRows(context.Floats(inputs[0]), first, last, columns, out);
          if (has_readers()) PassOn(context, first, last, out);
        }
      }
    });
    return OkStatus();
  }

 protected:
  // A thread's: gathered windows, and a strip where the map is not stored.
  void PlaceScratch(StepContext* context) override {
    const int64_t floats = slots_ * slot_floats();
    scratch = floats > 0 ? context->AddScratch(floats * kFloatBytes) : -1;
  }

 private:
  int64_t taps() const { return shape_.window.kernel_h * shape_.window.kernel_w; }
  int64_t terms() const { return taps() * group_in_; }
  int64_t rows() const { return shape_.batch * shape_.out_h; }
  int64_t row_floats() const { return shape_.out_w * shape_.out_c; }
  int64_t columns_floats() const { return gathers() ? Padded(kProductPixels * terms()) : 0; }
  int64_t slot_floats() const { return columns_floats() + (keeps_map() ? 0 : Padded(strip_rows_ * row_floats())); }
  static int64_t Padded(int64_t floats) { return WholeLines(floats * kFloatBytes) / kFloatBytes; }
  bool is_depthwise() const { return group_in_ == 1 && group_out_ == 1; }
  bool is_pixelwise() const {
    const formats::Window2d& w = shape_.window;
    return taps() == 1 && w.stride_h == 1 && w.stride_w == 1 && w.pad_top == 0 && w.pad_left == 0 &&
           w.pad_bottom == 0 && w.pad_right == 0;
  }
  bool gathers() const { return !is_depthwise() && !is_pixelwise(); }

  void Describe(const FloatNode& node, const formats::Op* activation) {
    description.name = node.name;
    description.op = "conv2d";
    if (activation != nullptr) description.op += has_clamp_ ? "+clamp" : "+prelu";
    description.kernel = is_depthwise() ? "plain" : "eigen";
    description.shape = ShapeText(shape_) + " g" + std::to_string(groups_);
    description.macs = rows() * row_floats() * terms();
    description.weight_bytes = shape_.out_c * terms() * static_cast<int64_t>(sizeof(float));
  }

  // [channel][tap] to [tap][channel].
  void PackDepthwise() {
    depthwise_ = AlignedBuffer<float>(static_cast<size_t>(taps() * shape_.out_c));
    for (int64_t c = 0; c < shape_.out_c; ++c) {
      for (int64_t t = 0; t < taps(); ++t) {
        depthwise_[static_cast<size_t>(t * shape_.out_c + c)] = weights_.get()[c * taps() + t];
      }
    }
    weights_.reset();
  }

  // Calls visit(tap, in) for every tap of an output pixel; `in` is the input pixel, nullptr in the padding.
  template <typename Visit>
  void ForTaps(const float* in, int64_t pixel, const Visit& visit) const {
    const WindowShape& s = shape_;
    const formats::Window2d& w = s.window;
    const int64_t x = pixel % s.out_w * w.stride_w - w.pad_left;
    const int64_t y = pixel / s.out_w % s.out_h * w.stride_h - w.pad_top;
    const float* image = in + pixel / (s.out_w * s.out_h) * s.in_h * s.in_w * s.in_c;
    for (int64_t i = 0; i < w.kernel_h; ++i) {
      const int64_t row = y + i * w.dilation_h;
      for (int64_t j = 0; j < w.kernel_w; ++j) {
        const int64_t col = x + j * w.dilation_w;
        const bool inside = row >= 0 && row < s.in_h && col >= 0 && col < s.in_w;
        visit(i * w.kernel_w + j, inside ? image + (row * s.in_w + col) * s.in_c : nullptr);
      }
    }
  }

  void Gather(const float* in, int64_t pixel, int64_t group, float* row) const {
    ForTaps(in, pixel, [&](int64_t tap, const float* from) {
      float* to = row + tap * group_in_;
      if (from == nullptr) {
        std::fill_n(to, group_in_, 0.0f);
      } else {
        std::copy_n(from + group * group_in_, group_in_, to);
      }
    });
  }

  void AddDepthwise(const float* in, int64_t pixel, float* out) const {
    ForTaps(in, pixel, [&](int64_t tap, const float* from) {
      if (from == nullptr) return;
      const float* weights = depthwise_.data() + tap * shape_.out_c;
      for (int64_t c = 0; c < shape_.out_c; ++c) out[c] += from[c] * weights[c];
    });
  }

  void Activate(int64_t count, float* y) const {
    if (has_clamp_) {
      for (int64_t i = 0; i < count; ++i)
        y[i] = y[i] < clamp_.low ? clamp_.low : (y[i] > clamp_.high ? clamp_.high : y[i]);
    }
    if (has_slope_) {
      for (int64_t i = 0; i < count; ++i) y[i] = y[i] < 0 ? y[i] * slope_ : y[i];
    }
  }

  // The rows [first, last), dense at `out`.
  void MakeRows(const float* in, int64_t first, int64_t last, float* columns, float* out) const {
    for (int64_t begin = first * shape_.out_w; begin < last * shape_.out_w; begin += kProductPixels) {
      const int64_t end = std::min(last * shape_.out_w, begin + kProductPixels);
      MakePixels(in, begin, end, columns, out + (begin - first * shape_.out_w) * shape_.out_c);
    }
  }

  void MakePixels(const float* in, int64_t begin, int64_t end, float* columns, float* out) const {
    const int64_t channels = shape_.out_c;
    for (int64_t p = 0; p < end - begin; ++p) std::copy_n(bias_.data(), channels, out + p * channels);
    if (is_depthwise()) {
      for (int64_t p = begin; p < end; ++p) AddDepthwise(in, p, out + (p - begin) * channels);
    } else {
      for (int64_t group = 0; group < groups_; ++group) {
        const float* rows = in + begin * shape_.in_c + group * group_in_;
        int64_t step = shape_.in_c;
        if (columns != nullptr) {
          for (int64_t p = begin; p < end; ++p) Gather(in, p, group, columns + (p - begin) * terms());
          rows = columns;
          step = terms();
        }
        AddProduct(rows, step, end - begin, weights_.get() + group * group_out_ * terms(), terms(), group_out_, terms(),
                   out + group * group_out_, channels);
      }
    }
    Activate((end - begin) * channels, out);
  }

  const WindowShape shape_;
  const int64_t groups_, group_in_, group_out_;
  std::shared_ptr<const float> weights_;  // as the file has them; none if depthwise
  AlignedBuffer<float> depthwise_;
  const AlignedBuffer<float> bias_;
  bool has_clamp_ = false, has_slope_ = false;
  formats::Clamp clamp_;
  float slope_ = 0;
  int64_t strip_rows_ = 1, strips_ = 0, slots_ = 0;
};

}  // namespace

Result<StepPtr> MakeConv2d(StepContext& context, const FloatNode& node, const formats::Conv2d& op,
                           const formats::Op* activation) {
  BNN_ASSIGN_OR_RETURN(const WindowShape shape, WindowShapeOf(context, node, op.window));
  return StepPtr(std::make_unique<Conv2dStep>(context, node, op, shape, activation));
}

}  // namespace bnn::engine
