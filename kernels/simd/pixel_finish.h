// The three epilogues that nearly every layer has (Finish, kernels/simd/epilogue_tile.h), pixel by pixel: for loops
// that have the sums of a pixel only for a moment. ISA files only.
//
//   PixelFinish(epilogue, at)   for the pixels of a row from `at` on
//   Load(channel)               the parameters of a block of 32 channels, for all of these pixels
//   Finish(pixel, half)         steps and output of half accumulators; pixels are counted from `at`
#pragma once

#include "kernels/simd/epilogue_tile.h"

namespace bnn::kernels {
namespace {

template <class V, Finish kFinish>
class PixelFinish;

template <class V>
class PixelFinish<V, Finish::kAffineFloats> {
 public:
  BNN_INLINE PixelFinish(const Epilogue& epilogue, const TilePlace& at)
      : scales_(epilogue.steps[0].a),
        biases_(epilogue.steps[0].b),
        row_(epilogue.out + TileOffset(epilogue.out_strides, at)),
        step_(epilogue.out_strides.pixel) {}

  BNN_INLINE void Load(int64_t channel) {
    out_ = row_ + channel;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      const typename V::Float scale = V::Load(scales_ + channel + v * V::kLanes);
      twice_[v] = V::Add(scale, scale);
      bias_[v] = V::Load(biases_ + channel + v * V::kLanes);
    }
  }

  BNN_INLINE void Finish(int pixel, const typename V::Int (&half)[V::kVectors]) const {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      V::Store(out_ + pixel * step_ + v * V::kLanes, V::Fma(V::ToFloat(half[v]), twice_[v], bias_[v]));
    }
  }

 private:
  const float* scales_;
  const float* biases_;
  float* row_;
  int64_t step_;
  float* out_;
  typename V::Float twice_[V::kVectors], bias_[V::kVectors];
};

// Without a PReLU its slope is 1: y * 1 is y.
template <class V>
class PixelFinish<V, Finish::kResidualFloats> {
 public:
  BNN_INLINE PixelFinish(const Epilogue& epilogue, const TilePlace& at)
      : scales_(epilogue.steps[0].a),
        biases_(epilogue.steps[0].b),
        slopes_(epilogue.num_steps == 3 ? epilogue.steps[2].a : nullptr),
        row_(epilogue.out + TileOffset(epilogue.out_strides, at)),
        step_(epilogue.out_strides.pixel),
        residual_row_(epilogue.steps[1].a + TileOffset(epilogue.steps[1].strides, at)),
        residual_step_(epilogue.steps[1].strides.pixel) {}

  BNN_INLINE void Load(int64_t channel) {
    out_ = row_ + channel;
    residual_ = residual_row_ + channel;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      const typename V::Float scale = V::Load(scales_ + channel + v * V::kLanes);
      twice_[v] = V::Add(scale, scale);
      bias_[v] = V::Load(biases_ + channel + v * V::kLanes);
      slope_[v] = slopes_ == nullptr ? V::Splat(1) : V::Load(slopes_ + channel + v * V::kLanes);
    }
  }

  BNN_INLINE void Finish(int pixel, const typename V::Int (&half)[V::kVectors]) const {
    const typename V::Float zero = V::Splat(0);
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      typename V::Float y = V::Fma(V::ToFloat(half[v]), twice_[v], bias_[v]);
      y = V::Add(y, V::Load(residual_ + pixel * residual_step_ + v * V::kLanes));
      V::Store(out_ + pixel * step_ + v * V::kLanes, V::MulWhere(V::Less(y, zero), y, slope_[v]));
    }
  }

 private:
  const float* scales_;
  const float* biases_;
  const float* slopes_;
  float* row_;
  int64_t step_;
  const float* residual_row_;
  int64_t residual_step_;
  float* out_;
  const float* residual_;
  typename V::Float twice_[V::kVectors], bias_[V::kVectors], slope_[V::kVectors];
};

template <class V>
class PixelFinish<V, Finish::kThresholdBits> {
 public:
  BNN_INLINE PixelFinish(const Epilogue& epilogue, const TilePlace& at)
      : int_thresholds_(epilogue.int_thresholds),
        flips_(epilogue.flip),
        lanes_(at.lanes),
        row_(epilogue.bits + TileOffset(epilogue.bits_strides, at)),
        step_(epilogue.bits_strides.pixel) {}

  BNN_INLINE void Load(int64_t channel) {
    out_ = row_ + channel / kChannelBlock;
    flip_ = flips_[channel / kChannelBlock];
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      thresholds_[v] = V::HalfUp(V::LoadInt(int_thresholds_ + channel + v * V::kLanes));
    }
  }

  BNN_INLINE void Finish(int pixel, const typename V::Int (&half)[V::kVectors]) const {
    uint32_t word = 0;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) word |= V::AtLeast(half[v], thresholds_[v]) << (v * V::kLanes);
    out_[pixel * step_] = (word ^ flip_) & lanes_;
  }

 private:
  const int32_t* int_thresholds_;
  const uint32_t* flips_;
  uint32_t lanes_;
  uint32_t* row_;
  int64_t step_;
  uint32_t* out_;
  uint32_t flip_;
  typename V::Int thresholds_[V::kVectors];
};

}  // namespace
}  // namespace bnn::kernels
