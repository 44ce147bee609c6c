// The first convolution of a network: few input channels, int8, every kernel row a handful of bytes.
//
// Instructions that multiply bytes take them by fours along the sum. General int8 convolutions take the fours from the
// channels of one pixel: with 3 channels a quarter of every product is padding. Here all terms of an output pixel,
// kernel_h * kernel_w * in_c bytes, are gathered side by side first, so that only the last four may be incomplete: 37
// products instead of 49 for 7x7 of 3 channels. Gathering pays where each gathered byte serves many products.
//
//   sum[c] = sum of (in - zero_point) * weights[c] over the window; outside of the map `in` is the zero point
//   out[c] = clip(float(sum[c]) * scale[c] + bias[c])         each operation rounds once
//
// Sums are exact while they fit 32 bits. Nothing is read outside of the map.
#pragma once

#include <cstdint>

#include "kernels/cpu_features.h"
#include "kernels/refusal.h"

namespace bnn::kernels {

struct Stem8Shape {
  int64_t batch = 1;
  int64_t in_h = 0, in_w = 0, in_c = 0;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t out_h = 0, out_w = 0, out_c = 0;

  int64_t row_terms() const { return kernel_w * in_c; }
  int64_t terms() const { return kernel_h * row_terms(); }
  int64_t quads() const { return (terms() + 3) / 4; }
};

// Weights of all kernels: [out_c / kStem8Lanes][quads][kStem8Lanes][4], zeros behind the last term.
inline constexpr int64_t kStem8Lanes = 16;

struct Stem8Args {
  const uint8_t* in = nullptr;  // [batch][in_h][in_w][in_c], the bytes of int8 or uint8
  bool in_is_signed = false;
  int32_t zero_point = 0;              // one of the values that `in` can have
  const int8_t* weights = nullptr;     // packed
  const float* scale = nullptr;        // [out_c]
  const float* bias = nullptr;         // [out_c], or nullptr
  float low = 0, high = 0;             // of clip: low <= high, may be infinite
  float* out = nullptr;                // [batch * out_h - first_row][out_w][out_c]
  int64_t first_row = 0;               // the one that lies at `out`
  int64_t row_begin = 0, row_end = 0;  // of batch * out_h output rows, none before first_row
};

struct Stem8Kernel {
  const char* name;
  Isa isa;
  bool needs_vnni;
  const char* (*refuse)(const Stem8Shape& shape);  // why it does not take the shape, or nullptr
  void (*run)(const Stem8Shape& shape, const Stem8Args& args);
};

struct Stem8KernelList {
  const Stem8Kernel* const* begin;
  int64_t size;
};
Stem8KernelList Stem8Kernels();
// The first kernel of the list that the CPU can run, that is not above `max_isa` and that takes the shape. The
// reference takes every shape whose out_c is a multiple of kStem8Lanes. Never nullptr.
const Stem8Kernel* SelectStem8(const Stem8Shape& shape, Isa max_isa, RefusalFn refused = nullptr,
                               void* context = nullptr);

// Weights in the order of a model, [out_c][kernel_h][kernel_w][in_c], to packed ones and back.
inline int64_t Stem8PackedBytes(const Stem8Shape& shape) { return shape.out_c * shape.quads() * 4; }
void PackStem8(const Stem8Shape& shape, const int8_t* source, int8_t* packed);
void UnpackStem8(const Stem8Shape& shape, const int8_t* packed, int8_t* source);

}  // namespace bnn::kernels
