// Packing, written once for all vector instruction sets: channels contiguous (NHWC), and the choice of the way. Planes
// of pixels (NCHW) are in bitpack_planes.h, unpacking in bitunpack_tiles.h. ISA files only.
//
// Both stream through memory: 32 floats for each word of bits. With data in L2 the limit is the road to L1, so each of
// them touches a float once, in whole vectors, and what is left is the order of the loads. It decides more than their
// number. On Zen 5 a core reads L2 at 190 to 240 GB/s, but at 130 GB/s, one line every two cycles, when the
// instructions of the loop advance by certain strides, 512 to 2048 bytes; why, AMD does not say. Loads with a mask,
// also one of all lanes, never fall into that trap, and neither do runs through memory without gaps: those reach 84 to
// 98 % of merely reading the same bytes.
//
// Where channels do not fill cache lines, nearly every vector lies in two of them, and L1 takes one such load a cycle
// instead of two: 78 to 84 % when packing 116 or 232 channels. On Zen 4 packing those is 91 to 94 %. AVX2 loads half as
// much at a time, two vectors a cycle: its loop of 2.33 cycles for 128 bytes (bitpack_avx2.cc) takes 230 GB/s in L1,
// and from L2 reaches 170 to 185.
//
// V is a wrapper of kernels/x86/vec_*.h with, in addition,
//   kRegisterWords     up to so many words pixels are packed one after the other, with thresholds from registers as
//                      far as they last
//   StreamMask, AllOfStream(), LoadStream(from, mask)  all lanes, in the way that streams best
//   StoreAtLeast(word, x, t)                 *word = the bits x >= t of 32 channels
//   PixelBits          what bitpack_narrow_rows.h wants, or void
//   kSearchesLevels    whether levels are found as bitpack_search.h does
// and what bitpack_planes.h says.
//
// Arguments are passed by value: a store through a vector pointer may alias anything, so of a struct behind a reference
// the compiler would load every field again after each store.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/bitpack/bitpack_narrow_rows.h"
#include "kernels/bitpack/bitpack_planes.h"
#include "kernels/bitpack/bitpack_search.h"
#include "kernels/bitpack/bitpack_table.h"
#include "kernels/bitpack/opaque.h"
#include "kernels/bitpack/pixel_range.h"
#include "kernels/bitpack/with_size.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/levels.h"

namespace bnn::kernels {
namespace {

// The thresholds of a word whose last channels are spare: those are compared with NaN, which nothing is at least, so
// that their bits are 0 whatever is loaded for them.
struct TailThresholds {
  alignas(64) float t[kBitsPerWord];
};

BNN_INLINE TailThresholds MakeTailThresholds(const float* thresholds, int64_t channels) {
  TailThresholds tail;
  for (int64_t c = 0; c < kBitsPerWord; ++c) tail.t[c] = c < channels ? thresholds[c] : __builtin_nanf("");
  return tail;
}

// The floats of a word of which only some are `used`. Of two vectors the second one is seldom empty; a test would cost
// more than it saves.
template <class V>
BNN_INLINE void LoadTail(const float* from, uint32_t used, typename V::Float (&x)[V::kVectors]) {
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
    const uint32_t lanes = used >> (v * V::kLanes);
    x[v] = V::kVectors > 2 && lanes == 0 ? V::Splat(0) : V::LoadPart(from + v * V::kLanes, lanes);
  }
}

template <class V>
BNN_INLINE void ApplySigns(const typename V::Float (&signs)[V::kVectors], typename V::Float (&x)[V::kVectors]) {
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) x[v] = V::Mul(x[v], signs[v]);
}

// kWords words, in all, of every pixel; kTail: the last one is not full; kSigns: there are signs. The thresholds stay
// in registers while all pixels pass by, and memory is read from its beginning to its end.
template <class V, int kWords, bool kTail, bool kSigns>
BNN_NOINLINE void PackRegisters(BitpackArgs args) {
  constexpr int kFullWords = kTail ? kWords - 1 : kWords;
  const int64_t last_channels = args.channels - kFullWords * kBitsPerWord;
  const uint32_t used = FirstLanes(last_channels);
  TailThresholds tail;
  if (kTail) tail = MakeTailThresholds(args.thresholds + kFullWords * kBitsPerWord, last_channels);
  typename V::Float t[kWords][V::kVectors];
  BNN_UNROLL for (int w = 0; w < kWords; ++w) {
    const float* const thresholds = w == kFullWords ? tail.t : args.thresholds + w * kBitsPerWord;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) t[w][v] = V::Load(thresholds + v * V::kLanes);
  }
  typename V::Float signs[kSigns ? kWords : 1][V::kVectors];
  if constexpr (kSigns) {
    BNN_UNROLL for (int w = 0; w < kWords; ++w) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        signs[w][v] = V::Load(args.signs + w * kBitsPerWord + v * V::kLanes);
      }
    }
  }
  const typename V::StreamMask all = V::AllOfStream();
  const float* in = args.in;
  uint32_t* bits = args.bits;
  for (int64_t p = 0; p < args.pixels; ++p) {
    typename V::Float x[V::kVectors];
    BNN_UNROLL for (int w = 0; w < kFullWords; ++w) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        x[v] = V::LoadStream(in + w * kBitsPerWord + v * V::kLanes, all);
      }
      if constexpr (kSigns) ApplySigns<V>(signs[w], x);
      V::StoreAtLeast(bits + w, x, t[w]);
    }
    if (kTail) {
      LoadTail<V>(in + kFullWords * kBitsPerWord, used, x);
      if constexpr (kSigns) ApplySigns<V>(signs[kWords - 1], x);
      V::StoreAtLeast(bits + kFullWords, x, t[kWords - 1]);
    }
    in += args.in_pixel_stride;
    bits += args.bits_pixel_stride;
  }
}

// Any number of words, of kPixels pixels that lie `apart` pixels apart, and of the `count` - 1 pixels behind each. The
// thresholds come from L1, but once for all kPixels. Each of these streams is read without gaps.
template <class V, int kPixels, bool kTail, bool kSigns>
BNN_NOINLINE void PackStreams(BitpackArgs args, int64_t count, int64_t apart) {
  const int64_t full_words = args.channels / kBitsPerWord;
  const int64_t last_channels = args.channels % kBitsPerWord;
  const uint32_t used = FirstLanes(last_channels);
  TailThresholds tail;
  if (kTail) tail = MakeTailThresholds(args.thresholds + full_words * kBitsPerWord, last_channels);
  for (int64_t p = 0; p < count; ++p) {
    const float* from[kPixels];
    uint32_t* to[kPixels];
    BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
      from[i] = Opaque(args.in + (p + i * apart) * args.in_pixel_stride);
      to[i] = Opaque(args.bits + (p + i * apart) * args.bits_pixel_stride);
    }
    typename V::Float t[V::kVectors], x[V::kVectors], signs[V::kVectors];
    for (int64_t w = 0; w < full_words; ++w) {
      const int64_t channel = w * kBitsPerWord;
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        t[v] = V::Load(args.thresholds + channel + v * V::kLanes);
        if constexpr (kSigns) signs[v] = V::Load(args.signs + channel + v * V::kLanes);
      }
      BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) x[v] = V::Load(from[i] + channel + v * V::kLanes);
        if constexpr (kSigns) ApplySigns<V>(signs, x);
        V::StoreAtLeast(to[i] + w, x, t);
      }
    }
    if (!kTail) continue;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      t[v] = V::Load(tail.t + v * V::kLanes);
      if constexpr (kSigns) signs[v] = V::Load(args.signs + full_words * kBitsPerWord + v * V::kLanes);
    }
    BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
      LoadTail<V>(from[i] + full_words * kBitsPerWord, used, x);
      if constexpr (kSigns) ApplySigns<V>(signs, x);
      V::StoreAtLeast(to[i] + full_words, x, t);
    }
  }
}

template <class V, bool kTail, bool kSigns>
void PackInterleaved(const BitpackArgs& args) {
  const int64_t words = WordsFor(args.channels);
  if (words <= V::kRegisterWords) {
    WithSize<V::kRegisterWords>(words, [&](auto size) { PackRegisters<V, size.value, kTail, kSigns>(args); });
    return;
  }
  const int64_t fourth = args.pixels / 4;
  PackStreams<V, 4, kTail, kSigns>(args, fourth, fourth);
  const PixelRange rest = {4 * fourth, args.pixels - 4 * fourth};
  PackStreams<V, 1, kTail, kSigns>(PixelsOf(args, rest), rest.count, 0);
}

template <class V, bool kSigns>
void PackContiguous(BitpackArgs args) {
  if constexpr (!kSigns && !std::is_void_v<typename V::PixelBits>) {
    if (HasNarrowRows(args)) {
      const int64_t done = PackNarrowRows<V>(args, PackInterleaved<V, false, false>);
      args = PixelsOf(args, {done, args.pixels - done});
    }
  }
  args.channels % kBitsPerWord == 0 ? PackInterleaved<V, false, kSigns>(args) : PackInterleaved<V, true, kSigns>(args);
}

// Levels: the words of 32 channels of every pixel, one a plane. Several thresholds are compared with each float, so
// arithmetic counts, not the order of the loads.
template <class V, bool kSigns>
BNN_NOINLINE void PackLevels(BitpackArgs args) {
  for (int64_t p = 0; p < args.pixels; ++p) {
    const float* const in = args.in + p * args.in_pixel_stride;
    uint32_t* const bits = args.bits + p * args.bits_pixel_stride;
    for (int64_t channel = 0; channel < args.channels; channel += kBitsPerWord) {
      const uint32_t used = FirstLanes(args.channels - channel);
      typename V::Float x[V::kVectors];
      if (used == ~uint32_t{0}) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) x[v] = V::Load(in + channel + v * V::kLanes);
      } else {
        LoadTail<V>(in + channel, used, x);
      }
      if constexpr (kSigns) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
          x[v] = V::Mul(x[v], V::Load(args.signs + channel + v * V::kLanes));
        }
      }
      StoreLevels<V>(x, args.thresholds + channel, args.threshold_stride, args.planes,
                     {bits + channel / kBitsPerWord, args.bits_plane_stride, 0, used});
    }
  }
}

template <class V, bool kSigns>
void PackInterleavedLevels(const BitpackArgs& args) {
  if constexpr (V::kSearchesLevels) {
    static_assert(kMaxPlanes == 4);
    if (args.planes == 2) return PackBySearch<V, 2, kSigns>(args);
    if (args.planes == 3) return PackBySearch<V, 3, kSigns>(args);
    if (args.planes == 4) return PackBySearch<V, 4, kSigns>(args);
  } else {
    PackLevels<V, kSigns>(args);
  }
}

// Planes: the wrapper for planes of pixels.
template <class V, class Planes = V>
void Pack(const BitpackArgs& args) {
  if (args.planes > 1) {
    if (args.in_channel_stride != 1) return kBitpackRef.pack(args);
    args.signs == nullptr ? PackInterleavedLevels<V, false>(args) : PackInterleavedLevels<V, true>(args);
  } else if (args.in_pixel_stride == 1 && args.signs == nullptr) {
    PackPlanar<Planes>(args);
  } else if (args.in_channel_stride == 1) {
    args.signs == nullptr ? PackContiguous<V, false>(args) : PackContiguous<V, true>(args);
  } else {
    kBitpackRef.pack(args);  // neither axis is contiguous: nothing to load as a vector; or planes with signs
  }
}

}  // namespace
}  // namespace bnn::kernels
