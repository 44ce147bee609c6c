// Max-pooling of packed bits: the maximum of bits is their OR, that of several bits the highest level. Padded taps are
// -inf in a float pool, so they are skipped.
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/cpu_features.h"
#include "kernels/epilogue.h"
#include "kernels/refusal.h"

namespace bnn::kernels {

struct BMaxPoolShape {
  int64_t batch = 1;
  int64_t in_h = 0, in_w = 0, channels = 0;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t out_h = 0, out_w = 0;  // given, so that ceil_mode needs no rule here; every window holds a valid tap
  int planes = 1;                // bits of an element, up to kMaxPlanes
};

struct BMaxPoolArgs {
  const uint32_t* in = nullptr;  // image 0, row 0, pixel 0 of the real tensor (inside a halo, if it has one)
  Strides in_strides;            // words
  uint32_t* out = nullptr;
  Strides out_strides;  // words
  int64_t image_begin = 0, image_end = 0;
  int64_t row_begin = 0, row_end = 0;
};

struct BMaxPoolKernel {
  const char* name;
  Isa isa;
  void (*run)(const BMaxPoolShape& shape, const BMaxPoolArgs& args);
};

struct BMaxPoolKernelList {
  const BMaxPoolKernel* const* begin;
  int64_t size;
};
BMaxPoolKernelList BMaxPoolKernels();
// The first kernel of the list that the CPU can run and that is not above `max_isa`. Never nullptr.
const BMaxPoolKernel* SelectBMaxPool(Isa max_isa, RefusalFn refused = nullptr, void* context = nullptr);

}  // namespace bnn::kernels
