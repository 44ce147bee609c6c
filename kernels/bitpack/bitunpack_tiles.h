// Unpacking, written once for all vector instruction sets: the choice of the way, and the ways that suit any rows. ISA
// files only.
//
// 32 floats leave for each word, so the limit is the stores. They go upwards without gaps: where channels do not fill
// their words, pixels begin in the middle of cache lines, and only stores that follow each other reach L1 as one.
// 88 to 99 % of merely reading the same bytes (AVX-512, channels a multiple of 32).
//
// Where channels do not fill cache lines, nearly every vector lies in two of them, which takes L1 two cycles. Rows of
// up to 31 channels, and of 36, 44, ... 124, are therefore written as one run of memory, in whole vectors
// (bitunpack_narrow_rows.h, bitunpack_half_rows.h). Others are not: of 232 channels vectors of 8 are whole, 95 % on
// Zen 4, but vectors of 16 are not, 76 to 81 % on Zen 5 (where merely storing such rows reaches 190 GB/s; whole vectors
// at the end of a pixel, which the next one overwrites, are slower than stores by lanes).
//
// V is a wrapper of kernels/x86/vec_*.h with, in addition,
//   kBlockWords         up to so many words pixels are unpacked one after the other, with values from registers as far
//                       as they last
//   kUnpackPixels       otherwise the values come from L1, once for so many pixels side by side
//   kHeldValues         the values of levels that stay in registers
//   Spread(word), Choose(spread, v, lo, hi)  lane l: hi where bit kLanes * v + l of the word is set, else lo
//   kUnpacksNarrowRows  whether it has what bitunpack_narrow_rows.h wants
//   Lanes8              the wrapper of vectors of 8 floats for bitunpack_half_rows.h, or void
//
// Arguments are passed by value, as in bitpack_tiles.h.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/bitpack/bitpack_table.h"
#include "kernels/bitpack/bitunpack_half_rows.h"
#include "kernels/bitpack/bitunpack_narrow_rows.h"
#include "kernels/bitpack/opaque.h"
#include "kernels/bitpack/pixel_range.h"
#include "kernels/bitpack/with_size.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/levels.h"

namespace bnn::kernels {
namespace {

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

// All of `args`, whatever the rows look like.
template <class V, bool kTail>
void UnpackAnyRows(const BitunpackArgs& args) {
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
  const PixelRange rest = {kPixels * part, args.pixels - kPixels * part};
  UnpackStreams<V, 1, kTail>(PixelsOf(args, rest), rest.count, 0);
}

// Rows that do not end with a vector are written as one run of memory where that can be done, but for the pixels at
// both ends.
template <class V>
void UnpackBits(const BitunpackArgs& args) {
  if (args.channels % kBitsPerWord == 0) return UnpackAnyRows<V, false>(args);
  PixelRange run;
  if constexpr (V::kUnpacksNarrowRows) run = UnpackNarrowRows<V>(args);
  if constexpr (!std::is_void_v<typename V::Lanes8>) {
    if (run.count == 0) run = UnpackHalfRows<typename V::Lanes8>(args);
  }
  const int64_t end = run.first + run.count;
  if (run.first > 0) UnpackAnyRows<V, true>(PixelsOf(args, {0, run.first}));
  if (end < args.pixels) UnpackAnyRows<V, true>(PixelsOf(args, {end, args.pixels - end}));
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
  UnpackBits<V>(args);
}

}  // namespace
}  // namespace bnn::kernels
