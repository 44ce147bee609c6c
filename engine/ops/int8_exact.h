// Int8 layers whose sums are exact on every processor: what their steps share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "engine/ops/int8_layer.h"
#include "engine/ops/loops.h"

namespace bnn::engine {

// y = clip(sum * scale + bias) for the pixels [begin, end), rounded and saturated where Out is an integer.
template <typename Sum, typename Out>
void FinishInt8(const Int8Finish& finish, int64_t begin, int64_t end, const Sum* sums, Out* out) {
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

// Widens the input before the sums and finishes them behind.
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
        case formats::ElementType::kInt8:
          return FinishInt8(layer_.finish, begin, end, sums, reinterpret_cast<int8_t*>(context.Bytes(outputs[0])));
        case formats::ElementType::kUInt8:
          return FinishInt8(layer_.finish, begin, end, sums, reinterpret_cast<uint8_t*>(context.Bytes(outputs[0])));
        case formats::ElementType::kFloat32:
        case formats::ElementType::kBits:
        case formats::ElementType::kBits2:
        case formats::ElementType::kBits3:
        case formats::ElementType::kBits4:
          return FinishInt8(layer_.finish, begin, end, sums, context.Floats(outputs[0]));
      }
    });
  }

  // (q - zero_point) of all elements.
  template <typename Wide>
  void Widen(const RunContext& context, Wide* wide) const {
    const std::byte* in = context.Bytes(inputs[0]);
    const int32_t zero_point = layer_.finish.src_zero_point;
    const bool is_signed = layer_.src_type == formats::ElementType::kInt8;
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

// Sums in 32 bits, by plain loops.
StepPtr MakePlainSumsStep(StepContext& context, const Int8Layer& layer);

}  // namespace bnn::engine
