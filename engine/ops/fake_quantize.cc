// FakeQuantize: floats to one of `levels` floats.
#include <algorithm>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

// Half to even for 0 <= x, without a call: from 2^23 on floats are integers, below it the sum with 2^23 has none of the
// fraction's bits left. -ffp-contract=off and the default rounding mode are what it needs.
inline float RoundEven(float x) {
  constexpr float kIntegers = 8388608.0f;
  return x < kIntegers ? (x + kIntegers) - kIntegers : x;
}

// x * a + b, the product exact, the sum rounded to double and then to float: on every processor the same, and without
// its fused multiply-add as fast.
inline float MulAdd(float x, float a, float b) {
  return static_cast<float>(static_cast<double>(x) * static_cast<double>(a) + static_cast<double>(b));
}

struct Channel {
  float low, high;     // of the input, low <= high
  float scale, shift;  // input -> number of the level
  float out_scale;     // number of the level -> output, from out_low
  float out_low, out_high;
};

inline float Quantized(float x, const Channel& c) {
  const float level = RoundEven(MulAdd(x, c.scale, c.shift));
  const float inside = MulAdd(level, c.out_scale, c.out_low);
  const float above_low = x > c.high ? c.out_high : inside;
  return x <= c.low ? c.out_low : above_low;
}

class FakeQuantizeStep final : public Step {
 public:
  FakeQuantizeStep(const StepContext& context, const FloatNode& node, const formats::FakeQuantize& op) {
    const std::vector<int64_t>& dims = context.Tensor(node.output).dims;
    const int limits[] = {op.input_low, op.input_high, op.output_low, op.output_high};
    int64_t channels = 1;
    for (const int blob : limits) channels = std::max(channels, Count(context, blob));
    const auto steps = static_cast<float>(op.levels - 1);
    for (int64_t c = 0; c < channels; ++c) {
      float limit[4];
      for (size_t i = 0; i < 4; ++i) {
        limit[i] = context.BlobFloats(limits[i])[Count(context, limits[i]) == 1 ? 0 : c];
      }
      const auto& [in_low, in_high, out_low, out_high] = limit;
      Channel channel{std::min(in_low, in_high), std::max(in_low, in_high), 0, 0, 0, out_low, out_high};
      if (in_low != in_high) {  // else nothing lies between the two
        channel.scale = steps / (in_high - in_low);
        channel.shift = -in_low * channel.scale;
        channel.out_scale = (out_high - out_low) / steps;
      }
      channels_.push_back(channel);
    }
    pixels_ = context.plan.batch * formats::ElementCount(dims) / channels;
    inputs = {node.inputs[0]};
    outputs = {node.output};
    in_place = InPlace{node.output, inputs};
    description.name = node.name;
    description.op = "fake_quantize";
    description.kernel = "plain";
    description.shape = DimsText(dims) + ", " + std::to_string(op.levels) + " levels";
    description.weight_bytes = channels * static_cast<int64_t>(sizeof(Channel));
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    const auto channels = static_cast<int64_t>(channels_.size());
    ParallelItems(*context.pool, pixels_, channels, [&](int64_t begin, int64_t end) {
      if (channels == 1) {
        const Channel channel = channels_[0];
        for (int64_t i = begin; i < end; ++i) out[i] = Quantized(in[i], channel);
        return;
      }
      for (int64_t pixel = begin; pixel < end; ++pixel) {
        const int64_t first = pixel * channels;
        for (int64_t c = 0; c < channels; ++c) {
          out[first + c] = Quantized(in[first + c], channels_[static_cast<size_t>(c)]);
        }
      }
    });
    return OkStatus();
  }

 private:
  static int64_t Count(const StepContext& context, int blob) {
    return formats::ElementCount(context.model.blobs[static_cast<size_t>(blob)].dims);
  }

  std::vector<Channel> channels_;  // one, or one a channel
  int64_t pixels_ = 0;             // elements where one serves all
};

}  // namespace

Result<StepPtr> MakeFakeQuantize(StepContext& context, const FloatNode& node, const formats::FakeQuantize& op) {
  return StepPtr(std::make_unique<FakeQuantizeStep>(context, node, op));
}

}  // namespace bnn::engine
