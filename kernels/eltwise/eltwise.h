// An epilogue (kernels/epilogue.h) over a float tensor: y starts as the float itself instead of an accumulator. Serves
// batch-norm, activations, residual additions and binarization that follow something else than a binary layer.
#pragma once

#include <cstdint>

#include "kernels/cpu_features.h"
#include "kernels/epilogue.h"
#include "kernels/refusal.h"

namespace bnn::kernels {

struct EltwiseArgs {
  int64_t out_h = 0, out_w = 0, channels = 0;
  const float* in = nullptr;  // image 0, row 0, pixel 0, channel 0; channels are contiguous
  Strides in_strides;
  Epilogue epilogue;  // no int_thresholds; out may be `in` itself (same strides), likewise a residual
  int64_t image_begin = 0, image_end = 0;
  int64_t row_begin = 0, row_end = 0;
};

struct EltwiseKernel {
  const char* name;
  Isa isa;
  void (*run)(const EltwiseArgs& args);
};

struct EltwiseKernelList {
  const EltwiseKernel* const* begin;
  int64_t size;
};
EltwiseKernelList EltwiseKernels();
// The first kernel of the list that the CPU can run and that is not above `max_isa`. Never nullptr.
const EltwiseKernel* SelectEltwise(Isa max_isa, RefusalFn refused = nullptr, void* context = nullptr);

}  // namespace bnn::kernels
