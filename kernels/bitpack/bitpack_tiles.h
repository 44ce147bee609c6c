// Packing and unpacking, written once for all vector instruction sets: channels contiguous (NHWC), and the choice of
// the way. Planes of pixels (NCHW) are in bitpack_planes.h. ISA files only.
//
// All of them stream through memory: 32 floats for each word of bits. With data in L2 the limit is the road to L1, so
// each of them touches a float once, in whole vectors, and what is left is the order of the loads. It decides more than
// their number. On Zen 5 a core reads L2 at 190 to 240 GB/s, but at 130 GB/s, one line every two cycles, when the
// instructions of the loop advance by certain strides, 512 to 2048 bytes; why, AMD does not say. Loads with a mask,
// also one of all lanes, never fall into that trap, and neither do runs through memory without gaps: those reach 84 to
// 98 % of merely reading the same bytes, with unpacking 88 to 99 % (AVX-512, channels a multiple of 32).
//
// Where channels do not fill cache lines, nearly every vector lies in two of them, and L1 takes one such load or store
// a cycle instead of two loads: 78 to 84 % when packing 116 or 232 channels, 76 to 81 % when unpacking (where merely
// storing such rows reaches 190 GB/s; whole vectors at the end of a pixel, which the next one overwrites, are slower
// than stores by lanes). On Zen 4 packing those is 91 to 94 %, unpacking 232 channels 95, and 116, whose rows begin at
// multiples of 16 bytes, 76 to 81: merely storing such rows is 81 there. (Every second row by 4 channels and then
// aligned vectors of 8 would be 97, but was 56 with the values of both kinds of rows, too many for registers, from L1.)
// AVX2 loads half as much at a time, two vectors a cycle: its loop of 2.33 cycles for 128 bytes (bitpack_avx2.cc) takes
// 230 GB/s in L1, and from L2 reaches 170 to 185.
//
// V is a wrapper of kernels/x86/vec_*.h with, in addition,
//   kRegisterWords     up to so many words pixels are packed one after the other, with thresholds from registers as
//                      far as they last
//   kBlockWords        up to so many words pixels are unpacked one after the other, with values from registers as far
//                      as they last
//   kUnpackPixels      otherwise the values come from L1, once for so many pixels side by side
//   kHeldValues        the values of levels that stay in registers
//   StreamMask, AllOfStream(), LoadStream(from, mask)  all lanes, in the way that streams best
//   StoreAtLeast(word, x, t)                 *word = the bits x >= t of 32 channels
//   kSearchesLevels    whether levels are found as bitpack_search.h does
//   Spread(word), Choose(spread, v, lo, hi)  lane l: hi where bit kLanes * v + l of the word is set, else lo
// and what bitpack_planes.h says.
//
// Arguments are passed by value: a store through a vector pointer may alias anything, so of a struct behind a reference
// the compiler would load every field again after each store.
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack_planes.h"
#include "kernels/bitpack/bitpack_search.h"
#include "kernels/bitpack/bitpack_table.h"
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

// The same pointer, but the compiler does not know. Otherwise gcc addresses all pixels below from the first one, with
// an offset for each load, which are more than there are registers.
template <class T>
BNN_INLINE T* Opaque(T* pointer) {
  asm("" : "+r"(pointer));
  return pointer;
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
  BitpackArgs rest = args;
  rest.in += 4 * fourth * args.in_pixel_stride;
  rest.bits += 4 * fourth * args.bits_pixel_stride;
  PackStreams<V, 1, kTail, kSigns>(rest, args.pixels - 4 * fourth, 0);
}

template <class V, bool kSigns>
void PackContiguous(const BitpackArgs& args) {
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

// Unpacking writes 32 floats for each word, so its limit is the stores. They go upwards without gaps: where channels
// do not fill their words, pixels begin in the middle of cache lines, and only stores that follow each other reach L1
// as one.

// The floats of the lanes `used` of a word.
template <class V>
BNN_INLINE void StoreTail(float* to, uint32_t used, uint32_t word, const float* lo, const float* hi) {
  const typename V::Int spread = V::Spread(word);
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
    const int lane = v * V::kLanes;
    const uint32_t lanes = used >> lane;
    if (lanes == 0) break;
    const typename V::Float x = V::Choose(spread, v, V::Load(lo + lane), V::Load(hi + lane));
    if (lanes >= FirstLanes(V::kLanes)) {
      V::Store(to + lane, x);
    } else {
      V::StorePart(to + lane, lanes, x);
    }
  }
}

// kWords full words, which are all; kTail: and one that is not full. The values of all channels stay in registers, or,
// where those do not last, in L1: still faster, for rows that do not fill cache lines, than pixels side by side, whose
// stores do not follow each other (AVX2 on Zen 4, 116 channels: from 59 to 75 % of reading).
template <class V, int kWords, bool kTail>
BNN_NOINLINE void UnpackRegisters(BitunpackArgs args) {
  constexpr int kChannels = kWords * static_cast<int>(kBitsPerWord);
  const uint32_t used = FirstLanes(args.channels - kChannels);
  const float* const lo_values = args.values;
  const float* const hi_values = args.values + args.value_stride;
  const uint32_t* bits = args.bits;
  float* out = args.out;
  typename V::Float lo[kWords * V::kVectors + 1], hi[kWords * V::kVectors + 1];
  BNN_UNROLL for (int v = 0; v < kWords * V::kVectors; ++v) {
    lo[v] = V::Load(lo_values + v * V::kLanes);
    hi[v] = V::Load(hi_values + v * V::kLanes);
  }
  for (int64_t p = 0; p < args.pixels; ++p) {
    BNN_UNROLL for (int w = 0; w < kWords; ++w) {
      const typename V::Int spread = V::Spread(bits[w]);
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        const int n = w * V::kVectors + v;
        V::Store(out + n * V::kLanes, V::Choose(spread, v, lo[n], hi[n]));
      }
    }
    if (kTail) StoreTail<V>(out + kChannels, used, bits[kWords], lo_values + kChannels, hi_values + kChannels);
    bits += args.bits_pixel_stride;
    out += args.out_pixel_stride;
  }
}

// As PackStreams: values from L1, once for kPixels pixels.
template <class V, int kPixels, bool kTail>
BNN_NOINLINE void UnpackStreams(BitunpackArgs args, int64_t count, int64_t apart) {
  const int64_t full_words = args.channels / kBitsPerWord;
  const uint32_t used = FirstLanes(args.channels % kBitsPerWord);
  const float* const lo_values = args.values;
  const float* const hi_values = args.values + args.value_stride;
  for (int64_t p = 0; p < count; ++p) {
    const uint32_t* from[kPixels];
    float* to[kPixels];
    BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
      from[i] = Opaque(args.bits + (p + i * apart) * args.bits_pixel_stride);
      to[i] = Opaque(args.out + (p + i * apart) * args.out_pixel_stride);
    }
    for (int64_t w = 0; w < full_words; ++w) {
      const int64_t channel = w * kBitsPerWord;
      typename V::Float lo[V::kVectors], hi[V::kVectors];
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        lo[v] = V::Load(lo_values + channel + v * V::kLanes);
        hi[v] = V::Load(hi_values + channel + v * V::kLanes);
      }
      BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
        const typename V::Int spread = V::Spread(from[i][w]);
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
          V::Store(to[i] + channel + v * V::kLanes, V::Choose(spread, v, lo[v], hi[v]));
        }
      }
    }
    if (!kTail) continue;
    const int64_t channel = full_words * kBitsPerWord;
    BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
      StoreTail<V>(to[i] + channel, used, from[i][full_words], lo_values + channel, hi_values + channel);
    }
  }
}

template <class V, bool kTail>
void UnpackInterleaved(const BitunpackArgs& args) {
  const int64_t full_words = args.channels / kBitsPerWord;
  if (full_words == 0) {
    UnpackRegisters<V, 0, kTail>(args);
    return;
  }
  if (full_words <= V::kBlockWords) {
    WithSize<V::kBlockWords>(full_words, [&](auto size) { UnpackRegisters<V, size.value, kTail>(args); });
    return;
  }
  constexpr int kPixels = V::kUnpackPixels;
  const int64_t part = args.pixels / kPixels;
  UnpackStreams<V, kPixels, kTail>(args, part, part);
  BitunpackArgs rest = args;
  rest.bits += kPixels * part * args.bits_pixel_stride;
  rest.out += kPixels * part * args.out_pixel_stride;
  UnpackStreams<V, 1, kTail>(rest, args.pixels - kPixels * part, 0);
}

// Levels: a value of 2^kPlanes for each float, chosen plane by plane. Where registers hold those of a vector of
// channels, they are loaded once for kPixels pixels: 4 bits 40 instead of 23 GB/s, 3 bits 61 instead of 51 with
// AVX-512 on Zen 5. Spilled they would be slower than loaded each time.
template <class V, int kPlanes, int kPixels>
BNN_NOINLINE void UnpackLevels(BitunpackArgs args, int64_t first_pixel, int64_t end) {
  constexpr int kValues = 1 << kPlanes;
  for (int64_t p = first_pixel; p < end; p += kPixels) {
    const uint32_t* const bits = args.bits + p * args.bits_pixel_stride;
    float* const out = args.out + p * args.out_pixel_stride;
    for (int64_t channel = 0; channel < args.channels; channel += kBitsPerWord) {
      const uint32_t* const word = bits + channel / kBitsPerWord;
      typename V::Int words[kPlanes];
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        const int64_t first = channel + v * V::kLanes;
        const uint32_t lanes = FirstLanes(args.channels - first);
        if (lanes == 0) break;
        typename V::Float held[kPixels > 1 ? kValues : 1];
        const float* const table = args.values + first;
        const auto load = [&](int q) BNN_INLINE_LAMBDA { return V::Load(table + q * args.value_stride); };
        const auto value_of = [&](int q) BNN_INLINE_LAMBDA { return kPixels > 1 ? held[q] : load(q); };
        if constexpr (kPixels > 1) {
          BNN_UNROLL for (int q = 0; q < kValues; ++q) held[q] = load(q);
        }
        BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
          BNN_UNROLL for (int plane = 0; plane < kPlanes; ++plane) {
            if (kPixels == 1 && v > 0) break;  // they are there
            words[plane] = V::Spread(word[i * args.bits_pixel_stride + plane * args.bits_plane_stride]);
          }
          float* const to = out + i * args.out_pixel_stride + first;
          const typename V::Float x = ValueOfLevel<V, kPlanes>(words, v, value_of);
          if (lanes >= FirstLanes(V::kLanes)) {
            V::Store(to, x);
          } else {
            V::StorePart(to, lanes, x);
          }
        }
      }
    }
  }
}

template <class V, int kPlanes>
void UnpackAllLevels(const BitunpackArgs& args) {
  constexpr int kPixels = (1 << kPlanes) <= V::kHeldValues ? 4 : 1;
  const int64_t whole = args.pixels / kPixels * kPixels;
  UnpackLevels<V, kPlanes, kPixels>(args, 0, whole);
  UnpackLevels<V, kPlanes, 1>(args, whole, args.pixels);
}

template <class V>
void Unpack(const BitunpackArgs& args) {
  static_assert(kMaxPlanes == 4);
  if (args.planes == 2) return UnpackAllLevels<V, 2>(args);
  if (args.planes == 3) return UnpackAllLevels<V, 3>(args);
  if (args.planes == 4) return UnpackAllLevels<V, 4>(args);
  args.channels % kBitsPerWord == 0 ? UnpackInterleaved<V, false>(args) : UnpackInterleaved<V, true>(args);
}

}  // namespace
}  // namespace bnn::kernels
