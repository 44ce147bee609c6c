// Packing and unpacking, written once for all vector instruction sets. ISA files only.
//
// All three operations stream through memory: 32 floats for each word of bits. With data in L2 the limit is the road to
// L1, so each of them touches a float once, in whole vectors, with the parameters of its channels in registers. What is
// left is the order in which the blocks of floats come, see kernels/simd/zigzag.h.
//
// V is a wrapper of kernels/x86/vec_*.h with, in addition,
//   kBlockWords        the words whose parameters (a float or two for each channel) stay in registers
//   kTileVectors       the vectors of pixels that stay in registers while planes pass by
//   StoreAtLeast(word, x, t)                 *word = the bits x >= t of 32 channels
//   ChannelBits, BitsOf(c)                   bits c and c + 16 of a word, in every lane
//   SetAtLeast(words, x, t, x16, t16, bits)  words with bit c set where x >= t and bit c + 16 where x16 >= t16
//   StoreInt(lanes, words)
//   Spread(word), Choose(spread, v, lo, hi)  lane l: hi where bit kLanes * v + l of the word is set, else lo
//
// Arguments are passed by value: a store through a vector pointer may alias anything, so of a struct behind a reference
// the compiler would load every field again after each store.
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack_table.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/tile_split.h"
#include "kernels/simd/zigzag.h"

namespace bnn::kernels {
namespace {

// Channels contiguous (NHWC): kWords words of every pixel. The thresholds stay in registers while all pixels pass by;
// loaded again for each pixel, they would be half of all loads. A block of 64 to 128 channels is 256 to 512 contiguous
// bytes of a pixel, and the same block of the next pixel is a whole row of channels away.
template <class V, int kWords>
BNN_NOINLINE void PackWords(BitpackArgs args, int64_t word) {
  const float* const in = args.in + word * kBitsPerWord;
  uint32_t* const bits = args.bits + word;
  typename V::Float t[kWords][V::kVectors];
  BNN_UNROLL for (int w = 0; w < kWords; ++w) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      t[w][v] = V::Load(args.thresholds + (word + w) * kBitsPerWord + v * V::kLanes);
    }
  }
  Zigzag from = StartZigzag(args.pixels, args.in_pixel_stride);
  Zigzag to = StartZigzag(args.pixels, args.bits_pixel_stride);
  for (int64_t i = 0; i < args.pixels; ++i) {
    BNN_UNROLL for (int w = 0; w < kWords; ++w) {
      typename V::Float x[V::kVectors];
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        x[v] = V::Load(in + from.here + w * kBitsPerWord + v * V::kLanes);
      }
      V::StoreAtLeast(bits + to.here + w, x, t[w]);
    }
    Advance(from);
    Advance(to);
  }
}

// The last word of every pixel when its channels do not fill it.
template <class V>
BNN_NOINLINE void PackTail(BitpackArgs args) {
  const int64_t word = args.channels / kBitsPerWord;
  const uint32_t used = FirstLanes(args.channels % kBitsPerWord);
  const float* const in = args.in + word * kBitsPerWord;
  const float* const thresholds = args.thresholds + word * kBitsPerWord;
  for (int64_t p = 0; p < args.pixels; ++p) {
    uint32_t bits = 0;
    for (int lane = 0; lane < kBitsPerWord && used >> lane != 0; lane += V::kLanes) {
      const typename V::Float x = V::LoadPart(in + p * args.in_pixel_stride + lane, used >> lane);
      bits |= V::AtLeast(x, V::Load(thresholds + lane)) << lane;
    }
    args.bits[p * args.bits_pixel_stride + word] = bits & used;
  }
}

// The block of words that starts at `word`: kMost words, or what is left.
template <class V, int kMost = V::kBlockWords>
void PackBlock(const BitpackArgs& args, int64_t word) {
  if constexpr (kMost > 1) {
    if (args.channels / kBitsPerWord - word < kMost) return PackBlock<V, kMost - 1>(args, word);
  }
  PackWords<V, kMost>(args, word);
}

template <class V>
void PackInterleaved(const BitpackArgs& args) {
  const int64_t full_words = args.channels / kBitsPerWord;
  for (int64_t word = 0; word < full_words; word += V::kBlockWords) PackBlock<V>(args, word);
  if (args.channels % kBitsPerWord != 0) PackTail<V>(args);
}

// The first `count` words of a vector, `stride` words apart: words of neighbouring pixels. A scatter instruction is
// slower than copying them by way of the stack.
template <class V>
BNN_INLINE void StoreApart(uint32_t* to, int64_t stride, typename V::Int words, int64_t count) {
  if (stride == 1 && count == V::kLanes) {
    V::StoreInt(to, words);
    return;
  }
  alignas(64) uint32_t lanes[V::kLanes];
  V::StoreInt(lanes, words);
  if (count == V::kLanes) {
    BNN_UNROLL for (int64_t i = 0; i < V::kLanes; ++i) to[i * stride] = lanes[i];
  } else {
    for (int64_t i = 0; i < count; ++i) to[i * stride] = lanes[i];
  }
}

// Pixels contiguous (NCHW). Reading a pixel's channels would touch one float of each cache line. Instead a vector of
// pixels of one channel is compared at once and each lane builds the word of its own pixel:
//
//   word[pixel] |= (x[c][pixel] >= t[c]) ? 1 << c : 0      for the 32 channels of a block
//
// The lanes being pixels, the transposition from planes to pixels costs nothing but the stores of single words at its
// end. A tile is kVectors vectors of pixels, as long as registers last: the longer the run of a plane that is read in
// one piece, the better. Planes come in pairs (c, c + 16), because AVX2 can merge the comparisons of two channels in
// the halves of its lanes. `pixels` are more than kVectors - 1 vectors.
template <class V, int kVectors>
BNN_NOINLINE void PackPlanes(BitpackArgs args, int64_t pixel, int64_t pixels) {
  constexpr int64_t kHalf = kBitsPerWord / 2;
  constexpr float kNan = __builtin_nanf("");  // nothing is at least NaN
  const uint32_t last = FirstLanes(pixels - (kVectors - 1) * V::kLanes);
  for (int64_t channel = 0; channel < args.channels; channel += kBitsPerWord) {
    const int64_t left = args.channels - channel;
    const float* const in = args.in + pixel + channel * args.in_channel_stride;
    const float* const thresholds = args.thresholds + channel;
    typename V::Int words[kVectors];
    BNN_UNROLL for (int v = 0; v < kVectors; ++v) words[v] = V::Zero();
    const int64_t pairs = left < kHalf ? left : kHalf;
    Zigzag walk = StartZigzag(pairs, 1);
    for (int64_t i = 0; i < pairs; ++i) {
      const int64_t c = walk.here;
      const bool has_partner = c + kHalf < left;
      const float* const x = in + c * args.in_channel_stride;
      const float* const x16 = has_partner ? x + kHalf * args.in_channel_stride : x;
      const typename V::Float t = V::Splat(thresholds[c]);
      const typename V::Float t16 = V::Splat(has_partner ? thresholds[c + kHalf] : kNan);
      const typename V::ChannelBits bits = V::BitsOf(c);
      BNN_UNROLL for (int v = 0; v + 1 < kVectors; ++v) {
        words[v] = V::SetAtLeast(words[v], V::Load(x + v * V::kLanes), t, V::Load(x16 + v * V::kLanes), t16, bits);
      }
      constexpr int64_t kLast = (kVectors - 1) * V::kLanes;
      words[kVectors - 1] = V::SetAtLeast(words[kVectors - 1], V::LoadPart(x + kLast, last), t,
                                          V::LoadPart(x16 + kLast, last), t16, bits);
      Advance(walk);
    }
    uint32_t* const out = args.bits + pixel * args.bits_pixel_stride + channel / kBitsPerWord;
    BNN_UNROLL for (int v = 0; v + 1 < kVectors; ++v) {
      StoreApart<V>(out + v * V::kLanes * args.bits_pixel_stride, args.bits_pixel_stride, words[v], V::kLanes);
    }
    constexpr int64_t kLast = (kVectors - 1) * V::kLanes;
    StoreApart<V>(out + kLast * args.bits_pixel_stride, args.bits_pixel_stride, words[kVectors - 1], pixels - kLast);
  }
}

// A tile of `vectors` vectors, at most kMost.
template <class V, int kMost = V::kTileVectors>
void PackPlaneTile(const BitpackArgs& args, int64_t pixel, int64_t pixels, int64_t vectors) {
  if constexpr (kMost > 1) {
    if (vectors < kMost) return PackPlaneTile<V, kMost - 1>(args, pixel, pixels, vectors);
  }
  PackPlanes<V, kMost>(args, pixel, pixels);
}

template <class V>
void PackPlanar(const BitpackArgs& args) {
  const TileSplit split = SplitTiles((args.pixels + V::kLanes - 1) / V::kLanes, V::kTileVectors);
  int64_t pixel = 0;
  for (int64_t tile = 0; tile < split.tiles; ++tile) {
    const int64_t vectors = split.pixels + (tile < split.longer ? 1 : 0);
    const int64_t left = args.pixels - pixel;
    const int64_t pixels = left < vectors * V::kLanes ? left : vectors * V::kLanes;
    PackPlaneTile<V>(args, pixel, pixels, vectors);
    pixel += pixels;
  }
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

template <class V, int kMost = V::kBlockWords>
void UnpackBlock(const BitunpackArgs& args, int64_t word) {
  if constexpr (kMost > 1) {
    if (args.channels / kBitsPerWord - word < kMost) return UnpackBlock<V, kMost - 1>(args, word);
  }
  UnpackWords<V, kMost>(args, word);
}

template <class V>
void Unpack(const BitunpackArgs& args) {
  const int64_t full_words = args.channels / kBitsPerWord;
  for (int64_t word = 0; word < full_words; word += V::kBlockWords) UnpackBlock<V>(args, word);
  if (args.channels % kBitsPerWord != 0) UnpackTail<V>(args);
}

}  // namespace
}  // namespace bnn::kernels
