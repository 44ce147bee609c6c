// The epilogue: what happens to an accumulator between a binary kernel's inner loop and memory.
//
// A kernel produces, for each output pixel and output channel c, an integer `acc` (the exact dot product). The epilogue
// turns it into what the next layer wants, in one pass while the tile is in registers or L1:
//
//   y = float(acc)                 exact: |acc| < 2^24 (kMaxTerms)
//   for each step, in order:
//     kAffine   y = fma(y, a[c], b[c])          one rounding: identical on every instruction set
//     kPRelu    y = y < 0 ? y * a[c] : y        ReLU has a[c] = 0, LeakyReLU a constant
//     kClamp    y = y < lo ? lo : (y > hi ? hi : y)     a NaN stays NaN
//     kAdd      y = y + residual                a float NHWC tensor of the same geometry as the output
//   outputs, any of them at once:
//     float32   out[...] = y
//     bits      bit = y * sign[c] >= threshold[c]       a NaN gives 0
//               of `planes` bits: the level (kernels/bits.h) is the number of thresholds that y * sign[c] reaches
//
// Kernels may double the scale of a kAffine step that stands first, because they count half accumulators
// (kernels/simd/epilogue_tile.h): its scales must be at most FLT_MAX / 2 or infinite.
//
// In place
//   The float output may take the place of a residual: kAdd's `a` equals `out`, with the same strides. Kernels read
//   each element of a residual once, before they write that element of the output, and write it once: the tiles that
//   they cut the output into do not overlap, and a tile is stored when its steps are done. No other overlap of an
//   output with a residual, the input or a parameter is allowed.
//
// The steps are a list because sources differ in their order (Larq applies the activation before its multiply-add,
// PyTorch after batch-norm; ReActNet shifts, bends and shifts again).
//
// Where only bits leave and the chain of steps is monotonic in acc for every channel, the engine collapses it into one
// integer comparison (derived in kernels/bconv2d/bconv2d.h): bit = (acc >= int_thresholds[c]) XOR flip[c]. Such an
// epilogue has no steps and no float output.
//
// Levels
//   A channel has 2^planes - 1 thresholds t_1 <= t_2 <= ..., and q is the number of those that are reached. A quantizer
//   of fewer levels has thresholds that are never reached at the end: NaN, which nothing reaches, or +inf. Counting q
//   needs no addition. Let m_j be 1 where t_j is reached. As thresholds ascend, they are reached one after the other,
//   and each adds 1 to q. From j - 1 to j exactly those bits of q change that are not higher than the lowest 1 of j, so
//   bit i changes at the multiples of 2^i:
//
//     bit i of q = XOR of m_j over all j that 2^i divides        planes = 2: bit 1 = m_2, bit 0 = m_1 ^ m_2 ^ m_3
//
//   Integer thresholds likewise. Where the chain falls, the count of thresholds reached falls with y and rises with
//   -y, so the highest level minus q is a count: the flip inverts every plane. A level that is never reached is
//   INT32_MAX at the end, with a flip INT32_MIN at the beginning.
//
// Every per-channel array is padded with zeros to a multiple of kChannelBlock, so vector code may load whole blocks.
#pragma once

#include <cstdint>

#include "kernels/bits.h"

namespace bnn::kernels {

inline constexpr int64_t kChannelBlock = 32;                  // channels handled as one unit: one output word of bits
inline constexpr int64_t kMaxTerms = (int64_t{1} << 24) - 1;  // largest K whose accumulator a float holds exactly
inline constexpr int kMaxEpilogueSteps = 13;

BNN_KERNEL_INLINE constexpr int64_t PaddedChannels(int64_t channels) {
  return (channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
}

enum class StepKind : uint8_t { kAffine, kPRelu, kClamp, kAdd };

// Distances between neighbours in a tensor, in elements (floats) or words (bits).
struct Strides {
  int64_t image = 0;
  int64_t row = 0;
  int64_t pixel = 0;
  int64_t plane = 0;  // bits of several planes: from an element's word in a plane to that in the next higher one
};

struct EpilogueStep {
  StepKind kind = StepKind::kAffine;
  const float* a =
      nullptr;  // kAffine: scale[c]; kPRelu: slope[c]; kAdd: the residual at image 0, row 0, pixel 0, channel 0
  const float* b = nullptr;  // kAffine: bias[c]
  float lo = 0;              // kClamp
  float hi = 0;              // kClamp
  Strides strides;           // kAdd: of the residual
};

struct Epilogue {
  const EpilogueStep* steps = nullptr;
  int num_steps = 0;

  float* out = nullptr;  // image 0, row 0, pixel 0, channel 0; nullptr when no float output is wanted
  Strides out_strides;

  uint32_t* bits = nullptr;  // image 0, row 0, pixel 0, word 0; nullptr when no bits are wanted. Spare bits become 0.
  Strides bits_strides;
  int planes = 1;                           // bits of an element of `bits`, up to kMaxPlanes
  const float* thresholds = nullptr;        // bits = y * signs[c] >= thresholds[c]; or int_thresholds instead
  const float* signs = nullptr;             // 1 or -1; nullptr: 1
  const int32_t* int_thresholds = nullptr;  // bits = (acc >= int_thresholds[c]) ^ flip
  const uint32_t* flip = nullptr;           // one word a channel block; spare bits 0
  // Several planes: from the thresholds of a level (of either kind) to those of the next one. Level j has the
  // thresholds j - 1 strides behind those of level 1.
  int64_t threshold_stride = 0;
};

}  // namespace bnn::kernels
