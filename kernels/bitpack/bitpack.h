// Between floats and packed bits.
//
//   pack:    bit[p][c] = x[p][c] * sign[c] >= threshold[c]    (NaN gives 0; a strict x > t is t = nextafter(t, +inf))
//   unpack:  x[p][c] = bit[p][c] ? hi[c] : lo[c]
//
// A call handles `pixels` pixels of `channels` channels. Bits are [pixel][WordsFor(channels)] with spare bits 0.
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/cpu_features.h"
#include "kernels/refusal.h"

namespace bnn::kernels {

struct BitpackArgs {
  int64_t pixels = 0;
  int64_t channels = 0;

  const float* in = nullptr;
  int64_t in_pixel_stride = 0;    // floats; NHWC: channels, NCHW: 1
  int64_t in_channel_stride = 1;  // floats; NHWC: 1, NCHW: height * width

  const float* thresholds = nullptr;  // [PaddedChannels(channels)]; a threshold per tensor is repeated
  const float* signs = nullptr;       // [PaddedChannels(channels)] of 1 or -1; nullptr: 1

  uint32_t* bits = nullptr;
  int64_t bits_pixel_stride = 0;  // words
};

struct BitunpackArgs {
  int64_t pixels = 0;
  int64_t channels = 0;
  const uint32_t* bits = nullptr;
  int64_t bits_pixel_stride = 0;  // words
  const float* lo = nullptr;      // [PaddedChannels(channels)]
  const float* hi = nullptr;      // [PaddedChannels(channels)]
  float* out = nullptr;           // channels are contiguous
  int64_t out_pixel_stride = 0;   // floats
};

struct BitpackKernel {
  const char* name;
  Isa isa;
  void (*pack)(const BitpackArgs& args);
  void (*unpack)(const BitunpackArgs& args);
};

struct BitpackKernelList {
  const BitpackKernel* const* begin;
  int64_t size;
};
BitpackKernelList BitpackKernels();
// The first kernel of the list that the CPU can run and that is not above `max_isa`. Never nullptr.
const BitpackKernel* SelectBitpack(Isa max_isa, RefusalFn refused = nullptr, void* context = nullptr);

// Copies `count` bits from bit `from_bit` of `from` to bit `to_bit` of `to`; other bits of `to` stay. The ranges do not
// overlap. Moves channels between layouts whose pixels do not start at a word (groups, concatenation, slices).
void CopyBits(const uint32_t* from, int64_t from_bit, uint32_t* to, int64_t to_bit, int64_t count);

}  // namespace bnn::kernels
