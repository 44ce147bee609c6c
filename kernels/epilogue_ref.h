// The epilogue of kernels/epilogue.h in plain C++: the specification that every vector kernel is tested against.
#pragma once

#include <cstdint>

#include "kernels/epilogue.h"

namespace bnn::kernels {

// A pixel of the output.
struct OutputPixel {
  int64_t image = 0;
  int64_t row = 0;
  int64_t col = 0;
};

// The element (of a tensor with these strides) where the pixel starts.
inline int64_t PixelOffset(const Strides& strides, const OutputPixel& at) {
  return at.image * strides.image + at.row * strides.row + at.col * strides.pixel;
}

// One step for one value. `a` and `b` are the step's parameters of the value's channel; of kAdd, `a` is the residual's
// element. The engine finds integer thresholds with it, so that fusing cannot differ from the kernels' definition.
float ApplyStep(const EpilogueStep& step, float y, float a, float b);

// Runs the epilogue for one block of channels of one pixel, channels [channel_begin, channel_begin + channels), where
// channel_begin is a multiple of kChannelBlock and 1 <= channels <= kChannelBlock. `acc` are their accumulators.
void ReferenceEpilogue(const Epilogue& epilogue, const OutputPixel& at, int64_t channel_begin, int64_t channels,
                       const int32_t* acc);

// The same with floats as the start of the chain (kernels/eltwise). The epilogue has no int_thresholds.
void ReferenceEpilogue(const Epilogue& epilogue, const OutputPixel& at, int64_t channel_begin, int64_t channels,
                       const float* y);

}  // namespace bnn::kernels
