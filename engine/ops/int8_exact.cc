#include "engine/ops/int8_exact.h"

#include <memory>

namespace bnn::engine {
namespace {

// Sums in 32 bits. Slow: nothing but a way to run what is left.
class PlainSumsStep final : public ExactInt8Step {
 public:
  PlainSumsStep(StepContext& context, const Int8Layer& layer)
      : ExactInt8Step(context, layer), weights_(Int8Weights(context, layer)) {
    scratch = context.AddScratch((in_count_ + out_count_) * static_cast<int64_t>(sizeof(int32_t)));
    description.kernel = "plain";
    description.weight_bytes = layer.shape.out_c * layer.terms();
  }

  Status Run(const RunContext& context) const override {
    auto* wide = reinterpret_cast<int32_t*>(context.Bytes(scratch));
    int32_t* sums = wide + in_count_;
    Widen(context, wide);
    const WindowShape& s = layer_.shape;
    ParallelItems(*context.pool, pixels_, s.out_c * layer_.terms(), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) SumPixel(wide, p, sums + p * s.out_c);
    });
    FinishAll(context, sums);
    return OkStatus();
  }

 private:
  void SumPixel(const int32_t* wide, int64_t pixel, int32_t* sums) const {
    const WindowShape& s = layer_.shape;
    const formats::Window2d& w = s.window;
    const int64_t x = pixel % s.out_w, y = pixel / s.out_w % s.out_h, n = pixel / (s.out_w * s.out_h);
    const int64_t group_in = s.in_c / layer_.groups, group_out = s.out_c / layer_.groups;
    for (int64_t o = 0; o < s.out_c; ++o) {
      const int8_t* weights = weights_.get() + o * layer_.terms();
      int32_t sum = 0;
      for (int64_t tap = 0; tap < w.kernel_h * w.kernel_w; ++tap) {
        const int64_t in_y = y * w.stride_h + tap / w.kernel_w * w.dilation_h - w.pad_top;
        const int64_t in_x = x * w.stride_w + tap % w.kernel_w * w.dilation_w - w.pad_left;
        if (in_y < 0 || in_y >= s.in_h || in_x < 0 || in_x >= s.in_w) continue;
        const int32_t* in = wide + ((n * s.in_h + in_y) * s.in_w + in_x) * s.in_c + o / group_out * group_in;
        for (int64_t i = 0; i < group_in; ++i) sum += in[i] * weights[tap * group_in + i];
      }
      sums[o] = sum;
    }
  }

  const std::shared_ptr<const int8_t> weights_;  // as the file has them
};

}  // namespace

StepPtr MakePlainSumsStep(StepContext& context, const Int8Layer& layer) {
  return std::make_unique<PlainSumsStep>(context, layer);
}

}  // namespace bnn::engine
