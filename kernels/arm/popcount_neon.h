// The inner loop of binary convolution and of the binary dense layer for NEON, 64-bit and 32-bit ARM. ISA files only.
//
// One block is 32 input bits of one pixel against 4 output channels, 128 MACs: eor, cnt (the popcount of each byte) and
// an addition to 16 sums of bytes. Lanes are output channels. Bytes would be widened to the 32-bit lane in 2 operations
// (uaddlp, uaddlp) and added, but a byte takes 31 counts of at most 8, so that is done once in 31 blocks, the first of
// which need no addition: (3 * 31 - 1 + 3) / 31 = 3.06 operations a block.
//
// Nothing is summed across lanes. A loop whose lanes are input bits (32 bytes of one channel at a time, as published
// kernels do) needs no input in all lanes, but sums across lanes for every output, and pads channels to 128.
//
// Full adders of EOR3 (SHA3 extension) count two blocks in 5 operations instead of 6: popcount_neonsha3.h.
//
// Tile, 64 bit: 4 pixels x 4 vectors of channels = 16 sums; a channel block is two of them, one after the other.
// Registers (32): 16 sums, 4 weights, 4 words of input, 8 temporaries. A word takes 4 + 4 loads for 48 operations.
//    Cortex-A72, A76, Neoverse N1: two vector pipes of 128 bits: 24 cycles; one load (A72) or two a cycle: 8 or 4.
//    Three
//      or four instructions a cycle are decoded, 2.5 are needed.
//    Cortex-A53, A55: one vector operation of 128 bits a cycle, in order, beside a load or an addition of addresses.
//      Eight blocks go through eor, cnt and add side by side, so that no operation waits for the one before; what is
//      loaded for the next word stands between operations that take as long. A tile of 5 pixels, which leaves registers
//      for four blocks side by side only, reached 81 % of the limit of A55, this 89 %.
// Tile, 32 bit: 2 pixels x 4 vectors = 8 sums of 16 registers, beside 4 weights, a word of input and 3 temporaries.
//
// Binary MACs a cycle at best: 128 / 3 a pipe. bench/arm_mca.py shows what LLVM's models of these cores make of it.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "kernels/arm/spread_window.h"
#include "kernels/arm/vec_neon.h"
#include "kernels/epilogue.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

#if defined(__aarch64__)
#define BNN_NEON_OP(aarch64, armv7) aarch64
#else
#define BNN_NEON_OP(aarch64, armv7) armv7
#endif

// The weights of the next word are loaded while a word is counted.
static_assert(kReadAheadWords >= kChannelBlock);

struct CountNeon : PlainCounter {
  using Vector = Neon;
#if defined(__aarch64__)
  static constexpr int kMaxPixels = 4;
  static constexpr int kGroup = 8;  // blocks that go through the three operations side by side
#else
  static constexpr int kMaxPixels = 2;
  static constexpr int kGroup = 4;
#endif

  static constexpr int64_t kWordsPerByteSum = 31;

  template <int kPixels>
  using Input = SpreadWindow<kPixels>;

  // Vectors of channels that are counted at once: half a block, for a single pixel as many as are in a group.
  template <int kPixels>
  static constexpr int kTogether = kPixels == 1 ? kGroup : 4;

  // The three operations. Volatile assembly stays in the order in which it is written: compilers that move instructions
  // do not keep 30 values in registers here, and cores that execute in order would wait.
  static BNN_INLINE uint8x16_t Differences(uint32x4_t x, uint32x4_t w) {
    uint8x16_t result;
    __asm__ volatile(BNN_NEON_OP("eor %0.16b, %1.16b, %2.16b", "veor %q0, %q1, %q2") : "=w"(result) : "w"(x), "w"(w));
    return result;
  }
  static BNN_INLINE uint8x16_t Counts(uint8x16_t bits) {
    uint8x16_t result;
    __asm__ volatile(BNN_NEON_OP("cnt %0.16b, %1.16b", "vcnt.8 %q0, %q1") : "=w"(result) : "w"(bits));
    return result;
  }
  static BNN_INLINE void Add(uint8x16_t counts, uint8x16_t& sum) {
    __asm__ volatile(BNN_NEON_OP("add %0.16b, %0.16b, %1.16b", "vadd.i8 %q0, %q0, %q1") : "+w"(sum) : "w"(counts));
  }

  // An addition that compilers leave where it stands, amid the vector operations beside which it costs nothing.
  template <class T>
  static BNN_INLINE void Advance(T& place, int64_t step) {
    place += step;
    __asm__ volatile("" : "+r"(place));
  }

  // Where a run is.
  template <int kPixels>
  struct Place {
    const uint8_t* in[kPixels];  // of every pixel
    int64_t offset;              // in bytes
    int64_t left;                // words to count before a test
    const uint32_t* weights;

    BNN_INLINE uint32x4_t Load(int pixel) const { return vreinterpretq_u32_u8(vld1q_u8(in[pixel] + offset)); }
  };

  // One word of input of every pixel. `x`, the input, and `w`, the weights, are there already; they are replaced by
  // what comes next as soon as they are used. kFirst: the sums are empty.
  template <int kPixels, bool kFirst>
  static BNN_INLINE void CountWord(Place<kPixels>& at, uint32x4_t (&x)[kPixels], uint32x4_t (&w)[kTogether<kPixels>],
                                   uint8x16_t (&sums)[kPixels][kTogether<kPixels>]) {
    constexpr int kVectors = kTogether<kPixels>;
    constexpr int kAtOnce = kGroup / kVectors;  // pixels
    BNN_UNROLL for (int first = 0; first < kPixels; first += kAtOnce) {
      const int pixels = kPixels - first < kAtOnce ? kPixels - first : kAtOnce;
      const int blocks = pixels * kVectors;
      const bool is_last = first + pixels == kPixels;
      uint8x16_t bits[kGroup];
      if (first == 0) Advance(at.offset, sizeof(uint32x4_t));
      if (is_last) Advance(at.weights, kChannelBlock);
      BNN_UNROLL for (int i = 0; i < blocks; ++i) bits[i] = Differences(x[first + i / kVectors], w[i % kVectors]);
      BNN_UNROLL for (int i = 0; i < blocks; ++i) {
        bits[i] = Counts(bits[i]);
        if (i < pixels) x[first + i] = at.Load(first + i);
      }
      BNN_UNROLL for (int i = 0; i < blocks; ++i) {
        uint8x16_t& sum = sums[first + i / kVectors][i % kVectors];
        if (kFirst) {
          sum = bits[i];
        } else {
          Add(bits[i], sum);
        }
        if (is_last && i < kVectors) w[i] = vld1q_u32(at.weights + Neon::kLanes * i);
        if (is_last && i == 0) Advance(at.left, -1);
      }
    }
  }

  // halves -= the sums of the 4 bytes of every 32-bit lane.
  template <int kPixels, int kVectors>
  static BNN_INLINE void Widen(const uint8x16_t (&sums)[kPixels][kVectors], int first,
                               int32x4_t (&halves)[kPixels][Neon::kVectors]) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      uint16x8_t pairs[kVectors];
      uint32x4_t differences[kVectors];
      BNN_UNROLL for (int v = 0; v < kVectors; ++v) pairs[v] = vpaddlq_u8(sums[p][v]);
      BNN_UNROLL for (int v = 0; v < kVectors; ++v) differences[v] = vpaddlq_u16(pairs[v]);
      BNN_UNROLL for (int v = 0; v < kVectors; ++v) {
        int32x4_t& half = halves[p][first + v];
        half = vsubq_s32(half, vreinterpretq_s32_u32(differences[v]));
      }
    }
  }

  // kVectors vectors of channels from vector `first` of the block on.
  template <int kPixels>
  static BNN_NOINLINE void CountVectors(const typename SpreadWindow<kPixels>::Walk& walk, const uint32_t* weights,
                                        int first, int32x4_t (&halves)[kPixels][Neon::kVectors]) {
    constexpr int kVectors = kTogether<kPixels>;
    Place<kPixels> at;
    at.weights = weights + first * Neon::kLanes;
    uint32x4_t x[kPixels], w[kVectors];
    BNN_UNROLL for (int v = 0; v < kVectors; ++v) w[v] = vld1q_u32(at.weights + Neon::kLanes * v);
    uint8x16_t sums[kPixels][kVectors];
    int64_t room = kWordsPerByteSum;
    const uint32x4_t* row_in = walk.in;
    for (int64_t row = walk.taps.rows; row > 0; --row, row_in += walk.taps.row_step) {
      const uint32x4_t* run = row_in;
      for (int64_t col = walk.taps.cols; col > 0; --col, run += walk.taps.col_step) {
        BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
          at.in[p] = reinterpret_cast<const uint8_t*>(run + p * walk.pixel_step);
        }
        at.offset = 0;
        BNN_UNROLL for (int p = 0; p < kPixels; ++p) x[p] = at.Load(p);
        for (int64_t left = walk.taps.words; left > 0;) {
          at.left = left < room ? left : room;
          left -= at.left;
          const bool is_first = room == kWordsPerByteSum;
          room -= at.left;
          if (is_first) CountWord<kPixels, true>(at, x, w, sums);
          while (at.left != 0) CountWord<kPixels, false>(at, x, w, sums);
          if (room == 0) {
            Widen<kPixels, kVectors>(sums, first, halves);
            room = kWordsPerByteSum;
          }
        }
      }
    }
    if (room < kWordsPerByteSum) Widen<kPixels, kVectors>(sums, first, halves);
  }

  // halves[p][v] -= the number of differing bits between the window of pixel p and the weights of the block, channels
  // 4 * v + (0 to 3).
  template <int kPixels>
  static BNN_INLINE void Count(SpreadWindow<kPixels>& input, const uint32_t* weights, int64_t,
                               int32x4_t (&blocks)[1][kPixels][Neon::kVectors]) {
    input.ForEachPart([&](const typename SpreadWindow<kPixels>::Walk& walk, int64_t words) BNN_INLINE_LAMBDA {
      for (int first = 0; first < Neon::kVectors; first += kTogether<kPixels>) {
        CountVectors<kPixels>(walk, weights, first, blocks[0]);
      }
      weights += words * kChannelBlock;
    });
  }
};

}  // namespace
}  // namespace bnn::kernels
