// The correction for excluded padding (Padding::kZero), by which taps are valid; derived in kernels/bconv2d/bconv2d.h.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/aligned_buffer.h"
#include "kernels/bconv2d/bconv2d.h"

namespace bnn::engine {

struct BorderClasses {
  std::vector<uint16_t> row_class;  // [out_h]; empty: one class, no correction
  std::vector<uint16_t> col_class;  // [out_w]
  int64_t num_col_classes = 1;
  AlignedBuffer<int32_t> base;  // [classes][PaddedChannels(out_channels)]
};

// True where MakeBorderClasses reads weights: padding is excluded, and there is some.
bool NeedsBorderClasses(const kernels::BConv2dShape& shape);

// For one group. `weights` in the order of the model file: [out][WordsFor(kernel_h * kernel_w * in)];
// may be nullptr where they are not needed.
BorderClasses MakeBorderClasses(const kernels::BConv2dShape& shape, const uint32_t* weights);

}  // namespace bnn::engine
