// Packing of elements of several bits for instruction sets whose comparisons write mask registers. ISA files only.
//
// Levels are found by halving (FindLevels, kernels/simd/levels.h). On Zen 5 2, 3 and 4 bits went from 46, 22 and 11
// GB/s, by comparisons with all thresholds, to 95, 64 and 39.
//
// Order: a vector of channels, so that their thresholds, at most 15 vectors, stay in registers for kPixels pixels.
// Lanes behind the last channel are NaN, which is level 0.
//
// V supplies, besides what bitpack_tiles.h says,
//   Select(mask, yes, no)
//   LoadOrNan(from, lanes)       lanes whose bit is not set are NaN, and not touched in memory
//   StoreMask(word, v, mask)     vector v's bits of the word
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/levels.h"

namespace bnn::kernels {
namespace {

// Vector `v` of the word of channels that starts at `channel`, of kPixels pixels.
template <class V, int kPlanes, int kPixels, bool kSigns>
BNN_INLINE void PackLevelVector(const BitpackArgs& args, const float* const (&in)[kPixels],
                                uint32_t* const (&bits)[kPixels], int64_t channel, int v, uint32_t used) {
  constexpr int kThresholds = (1 << kPlanes) - 1;
  const int64_t first = channel + v * V::kLanes;
  const uint32_t lanes = used >> (v * V::kLanes);
  typename V::Float thresholds[kThresholds];
  BNN_UNROLL for (int j = 0; j < kThresholds; ++j) {
    thresholds[j] = V::Load(args.thresholds + j * args.threshold_stride + first);
  }
  BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
    typename V::Float x = V::LoadOrNan(in[i] + first, lanes);
    if constexpr (kSigns) x = V::Mul(x, V::Load(args.signs + first));
    typename V::Mask bits_of[kPlanes];
    FindLevels<V, kPlanes>(x, thresholds, bits_of);
    BNN_UNROLL for (int plane = 0; plane < kPlanes; ++plane) {
      V::StoreMask(bits[i] + plane * args.bits_plane_stride + channel / kBitsPerWord, v, bits_of[plane]);
    }
  }
}

// `count` times kPixels pixels.
template <class V, int kPlanes, int kPixels, bool kSigns>
BNN_NOINLINE void SearchLevels(BitpackArgs args, int64_t count) {
  for (int64_t p = 0; p < count; ++p) {
    const float* in[kPixels];
    uint32_t* bits[kPixels];
    BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
      in[i] = args.in + (p * kPixels + i) * args.in_pixel_stride;
      bits[i] = args.bits + (p * kPixels + i) * args.bits_pixel_stride;
    }
    for (int64_t channel = 0; channel < args.channels; channel += kBitsPerWord) {
      const uint32_t used = FirstLanes(args.channels - channel);
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        PackLevelVector<V, kPlanes, kPixels, kSigns>(args, in, bits, channel, v, used);
      }
    }
  }
}

template <class V, int kPlanes, bool kSigns>
void PackBySearch(const BitpackArgs& args) {
  constexpr int kPixels = 4;
  const int64_t fours = args.pixels / kPixels;
  SearchLevels<V, kPlanes, kPixels, kSigns>(args, fours);
  BitpackArgs rest = args;
  rest.in += kPixels * fours * args.in_pixel_stride;
  rest.bits += kPixels * fours * args.bits_pixel_stride;
  SearchLevels<V, kPlanes, 1, kSigns>(rest, args.pixels - kPixels * fours);
}

}  // namespace
}  // namespace bnn::kernels
