// The inner loop of binary convolution and of the binary dense layer for 64-bit ARM with the SHA3 extension, whose EOR3
// is the exclusive or of three vectors. ISA files only.
//
// The plain loop (popcount_neon.h) counts and adds every block, 32 input bits of one pixel against 4 output channels,
// in 3 operations. A carry-save counter counts half as often: it keeps the lowest bit of all 128 counters in a vector
// of `ones`, and only the carries go through cnt and add. For two words of input x, y and their weights v, w:
//
//   t     = ones ^ (x ^ v)             EOR3
//   ones' = t ^ (y ^ w)                EOR3
//   carry = t ? y ^ w : ones           the majority of ones, x ^ v, y ^ w: where ones and x ^ v differ, y ^ w decides
//
// y ^ w itself is not at hand, but where t is 1 it is ~ones'. So y is stored inverted: then the second EOR3 gives
// ~ones', and carry = t ? ~ones' : ones is one BSL. The next two words start from ~ones. Their first EOR3 gives ~t; the
// fourth word, inverted as well, makes ones' upright again; and BSL gives ~carry, whose count is 8 less the carry's. So
// it is subtracted, from sums that start with 8 for each of these pairs. Four words ("a quad") take 4 EOR3, 2 BSL, 2
// cnt, an addition and a subtraction: 10 operations for 4 blocks, 2.5 a block. Carries count twice when bytes are
// widened, once in 15 quads, whose carries are at most 8 * 30 = 240.
//
// Words that do not fill a quad: two in 6 operations a pair (ones' is turned back), one in 4 (a half adder).
//
// Registers (32): sums and ones of 8 outputs, 2 pixels x 4 vectors of channels or 4 x 2; 2 of ones that are neither the
// old nor the new (they move by two outputs with the first pair of a quad, and back with the second, so that no value
// is copied), up to 8 weights, 2 words of input, 2 temporaries.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "kernels/arm/popcount_neon.h"

namespace bnn::kernels {
namespace {

// The weights of the next two words are loaded while two are counted.
static_assert(kReadAheadWords >= 2 * kChannelBlock);

struct CountNeonSha3 : PlainCounter {
  using Vector = Neon;
  static constexpr int kMaxPixels = 4;
  static constexpr int kGroup = 2;  // outputs that go through the operations side by side
  static constexpr int64_t kQuadsPerByteSum = 15;

  template <int kPixels>
  using Input = SpreadWindow<kPixels, true>;

  // Vectors of channels that are counted at once.
  template <int kPixels>
  static constexpr int kTogether = kPixels <= 2 ? 4 : 2;

  static BNN_INLINE uint8x16_t Eor3(uint8x16_t a, uint8x16_t b, uint8x16_t c) {
    uint8x16_t result;
    __asm__ volatile("eor3 %0.16b, %1.16b, %2.16b, %3.16b" : "=w"(result) : "w"(a), "w"(b), "w"(c));
    return result;
  }
  // mask = mask ? yes : no
  static BNN_INLINE void Choose(uint8x16_t& mask, uint8x16_t yes, uint8x16_t no) {
    __asm__ volatile("bsl %0.16b, %1.16b, %2.16b" : "+w"(mask) : "w"(yes), "w"(no));
  }
  static BNN_INLINE void Subtract(uint8x16_t counts, uint8x16_t& sum) {
    __asm__ volatile("sub %0.16b, %0.16b, %1.16b" : "+w"(sum) : "w"(counts));
  }

  // Where a tile is, and what it has counted.
  template <int kPixels>
  struct Tile {
    static constexpr int kVectors = kTogether<kPixels>;
    static constexpr int kOutputs = kPixels * kVectors;

    const uint8_t* in[kPixels];  // of every pixel
    int64_t offset;              // in bytes
    const uint32_t* weights;     // of the next word
    uint8x16_t w[2][kVectors];   // the weights of two words, loaded ahead
    uint8x16_t ones[kOutputs + kGroup];
    uint8x16_t sums[kOutputs];

    BNN_INLINE uint8x16_t Input(int pixel, int word) const {
      return vld1q_u8(in[pixel] + offset + word * int{sizeof(uint8x16_t)});
    }
    BNN_INLINE void LoadWeights(int vector) {
      BNN_UNROLL for (int word = 0; word < 2; ++word) {
        w[word][vector] = vreinterpretq_u8_u32(vld1q_u32(weights + word * kChannelBlock + vector * Neon::kLanes));
      }
    }
  };

  // Two words of every pixel. kUpright: from ones, behind `kGroup` free places, to ~ones from the first place on, and
  // carries are added; else the way back, and ~carries are subtracted.
  template <int kPixels, bool kUpright>
  static BNN_INLINE void CountPair(Tile<kPixels>& tile) {
    constexpr int kVectors = kTogether<kPixels>;
    constexpr int kGroups = kPixels * kVectors / kGroup;
    CountNeon::Advance(tile.weights, 2 * kChannelBlock);
    uint8x16_t x[2];
    BNN_UNROLL for (int i = 0; i < kGroups; ++i) {
      const int first = (kUpright ? i : kGroups - 1 - i) * kGroup;
      const int pixel = first / kVectors, vector = first % kVectors;
      if (i * kGroup % kVectors == 0) {
        BNN_UNROLL for (int word = 0; word < 2; ++word) x[word] = tile.Input(pixel, word);
      }
      uint8x16_t* const from = tile.ones + first + (kUpright ? kGroup : 0);
      uint8x16_t* const to = tile.ones + first + (kUpright ? 0 : kGroup);
      uint8x16_t carry[kGroup];
      BNN_UNROLL for (int k = 0; k < kGroup; ++k) carry[k] = Eor3(from[k], x[0], tile.w[0][vector + k]);
      BNN_UNROLL for (int k = 0; k < kGroup; ++k) to[k] = Eor3(carry[k], x[1], tile.w[1][vector + k]);
      BNN_UNROLL for (int k = 0; k < kGroup; ++k)
          Choose(carry[k], kUpright ? to[k] : from[k], kUpright ? from[k] : to[k]);
      BNN_UNROLL for (int k = 0; k < kGroup; ++k) carry[k] = CountNeon::Counts(carry[k]);
      BNN_UNROLL for (int k = 0; k < kGroup; ++k) {
        if (kUpright) {
          CountNeon::Add(carry[k], tile.sums[first + k]);
        } else {
          Subtract(carry[k], tile.sums[first + k]);
        }
        if ((i + 1) * kGroup > (kPixels - 1) * kVectors) tile.LoadWeights(vector + k);
      }
    }
    CountNeon::Advance(tile.offset, 2 * sizeof(uint8x16_t));
  }

  // Up to three words that are left.
  template <int kPixels>
  static BNN_INLINE void CountRest(Tile<kPixels>& tile, int64_t words) {
    constexpr int kVectors = kTogether<kPixels>;
    constexpr int kOutputs = kPixels * kVectors;
    if (words >= 2) {
      CountPair<kPixels, true>(tile);
      BNN_UNROLL for (int i = kOutputs - 1; i >= 0; --i) tile.ones[i + kGroup] = vmvnq_u8(tile.ones[i]);
    }
    if (words % 2 == 0) return;
    BNN_UNROLL for (int i = 0; i < kOutputs; ++i) {
      uint8x16_t& ones = tile.ones[i + kGroup];
      const uint8x16_t next = veorq_u8(ones, veorq_u8(tile.Input(i / kVectors, 0), tile.w[0][i % kVectors]));
      tile.sums[i] = vaddq_u8(tile.sums[i], vcntq_u8(vbicq_u8(ones, next)));
      ones = next;
    }
  }

  // halves -= what the 4 bytes of every 32-bit lane have counted: carries twice, and at the end ones.
  template <int kPixels>
  static BNN_INLINE void Widen(const Tile<kPixels>& tile, bool is_last, int first,
                               int32x4_t (&halves)[kPixels][Neon::kVectors]) {
    constexpr int kVectors = kTogether<kPixels>;
    BNN_UNROLL for (int i = 0; i < kPixels * kVectors; ++i) {
      uint16x8_t pairs = vpaddlq_u8(tile.sums[i]);
      pairs = vaddq_u16(pairs, pairs);
      if (is_last) pairs = vpadalq_u8(pairs, vcntq_u8(tile.ones[i + kGroup]));
      int32x4_t& half = halves[i / kVectors][first + i % kVectors];
      half = vsubq_s32(half, vreinterpretq_s32_u32(vpaddlq_u16(pairs)));
    }
  }

  // kTogether vectors of channels from vector `first` of the block on. `in`: the words of the first pixel, in one run.
  template <int kPixels>
  static BNN_NOINLINE void CountVectors(const uint32x4_t* in, int64_t pixel_step, int64_t words,
                                        const uint32_t* weights, int first,
                                        int32x4_t (&halves)[kPixels][Neon::kVectors]) {
    Tile<kPixels> tile;
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) tile.in[p] = reinterpret_cast<const uint8_t*>(in + p * pixel_step);
    tile.offset = 0;
    tile.weights = weights + first * Neon::kLanes;
    BNN_UNROLL for (int v = 0; v < tile.kVectors; ++v) tile.LoadWeights(v);
    BNN_UNROLL for (uint8x16_t& ones : tile.ones) ones = vdupq_n_u8(0);
    for (int64_t left = words / 4;;) {
      int64_t quads = left < kQuadsPerByteSum ? left : kQuadsPerByteSum;
      left -= quads;
      BNN_UNROLL for (uint8x16_t& sum : tile.sums) sum = vdupq_n_u8(static_cast<uint8_t>(8 * quads));
      for (; quads > 0; --quads) {
        CountPair<kPixels, true>(tile);
        CountPair<kPixels, false>(tile);
      }
      if (left == 0) break;
      Widen<kPixels>(tile, false, first, halves);
    }
    CountRest<kPixels>(tile, words % 4);
    Widen<kPixels>(tile, true, first, halves);
  }

  // As CountNeon::Count.
  template <int kPixels>
  static BNN_INLINE void Count(Input<kPixels>& input, const uint32_t* weights, int64_t,
                               int32x4_t (&blocks)[1][kPixels][Neon::kVectors]) {
    input.ForEachPart([&](const typename Input<kPixels>::Walk& walk, int64_t words) BNN_INLINE_LAMBDA {
      for (int first = 0; first < Neon::kVectors; first += kTogether<kPixels>) {
        CountVectors<kPixels>(walk.in, walk.pixel_step, words, weights, first, blocks[0]);
      }
      weights += words * kChannelBlock;
    });
  }
};

}  // namespace
}  // namespace bnn::kernels
