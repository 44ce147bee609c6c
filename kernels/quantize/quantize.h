// Between float32 and integers of one byte: q = saturate(round_half_even(x / scale) + zero_point), NaN gives the lowest
// q; x = (q - zero_point) * scale. x / scale is the rounded float quotient; every kernel gives the same bits.
#pragma once

#include <cstdint>

#include "kernels/cpu_features.h"
#include "kernels/refusal.h"

namespace bnn::kernels {

struct Quantizer {
  float scale = 1;  // finite, positive
  int32_t zero_point = 0;
  bool is_signed = true;      // int8, otherwise uint8
  int32_t low = 0, high = 0;  // what round(x / scale) is clipped to: the range of the integers less the zero point

  // Dividing takes 1.4 times as long, so kernels clip x to [lowest, highest], which give `low` and `high`, and multiply
  // by reciprocal + reciprocal_rest, which is 1 / scale to about 48 bits. That gives the same integers, see
  // quantizer.cc, except for extreme scales; those they divide by.
  bool by_reciprocal = false;
  float reciprocal = 0, reciprocal_rest = 0;
  float lowest = 0, highest = 0;
};
// `zero_point` is one of the integers.
Quantizer MakeQuantizer(float scale, int32_t zero_point, bool is_signed);

struct QuantizeArgs {
  Quantizer quantizer;
  int64_t count = 0;
  const float* in = nullptr;
  void* out = nullptr;  // int8_t or uint8_t [count], apart from `in`
};

struct DequantizeArgs {
  float scale = 1;
  int32_t zero_point = 0;  // one of the integers
  bool is_signed = true;
  int64_t count = 0;
  const void* in = nullptr;  // int8_t or uint8_t [count]
  float* out = nullptr;      // apart from `in`
};

struct QuantizeKernel {
  const char* name;
  Isa isa;
  void (*quantize)(const QuantizeArgs& args);
  void (*dequantize)(const DequantizeArgs& args);
};

struct QuantizeKernelList {
  const QuantizeKernel* const* begin;
  int64_t size;
};
QuantizeKernelList QuantizeKernels();
// The first kernel of the list that the CPU can run and that is not above `max_isa`. Never nullptr.
const QuantizeKernel* SelectQuantize(Isa max_isa, RefusalFn refused = nullptr, void* context = nullptr);

}  // namespace bnn::kernels
