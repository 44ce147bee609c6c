// Packing of planes of pixels (NCHW), written once for all vector instruction sets. ISA files only.
//
// Reading a pixel's channels would touch one float of each cache line. Instead a vector of pixels of one channel is
// compared at once, and each lane builds the word of its own pixel:
//
//   word[pixel] |= (x[c][pixel] >= t[c]) ? 1 << c : 0      for the 32 channels of a word
//
// A tile is a run of pixels whose words stay in registers while the planes pass by. It is as long as registers last:
// the longer the run that is read in one piece, the better. Planes come in pairs (c, c + 16), because AVX2 can merge
// the comparisons of two channels in the halves of its lanes.
//
// Pixels being lanes, the transposition from planes to pixels costs nothing but the way the words leave. Stored one by
// one they are a store for every two vectors that were read, and fill the queue of stores while nothing is read. So the
// words of up to four blocks of channels wait in L1, as [word][pixel], turn in registers (store_pixels.h), and 16 bytes
// of a pixel leave at once.
//
// On Zen 5 with AVX-512 a vector takes a comparison and an OR under its mask, which together issue in 0.72 cycles, and
// a tile of 13 vectors that comes from L2 with masked loads 1.4 cycles a vector: that is L2, and 79 to 92 % of merely
// reading. Planes of 7 x 7 floats fall short, 65 %. Their four loads each lie across two cache lines
// (a cycle each), with the threshold 4.5 cycles for 196 bytes in L1, 6.1 from L2, where merely reading takes 4.3. With
// AVX2 a pair of vectors takes five instructions that issue in 1.43 cycles, 190 GB/s in L1.
//
// Zen 4, whose L2 gives half as much, 32 bytes a cycle, splits vectors of 512 bits, and comparing takes longer than
// loading. There AVX-512 passes the planes in vectors of 256 bits (PlanesYmm in bitpack_avx512.cc): 82 to 89 % with
// them, 7 x 7 87; with whole vectors 81 to 88, 7 x 7 72. AVX2, with half the registers, reaches 79 to 88. Planes are
// visited upwards: from both ends inwards AVX2 was a tenth faster on Zen 5, where AVX-512 is faster anyway, and a tenth
// slower on Zen 4.
//
// Tried without success: prefetching the next planes (AVX2 2 % faster, AVX-512 6 slower); whole cache lines, each
// loaded once, from two of which a permutation takes a vector (7 x 7: 94 GB/s instead of 123, where lines are aligned
// anyway half as fast); comparison masks of whole lines, stored as strings of bits that are transposed afterwards
// (Zen 4, 7 x 7: 9.4 cycles a plane; as it is 7.3); for AVX2 bits that gather in bytes, 32 pixels a register, in runs
// of 1 KB (14 x 14: 7 % faster, 7 x 7: 23 % slower).
//
// V supplies, besides what kernels/x86/vec_*.h do,
//   kTileVectors                                 the vectors of pixels that stay in registers while planes pass by
//   kWholeVectors                                planes of up to so many are a single tile
//   StreamMask, AllOfStream(), LoadStream(from, mask)  all lanes, in the way that streams best
//   LoadFour(from, lanes)                        up to 4 lanes, the others 0
//   StoreInt(lanes, words)
//   PairBits, FirstPair(), NextPair(bits)        the bits of the channels c and c + 16, from c = 0 upwards
//   SetPair(words, x, t, x16, t16, bits)         words with bit c set where x >= t and bit c + 16 where x16 >= t16
//   SetLow(words, x, t, bits)                    bit c alone
//   kSkews                                       whether planes may be skewed (IsSkewed), then also
//   LanesFrom<n>(here, next)                     the lanes of `here` from n on, then the first n of `next`
//   SelectBits(bits, a, b)                       bits of a where `bits` are set, else of b
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack.h"
#include "kernels/bitpack/store_pixels.h"
#include "kernels/bitpack/with_size.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/tile_split.h"

namespace bnn::kernels {
namespace {

// How the vectors of a tile of pixels are loaded.
enum class PlaneLoads {
  kWhole,  // all of them as they lie
  kPart,   // of the last one only some lanes
  kSkewed  // whole ones from the boundary on at which, or behind which, the plane begins (IsSkewed)
};

template <class V, int kVectors, PlaneLoads kLoads>
struct PlaneTile {
  typename V::StreamMask all;
  uint32_t last_lanes;
  bool is_last_short;  // at most 4 lanes: a load of 16 bytes touches a second cache line less often than a longer one

  // Where vector 0 begins.
  BNN_INLINE static const float* Start(const float* plane) {
    if (kLoads != PlaneLoads::kSkewed) return plane;
    return reinterpret_cast<const float*>(reinterpret_cast<uintptr_t>(plane) & -(V::kLanes * sizeof(float)));
  }
  BNN_INLINE typename V::Float Load(const float* start, int v) const {
    const float* const from = start + v * V::kLanes;
    if (kLoads != PlaneLoads::kPart || v + 1 < kVectors) return V::LoadStream(from, all);
    return is_last_short ? V::LoadFour(from, last_lanes) : V::LoadPart(from, last_lanes);
  }
};

// Planes of P floats without gaps between them each begin at another lane, where P is no multiple of kLanes, and nearly
// every second vector of 32 bytes lies across two cache lines. Instead whole aligned vectors are compared: bit c of a
// pixel is then found (c * P) % kLanes lanes further on, and goes back when all planes of a word have passed
// (Straighten). Where P % kLanes is a power of two, and it is for every square image and 8 lanes, a skewed plane
// touches no more vectors than another one, and whole runs of kLanes planes end with the last of them: nothing outside
// the planes is read. It pays for short planes: 7 x 7 on Zen 4 7.3 instead of 7.8 cycles a plane, 13 x 13 a cycle more.
inline constexpr int kMaxSkewedVectors = 8;

template <class V>
BNN_INLINE bool IsSkewed(const BitpackArgs& args) {
  if constexpr (!V::kSkews) return false;
  const int64_t rest = args.pixels % V::kLanes;
  return rest != 0 && (rest & (rest - 1)) == 0 && args.pixels <= kMaxSkewedVectors * V::kLanes &&
         args.in_channel_stride == args.pixels && args.channels % V::kLanes == 0 &&
         reinterpret_cast<uintptr_t>(args.in) % (V::kLanes * sizeof(float)) == 0;
}

// Moves `bits` of each word from the lane kBy lanes further on.
template <class V, int kBy, int kVectors>
BNN_INLINE void MoveBits(uint32_t bits, typename V::Int (&words)[kVectors]) {
  const typename V::Int moved = V::SplatInt(static_cast<int32_t>(bits));
  BNN_UNROLL for (int v = 0; v < kVectors; ++v) {
    const typename V::Int next = words[v + 1 < kVectors ? v + 1 : v];  // behind the last pixel there is nothing
    words[v] = V::SelectBits(moved, V::template LanesFrom<kBy>(words[v], next), words[v]);
  }
}

// `rest`: of the pixels, a power of two. Bit c moves by (c * rest) % 8 lanes: by 1, 2 and 4, as its bits say.
template <class V, int kVectors>
BNN_INLINE void Straighten(int64_t rest, typename V::Int (&words)[kVectors]) {
  static_assert(V::kLanes == 8);
  constexpr uint32_t kOdd = 0xAAAAAAAA, kBit1 = 0xCCCCCCCC, kBit2 = 0xF0F0F0F0;  // of c
  if (rest == 1) {
    MoveBits<V, 1>(kOdd, words);
    MoveBits<V, 2>(kBit1, words);
    MoveBits<V, 4>(kBit2, words);
  } else if (rest == 2) {
    MoveBits<V, 2>(kOdd, words);
    MoveBits<V, 4>(kBit1, words);
  } else {
    MoveBits<V, 4>(kOdd, words);
  }
}

// The words of kVectors vectors of pixels, from up to 32 planes that lie `stride` floats apart.
template <class V, int kVectors, PlaneLoads kLoads>
BNN_NOINLINE void PackPlanes(const float* in, int64_t stride, const float* thresholds, int64_t planes,
                             uint32_t last_lanes, uint32_t* out) {
  constexpr int64_t kHalf = kBitsPerWord / 2;
  using Tile = PlaneTile<V, kVectors, kLoads>;
  const Tile tile = {V::AllOfStream(), last_lanes, last_lanes < 16};
  typename V::Int words[kVectors];
  BNN_UNROLL for (int v = 0; v < kVectors; ++v) words[v] = V::Zero();
  const int64_t lows = planes < kHalf ? planes : kHalf;
  const int64_t pairs = planes - lows;
  typename V::PairBits bits = V::FirstPair();
  int64_t c = 0;
  for (; c < pairs; ++c, bits = V::NextPair(bits)) {
    const float* const x = Tile::Start(in + c * stride);
    const float* const x16 = Tile::Start(in + (c + kHalf) * stride);
    const typename V::Float t = V::Splat(thresholds[c]);
    const typename V::Float t16 = V::Splat(thresholds[c + kHalf]);
    BNN_UNROLL for (int v = 0; v < kVectors; ++v) {
      words[v] = V::SetPair(words[v], tile.Load(x, v), t, tile.Load(x16, v), t16, bits);
    }
  }
  for (; c < lows; ++c, bits = V::NextPair(bits)) {
    const float* const x = Tile::Start(in + c * stride);
    const typename V::Float t = V::Splat(thresholds[c]);
    BNN_UNROLL for (int v = 0; v < kVectors; ++v) words[v] = V::SetLow(words[v], tile.Load(x, v), t, bits);
  }
  if constexpr (kLoads == PlaneLoads::kSkewed) Straighten<V>(stride % V::kLanes, words);
  BNN_UNROLL for (int v = 0; v < kVectors; ++v) V::StoreInt(out + v * V::kLanes, words[v]);
}

template <class V>
using PackPlanesFn = decltype(&PackPlanes<V, 1, PlaneLoads::kWhole>);

// For tiles of so many pixels.
template <class V>
PackPlanesFn<V> ChoosePlanesFn(int64_t pixels, bool is_skewed) {
  const int64_t vectors = (pixels + V::kLanes - 1) / V::kLanes;
  PackPlanesFn<V> fn = nullptr;
  WithSize<V::kWholeVectors>(vectors, [&](auto size) {
    fn = pixels % V::kLanes == 0 ? PackPlanes<V, size.value, PlaneLoads::kWhole>
                                 : PackPlanes<V, size.value, PlaneLoads::kPart>;
    if constexpr (V::kSkews && size.value <= kMaxSkewedVectors) {
      if (is_skewed) fn = PackPlanes<V, size.value, PlaneLoads::kSkewed>;
    }
  });
  return fn;
}

// Tiles of the same size follow each other, so what is chosen by size is chosen when it changes.
template <class V>
void PackPlanar(const BitpackArgs& args) {
  static_assert(V::kWholeVectors >= V::kTileVectors);
  constexpr int64_t kPitch = V::kWholeVectors * V::kLanes;
  constexpr int64_t kGroup = 4;  // words
  alignas(64) uint32_t waiting[kGroup * kPitch];
  const int64_t words = WordsFor(args.channels);
  const int64_t all_vectors = (args.pixels + V::kLanes - 1) / V::kLanes;
  const TileSplit split = SplitTiles(all_vectors, all_vectors <= V::kWholeVectors ? all_vectors : V::kTileVectors);
  const bool is_skewed = IsSkewed<V>(args);
  int64_t pixels = 0;
  PackPlanesFn<V> pack = nullptr;
  // The words of the tile at `pixel` whose number is `word`.
  const auto pack_word = [&](int64_t pixel, int64_t word, uint32_t* out) {
    const int64_t channel = word * kBitsPerWord;
    const int64_t left = args.channels - channel;
    pack(args.in + pixel + channel * args.in_channel_stride, args.in_channel_stride, args.thresholds + channel,
         left < kBitsPerWord ? left : kBitsPerWord, FirstLanes((pixels - 1) % V::kLanes + 1), out);
  };
  for (int64_t tile = 0, pixel = 0; tile < split.tiles; ++tile, pixel += pixels) {
    const int64_t most = (split.pixels + (tile < split.longer ? 1 : 0)) * V::kLanes;
    const int64_t left = args.pixels - pixel;
    const int64_t size = left < most ? left : most;
    if (size != pixels) {
      pixels = size;
      pack = ChoosePlanesFn<V>(pixels, is_skewed);
    }
    if (args.bits_pixel_stride == 1 && pixels % V::kLanes == 0) {  // in their places already, all of them
      pack_word(pixel, 0, args.bits + pixel);
      continue;
    }
    for (int64_t word = 0; word < words; word += kGroup) {
      const int64_t group = words - word < kGroup ? words - word : kGroup;
      for (int64_t w = 0; w < group; ++w) pack_word(pixel, word + w, waiting + w * kPitch);
      uint32_t* const to = args.bits + pixel * args.bits_pixel_stride + word;
      WithSize<kGroup>(
          group, [&](auto n) { StorePixels<n.value, V::kLanes>(waiting, kPitch, pixels, to, args.bits_pixel_stride); });
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
