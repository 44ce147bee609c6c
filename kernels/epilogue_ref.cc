#include "kernels/epilogue_ref.h"

#include <cmath>

#include "kernels/bits.h"

namespace bnn::kernels {
namespace {

// The step's parameters of a channel, and the step.
float ApplyStepAt(const EpilogueStep& step, const OutputPixel& at, int64_t channel, float y) {
  const int64_t offset = step.kind == StepKind::kAdd ? PixelOffset(step.strides, at) : 0;
  const float a = step.a == nullptr ? 0 : step.a[offset + channel];
  return ApplyStep(step, y, a, step.b == nullptr ? 0 : step.b[channel]);
}

// The words of a block of channels, one a plane.
struct BlockBits {
  uint32_t plane[kMaxPlanes] = {};

  void SetLevel(int64_t channel, int level) {
    for (int p = 0; p < kMaxPlanes; ++p) SetBit(&plane[p], channel, (level >> p) & 1);
  }
};

// The number of thresholds of the channel that `y` reaches.
template <class T>
int CountReached(const Epilogue& epilogue, const T* thresholds, int64_t channel, T y) {
  int reached = 0;
  for (int j = 0; j < HighestLevel(epilogue.planes); ++j) {
    reached += y >= thresholds[j * epilogue.threshold_stride + channel] ? 1 : 0;
  }
  return reached;
}

void StoreBits(const Epilogue& epilogue, const OutputPixel& at, int64_t channel_begin, const BlockBits& bits) {
  uint32_t* const word = epilogue.bits + PixelOffset(epilogue.bits_strides, at) + channel_begin / kBitsPerWord;
  for (int p = 0; p < epilogue.planes; ++p) word[p * epilogue.bits_strides.plane] = bits.plane[p];
}

}  // namespace

float ApplyStep(const EpilogueStep& step, float y, float a, float b) {
  switch (step.kind) {
    case StepKind::kAffine:
      return std::fma(y, a, b);
    case StepKind::kPRelu:
      return y < 0 ? y * a : y;
    case StepKind::kClamp:
      return y < step.lo ? step.lo : (y > step.hi ? step.hi : y);
    case StepKind::kAdd:
      return y + a;
  }
  return y;
}

void ReferenceEpilogue(const Epilogue& epilogue, const OutputPixel& at, int64_t channel_begin, int64_t channels,
                       const float* y) {
  BlockBits bits;
  for (int64_t i = 0; i < channels; ++i) {
    const int64_t channel = channel_begin + i;
    float value = y[i];
    for (int s = 0; s < epilogue.num_steps; ++s) value = ApplyStepAt(epilogue.steps[s], at, channel, value);
    if (epilogue.out != nullptr) epilogue.out[PixelOffset(epilogue.out_strides, at) + channel] = value;
    if (epilogue.bits == nullptr) continue;
    if (epilogue.signs != nullptr) value *= epilogue.signs[channel];
    bits.SetLevel(i, CountReached(epilogue, epilogue.thresholds, channel, value));
  }
  if (epilogue.bits != nullptr) StoreBits(epilogue, at, channel_begin, bits);
}

void ReferenceEpilogue(const Epilogue& epilogue, const OutputPixel& at, int64_t channel_begin, int64_t channels,
                       const int32_t* acc) {
  if (epilogue.bits != nullptr && epilogue.int_thresholds != nullptr) {
    BlockBits bits;
    for (int64_t i = 0; i < channels; ++i) {
      const int64_t channel = channel_begin + i;
      const int reached = CountReached(epilogue, epilogue.int_thresholds, channel, acc[i]);
      const bool flip = GetBit(epilogue.flip, channel) != 0;
      bits.SetLevel(i, flip ? HighestLevel(epilogue.planes) - reached : reached);
    }
    StoreBits(epilogue, at, channel_begin, bits);
    return;
  }
  float y[kChannelBlock];
  for (int64_t i = 0; i < channels; ++i) y[i] = static_cast<float>(acc[i]);
  ReferenceEpilogue(epilogue, at, channel_begin, channels, y);
}

}  // namespace bnn::kernels
