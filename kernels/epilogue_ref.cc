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

void StoreBits(const Epilogue& epilogue, const OutputPixel& at, int64_t channel_begin, uint32_t word) {
  epilogue.bits[PixelOffset(epilogue.bits_strides, at) + channel_begin / kBitsPerWord] = word;
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
  uint32_t word = 0;
  for (int64_t i = 0; i < channels; ++i) {
    const int64_t channel = channel_begin + i;
    float value = y[i];
    for (int s = 0; s < epilogue.num_steps; ++s) value = ApplyStepAt(epilogue.steps[s], at, channel, value);
    if (epilogue.out != nullptr) epilogue.out[PixelOffset(epilogue.out_strides, at) + channel] = value;
    if (epilogue.bits == nullptr) continue;
    if (epilogue.signs != nullptr) value *= epilogue.signs[channel];
    word |= uint32_t{value >= epilogue.thresholds[channel]} << i;
  }
  if (epilogue.bits != nullptr) StoreBits(epilogue, at, channel_begin, word);
}

void ReferenceEpilogue(const Epilogue& epilogue, const OutputPixel& at, int64_t channel_begin, int64_t channels,
                       const int32_t* acc) {
  if (epilogue.bits != nullptr && epilogue.int_thresholds != nullptr) {
    uint32_t word = 0;
    for (int64_t i = 0; i < channels; ++i) {
      const bool reached = acc[i] >= epilogue.int_thresholds[channel_begin + i];
      word |= (uint32_t{reached} ^ GetBit(epilogue.flip, channel_begin + i)) << i;
    }
    StoreBits(epilogue, at, channel_begin, word);
    return;
  }
  float y[kChannelBlock];
  for (int64_t i = 0; i < channels; ++i) y[i] = static_cast<float>(acc[i]);
  ReferenceEpilogue(epilogue, at, channel_begin, channels, y);
}

}  // namespace bnn::kernels
