// Between floats and packed bits.
//
//   pack:    bit[p][c] = x[p][c] * sign[c] >= threshold[c]    (NaN gives 0; a strict x > t is t = nextafter(t, +inf))
//   unpack:  x[p][c] = value[bit[p][c]][c]
//
// Elements of several bits are levels q (kernels/bits.h), of which plane i holds bit i:
//
//   pack:    q[p][c] = the number of thresholds t_1[c] <= t_2[c] <= ... that x[p][c] * sign[c] reaches
//   unpack:  x[p][c] = value[q[p][c]][c]
//
// A call handles `pixels` pixels of `channels` channels. A plane is [pixel][WordsFor(channels)] with spare bits 0.
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

  int planes = 1;                     // bits of an element, up to kMaxPlanes
  const float* thresholds = nullptr;  // [2^planes - 1][PaddedChannels(channels)]; one per tensor is repeated
  int64_t threshold_stride = 0;       // from the thresholds of a level to those of the next one
  const float* signs = nullptr;       // [PaddedChannels(channels)] of 1 or -1; nullptr: 1

  uint32_t* bits = nullptr;
  int64_t bits_pixel_stride = 0;  // words
  int64_t bits_plane_stride = 0;  // words
};

struct BitunpackArgs {
  int64_t pixels = 0;
  int64_t channels = 0;
  const uint32_t* bits = nullptr;
  int64_t bits_pixel_stride = 0;  // words
  int64_t bits_plane_stride = 0;  // words
  int planes = 1;                 // bits of an element, up to kMaxPlanes
  const float* values = nullptr;  // [2^planes][PaddedChannels(channels)]
  int64_t value_stride = 0;       // from the values of a level to those of the next one
  float* out = nullptr;           // channels are contiguous
  int64_t out_pixel_stride = 0;   // floats
};

struct BitpackKernel {
  const char* name;
  Isa isa;
  void (*pack)(const BitpackArgs& args);
  void (*unpack)(const BitunpackArgs& args);
  const char* (*refuse_cpu)() = nullptr;  // why not to run it on this CPU although it could, or nullptr
};

struct BitpackKernelList {
  const BitpackKernel* const* begin;
  int64_t size;
};
BitpackKernelList BitpackKernels();
// The first kernel of the list that the CPU can run and that is not above `max_isa`. Never nullptr.
const BitpackKernel* SelectBitpack(Isa max_isa, RefusalFn refused = nullptr, void* context = nullptr);

// Copies `count` bits of one plane from bit `from_bit` of `from` to bit `to_bit` of `to`; other bits of `to` stay. The
// ranges do not overlap. Moves channels between layouts whose pixels do not start at a word (groups, concatenation,
// slices).
void CopyBits(const uint32_t* from, int64_t from_bit, uint32_t* to, int64_t to_bit, int64_t count);

}  // namespace bnn::kernels
