// Packing and unpacking, written once for all vector instruction sets: channels contiguous (NHWC), and the choice of
// the way. Planes of pixels (NCHW) are in bitpack_planes.h. ISA files only.
//
// All of them stream through memory: 32 floats for each word of bits. With data in L2 the limit is the road to L1, so
// each of them touches a float once, in whole vectors, and what is left is the order of the loads. It decides more than
// their number. On Zen 5 a core reads L2 at 190 to 240 GB/s, but at 130 GB/s, one line every two cycles, when the
// instructions of the loop advance by certain strides (kernels/simd/zigzag.h); why, AMD does not say. Loads with a
// mask, also one of all lanes, never fall into that trap, and neither do runs through memory without gaps.
//
// V is a wrapper of kernels/x86/vec_*.h with, in addition,
//   kRegisterWords     the words whose thresholds stay in registers when packing
//   kBlockWords        the words whose two values stay in registers when unpacking
//   kTileVectors       the vectors of pixels that stay in registers while planes pass by
//   StreamMask, AllOfStream(), LoadStream(from, mask)  all lanes, in the way that streams best
//   LoadFour(from, lanes)                    up to 4 lanes, the others 0
//   StoreAtLeast(word, x, t)                 *word = the bits x >= t of 32 channels
//   StoreInt(lanes, words)
//   Spread(word), Choose(spread, v, lo, hi)  lane l: hi where bit kLanes * v + l of the word is set, else lo
// and what bitpack_planes.h says.
//
// Arguments are passed by value: a store through a vector pointer may alias anything, so of a struct behind a reference
// the compiler would load every field again after each store.
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack_planes.h"
#include "kernels/bitpack/bitpack_table.h"
#include "kernels/bitpack/with_size.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/zigzag.h"

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

// kWords words, in all, of every pixel, the last one possibly not full. The thresholds stay in registers while all
// pixels pass by, and memory is read from its beginning to its end.
template <class V, int kWords>
BNN_NOINLINE void PackRegisters(BitpackArgs args) {
  const int64_t last_channels = args.channels - (kWords - 1) * kBitsPerWord;
  const uint32_t used = FirstLanes(last_channels);
  const TailThresholds tail = MakeTailThresholds(args.thresholds + (kWords - 1) * kBitsPerWord, last_channels);
  typename V::Float t[kWords][V::kVectors];
  BNN_UNROLL for (int w = 0; w < kWords; ++w) {
    const float* const thresholds = w == kWords - 1 ? tail.t : args.thresholds + w * kBitsPerWord;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) t[w][v] = V::Load(thresholds + v * V::kLanes);
  }
  const typename V::StreamMask all = V::AllOfStream();
  const float* in = args.in;
  uint32_t* bits = args.bits;
  for (int64_t p = 0; p < args.pixels; ++p) {
    BNN_UNROLL for (int w = 0; w < kWords; ++w) {
      typename V::Float x[V::kVectors];
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        const float* const from = in + w * kBitsPerWord + v * V::kLanes;
        x[v] = w == kWords - 1 ? V::LoadPart(from, used >> (v * V::kLanes)) : V::LoadStream(from, all);
      }
      V::StoreAtLeast(bits + w, x, t[w]);
    }
    in += args.in_pixel_stride;
    bits += args.bits_pixel_stride;
  }
}

// Any number of words, of kPixels pixels that lie `apart` pixels apart, and of the `count` - 1 pixels behind each. The
// thresholds come from L1, but once for all kPixels. Each of these streams is read without gaps.
template <class V, int kPixels>
BNN_NOINLINE void PackStreams(BitpackArgs args, int64_t count, int64_t apart) {
  const int64_t full_words = args.channels / kBitsPerWord;
  const int64_t last_channels = args.channels % kBitsPerWord;
  const uint32_t used = FirstLanes(last_channels);
  TailThresholds tail;
  if (last_channels > 0) tail = MakeTailThresholds(args.thresholds + full_words * kBitsPerWord, last_channels);
  const int64_t in_apart = apart * args.in_pixel_stride;
  const int64_t bits_apart = apart * args.bits_pixel_stride;
  for (int64_t p = 0; p < count; ++p) {
    const float* in = args.in + p * args.in_pixel_stride;
    uint32_t* bits = args.bits + p * args.bits_pixel_stride;
    const float* thresholds = args.thresholds;
    for (int64_t w = 0; w < full_words; ++w) {
      typename V::Float t[V::kVectors], x[V::kVectors];
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) t[v] = V::Load(thresholds + v * V::kLanes);
      BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) x[v] = V::Load(in + i * in_apart + v * V::kLanes);
        V::StoreAtLeast(bits + i * bits_apart, x, t);
      }
      in += kBitsPerWord;
      thresholds += kBitsPerWord;
      ++bits;
    }
    if (last_channels > 0) {
      typename V::Float t[V::kVectors], x[V::kVectors];
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) t[v] = V::Load(tail.t + v * V::kLanes);
      BNN_UNROLL for (int i = 0; i < kPixels; ++i) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
          x[v] = V::LoadPart(in + i * in_apart + v * V::kLanes, used >> (v * V::kLanes));
        }
        V::StoreAtLeast(bits + i * bits_apart, x, t);
      }
    }
  }
}

template <class V>
void PackInterleaved(const BitpackArgs& args) {
  const int64_t words = WordsFor(args.channels);
  if (words <= V::kRegisterWords) {
    WithSize<V::kRegisterWords>(words, [&](auto size) { PackRegisters<V, size.value>(args); });
    return;
  }
  const int64_t fourth = args.pixels / 4;
  PackStreams<V, 4>(args, fourth, fourth);
  BitpackArgs rest = args;
  rest.in += 4 * fourth * args.in_pixel_stride;
  rest.bits += 4 * fourth * args.bits_pixel_stride;
  PackStreams<V, 1>(rest, args.pixels - 4 * fourth, 0);
}

template <class V>
void Pack(const BitpackArgs& args) {
  if (args.in_pixel_stride == 1) {
    PackPlanar<V>(args);
  } else if (args.in_channel_stride == 1) {
    PackInterleaved<V>(args);
  } else {
    kBitpackRef.pack(args);  // neither axis is contiguous: nothing to load as a vector
  }
}

// Unpacking writes 32 floats for each word, so its limit is the stores. As in PackWords, the values of a block of
// channels stay in registers and all pixels pass by.
template <class V, int kWords>
BNN_NOINLINE void UnpackWords(BitunpackArgs args, int64_t word) {
  const uint32_t* const bits = args.bits + word;
  float* const out = args.out + word * kBitsPerWord;
  typename V::Float lo[kWords * V::kVectors], hi[kWords * V::kVectors];
  BNN_UNROLL for (int v = 0; v < kWords * V::kVectors; ++v) {
    lo[v] = V::Load(args.lo + word * kBitsPerWord + v * V::kLanes);
    hi[v] = V::Load(args.hi + word * kBitsPerWord + v * V::kLanes);
  }
  Zigzag from = StartZigzag(args.pixels, args.bits_pixel_stride);
  Zigzag to = StartZigzag(args.pixels, args.out_pixel_stride);
  for (int64_t i = 0; i < args.pixels; ++i) {
    BNN_UNROLL for (int w = 0; w < kWords; ++w) {
      const typename V::Int spread = V::Spread(bits[from.here + w]);
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        const int n = w * V::kVectors + v;
        V::Store(out + to.here + n * V::kLanes, V::Choose(spread, v, lo[n], hi[n]));
      }
    }
    Advance(from);
    Advance(to);
  }
}

template <class V>
BNN_NOINLINE void UnpackTail(BitunpackArgs args) {
  const int64_t word = args.channels / kBitsPerWord;
  const uint32_t used = FirstLanes(args.channels % kBitsPerWord);
  const float* const lo = args.lo + word * kBitsPerWord;
  const float* const hi = args.hi + word * kBitsPerWord;
  for (int64_t p = 0; p < args.pixels; ++p) {
    const typename V::Int spread = V::Spread(args.bits[p * args.bits_pixel_stride + word]);
    float* const out = args.out + p * args.out_pixel_stride + word * kBitsPerWord;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      const int lane = v * V::kLanes;
      const uint32_t lanes = used >> lane;
      if (lanes == 0) break;
      V::StorePart(out + lane, lanes, V::Choose(spread, v, V::Load(lo + lane), V::Load(hi + lane)));
    }
  }
}

template <class V>
void Unpack(const BitunpackArgs& args) {
  const int64_t full_words = args.channels / kBitsPerWord;
  for (int64_t word = 0; word < full_words; word += V::kBlockWords) {
    WithSize<V::kBlockWords>(full_words - word, [&](auto size) { UnpackWords<V, size.value>(args, word); });
  }
  if (args.channels % kBitsPerWord != 0) UnpackTail<V>(args);
}

}  // namespace
}  // namespace bnn::kernels
