#pragma once

#include <cstdint>

#include "formats/model_def.h"

namespace bnn::test {

// A window that is the same in both directions.
inline formats::Window2d Square(int64_t kernel, int64_t stride = 1, int64_t pad = 0) {
  formats::Window2d window;
  window.kernel_h = window.kernel_w = kernel;
  window.stride_h = window.stride_w = stride;
  window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = pad;
  return window;
}

}  // namespace bnn::test
