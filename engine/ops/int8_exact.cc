// Int8 layers on processors whose int8 instructions are not exact.
//
// A float32 holds every integer up to 2^24. While all partial sums of a layer stay below that, whatever their order, a
// float convolution of the integers is exact: for every output channel, sum |w| * max |q - zero_point| <= 2^24. Weights
// that were quantized from bell-shaped ones have a mean magnitude of about 32, so that holds up to some 2,000 terms a
// sum. It runs at the speed of a float layer. Beyond, plain loops sum in 32 bits.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "engine/ops/int8_layer.h"
#include "engine/ops/loops.h"
#include "engine/ops/part_runner.h"

namespace bnn::engine {
namespace {

using dnnl::memory;
using formats::ElementType;

constexpr int64_t kExactFloat = int64_t{1} << 24;

bool FloatSumsAreExact(const Int8Layer& layer, const int8_t* weights) {
  const formats::IntegerRange range = formats::RangeOf(layer.src_type);
  const int64_t zero_point = layer.finish.src_zero_point;
  const int64_t most = std::max(range.high - zero_point, zero_point - range.low);
  for (int64_t o = 0; o < layer.shape.out_c; ++o) {
    int64_t sum = 0;
    for (int64_t i = 0; i < layer.terms(); ++i) sum += std::abs(int64_t{weights[o * layer.terms() + i]});
    if (sum * most > kExactFloat) return false;
  }
  return true;
}

// y = clip(sum * scale + bias) for the pixels [begin, end), rounded and saturated where Out is an integer.
template <typename Sum, typename Out>
void Finish(const onednn::Int8Finish& finish, int64_t begin, int64_t end, const Sum* sums, Out* out) {
  const auto channels = static_cast<int64_t>(finish.scale.size());
  constexpr bool kIsFloat = std::is_same_v<Out, float>;
  const float lowest = kIsFloat ? finish.low : std::max(finish.low, float{std::numeric_limits<Out>::lowest()});
  const float highest = kIsFloat ? finish.high : std::min(finish.high, float{std::numeric_limits<Out>::max()});
  for (int64_t p = begin; p < end; ++p) {
    for (int64_t c = 0; c < channels; ++c) {
      const auto i = static_cast<size_t>(c);
      const float scaled = static_cast<float>(sums[p * channels + c]) * finish.scale[i];
      const float y = finish.bias.empty() ? scaled : scaled + finish.bias[i];
      const float clipped = y < lowest ? lowest : (y > highest ? highest : y);
      out[p * channels + c] = static_cast<Out>(kIsFloat ? clipped : std::nearbyint(clipped));
    }
  }
}

class ExactInt8Step : public Step {
 public:
  ExactInt8Step(const StepContext& context, const Int8Layer& layer)
      : layer_(layer),
        in_count_(layer.shape.batch * layer.shape.in_h * layer.shape.in_w * layer.shape.in_c),
        pixels_(layer.shape.batch * layer.shape.out_h * layer.shape.out_w),
        out_count_(pixels_ * layer.shape.out_c) {
    inputs = layer.node.inputs;
    outputs = {layer.node.output};
    description.name = layer.node.name;
    description.op = layer.op;
    description.shape = layer.shape_text;
    description.macs = layer.macs();
  }

 protected:
  template <typename Sum>
  void FinishAll(const RunContext& context, const Sum* sums) const {
    ParallelItems(*context.pool, pixels_, layer_.shape.out_c, [&](int64_t begin, int64_t end) {
      switch (layer_.dst_type) {
        case ElementType::kInt8:
          return Finish(layer_.finish, begin, end, sums, reinterpret_cast<int8_t*>(context.Bytes(outputs[0])));
        case ElementType::kUInt8:
          return Finish(layer_.finish, begin, end, sums, reinterpret_cast<uint8_t*>(context.Bytes(outputs[0])));
        case ElementType::kFloat32:
        case ElementType::kBits:
          return Finish(layer_.finish, begin, end, sums, context.Floats(outputs[0]));
      }
    });
  }

  // (q - zero_point) of all elements.
  template <typename Wide>
  void Widen(const RunContext& context, Wide* wide) const {
    const std::byte* in = context.Bytes(inputs[0]);
    const int32_t zero_point = layer_.finish.src_zero_point;
    const bool is_signed = layer_.src_type == ElementType::kInt8;
    ParallelItems(*context.pool, in_count_, 1, [=](int64_t begin, int64_t end) {
      const auto widen = [&](const auto* q) {
        for (int64_t i = begin; i < end; ++i) wide[i] = static_cast<Wide>(q[i] - zero_point);
      };
      is_signed ? widen(reinterpret_cast<const int8_t*>(in)) : widen(reinterpret_cast<const uint8_t*>(in));
    });
  }

  Int8Layer layer_;
  int64_t in_count_, pixels_, out_count_;
};

// Integers as floats: widened input and sums lie in scratch.
class FloatSumsStep final : public ExactInt8Step {
 public:
  FloatSumsStep(StepContext& context, const Int8Layer& layer, PartPlan plan)
      : ExactInt8Step(context, layer), runner_(layer.node.name, std::move(plan), context.plan.threads) {
    scratch = context.AddScratch(runner_.scratch_bytes() + (in_count_ + out_count_) * kFloatBytes);
    description.kernel = runner_.kernel_name() + " on integers";
    description.weight_bytes = runner_.weight_bytes();
  }

  std::unique_ptr<StepState> MakeState() const override { return runner_.MakeState(); }

  Status Run(const RunContext& context) const override {
    std::byte* memory = context.Bytes(scratch);
    auto* wide = reinterpret_cast<float*>(memory + runner_.scratch_bytes());
    float* sums = wide + in_count_;
    Widen(context, wide);
    BNN_RETURN_IF_ERROR(runner_.Run(*context.pool, context.state, wide, sums, memory));
    FinishAll(context, sums);
    return OkStatus();
  }

 private:
  static constexpr int64_t kFloatBytes = 4;

  PartRunner runner_;
};

// Sums in 32 bits. Slow: nothing but a way to run what is left.
class PlainSumsStep final : public ExactInt8Step {
 public:
  PlainSumsStep(StepContext& context, const Int8Layer& layer, const int8_t* weights)
      : ExactInt8Step(context, layer), weights_(weights, weights + layer.shape.out_c * layer.terms()) {
    scratch = context.AddScratch((in_count_ + out_count_) * static_cast<int64_t>(sizeof(int32_t)));
    description.kernel = "plain";
    description.weight_bytes = static_cast<int64_t>(weights_.size());
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
      const int8_t* weights = weights_.data() + o * layer_.terms();
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

  std::vector<int8_t> weights_;
};

// The convolution of the widened integers, without anything behind it.
PartPlan PlanFloatSums(const Int8Layer& layer, const int8_t* weights) {
  const std::vector<float> wide(weights, weights + layer.shape.out_c * layer.terms());
  std::vector<memory> reordered;
  return PlanWindow(layer.shape, WindowWork(layer.shape, layer.macs(), sizeof(float)), [&](const WindowShape& part) {
    const auto desc = onednn::ConvolutionDesc(
        onednn::Nhwc(part.batch, part.in_h, part.in_w, part.in_c),
        onednn::PreferredWeights(part.window, part.in_c, part.out_c, layer.groups), memory::desc(),
        onednn::Nhwc(part.batch, part.out_h, part.out_w, part.out_c), part.window);
    for (const memory& known : reordered) {
      if (known.get_desc() == desc.weights_desc()) return onednn::MakeKernel(desc, known, memory());
    }
    reordered.push_back(onednn::Constant(
        wide.data(), onednn::ModelWeights(part.window, part.in_c, part.out_c, layer.groups), desc.weights_desc()));
    return onednn::MakeKernel(desc, reordered.back(), memory());
  });
}

}  // namespace

Result<StepPtr> MakeExactInt8Layer(StepContext& context, const Int8Layer& layer, const std::string& reason) {
  const std::shared_ptr<const int8_t> source = Int8Weights(context, layer);
  const int8_t* weights = source.get();
  StepPtr step;
  if (FloatSumsAreExact(layer, weights)) {
    BNN_RETURN_IF_ERROR(onednn::Guard(layer.node.name, [&] {
      step = std::make_unique<FloatSumsStep>(context, layer, PlanFloatSums(layer, weights));
      return OkStatus();
    }));
    step->description.reason = reason + "; sums fit float32";
  } else {
    step = std::make_unique<PlainSumsStep>(context, layer, weights);
    step->description.reason = reason + "; sums exceed float32";
  }
  return step;
}

}  // namespace bnn::engine
