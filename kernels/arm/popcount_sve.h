// The inner loop of binary convolution and of the binary dense layer for SVE, whose vectors have a length of their own
// on every processor: 256 bits and more pay (A64FX has 512). ISA files only.
//
// eor, cnt and an addition to sums of bytes, as in popcount_neon.h, for as many output channels as a vector has 32-bit
// lanes. Nothing here knows how many: predicates end at the 32 channels of a block. Bytes take 31 counts of at most 8;
// then udot adds the 4 bytes of a lane: 3.03 operations a word, pixel and vector. Words of input come to all lanes by
// LD1RW, which costs no operation of the vector pipes (unlike NEON's LD1R, for which kernels/arm/spread_window.h
// exists).
//
// Tile: 4 pixels x 2 vectors. Registers (32): 8 sums of bytes and 8 of words, 2 weights, 4 words of input, temporaries.
// They have names, since vectors of no fixed size stand in no array. LLVM's models: A64FX (2 pipes of 512 bits) 338
// binary MACs a cycle, where the bound is 341 and NEON's is 85; Neoverse V1 (2 pipes of 256 bits, 4 for NEON) 170,
// which is NEON's bound too. Cores with SVE2 by Arm have vectors of 128 bits and run the kernels for NEON.
#pragma once

#include <arm_sve.h>

#include <cstdint>

#include "kernels/arm/vec_neon.h"
#include "kernels/epilogue.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

struct CountSve : PlainCounter {
  using Vector = Neon;
  static constexpr int kMaxPixels = 4;
  static constexpr int64_t kWordsPerByteSum = 31;

  // A word of input of one pixel against a vector of weights.
  static BNN_INLINE void CountBlock(uint32_t x, svuint32_t w, svbool_t all, svuint8_t& sum) {
    sum = svadd_u8_x(all, sum, svcnt_u8_x(all, svreinterpret_u8_u32(sveor_u32_x(all, svdup_n_u32(x), w))));
  }

  static BNN_INLINE void Widen(svuint8_t& sum, svuint32_t& total) {
    total = svdot_n_u32(total, sum, 1);
    sum = svdup_n_u8(0);
  }
  static BNN_INLINE void Finish(svbool_t lanes, svuint32_t total, int32_t* halves) {
    svst1_s32(lanes, halves, svsub_s32_x(lanes, svld1_s32(lanes, halves), svreinterpret_s32_u32(total)));
  }

  // Two vectors of channels from channel `first` of the block on.
  template <int kPixels>
  static BNN_NOINLINE void CountVectors(const TileInput& input, const uint32_t* weights, int64_t first,
                                        int32x4_t (&halves)[kPixels][Neon::kVectors]) {
    const TapWalk& walk = *input.walk;
    const svbool_t all = svptrue_b8();
    const int64_t lanes = svcntw();
    const svbool_t low = svwhilelt_b32_s64(first, kChannelBlock),
                   high = svwhilelt_b32_s64(first + lanes, kChannelBlock);
    svuint32_t t0 = svdup_n_u32(0), t1 = t0, t2 = t0, t3 = t0, t4 = t0, t5 = t0, t6 = t0, t7 = t0;
    svuint8_t s0 = svdup_n_u8(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    weights += first;
    int64_t room = kWordsPerByteSum;
    const uint32_t* row_in = input.in;
    for (int64_t row = walk.rows; row > 0; --row, row_in += walk.row_step) {
      const uint32_t* run = row_in;
      for (int64_t col = walk.cols; col > 0; --col, run += walk.col_step) {
        const uint32_t* p0 = run;
        const uint32_t* p1 = p0 + (kPixels > 1 ? input.pixel_step : 0);
        const uint32_t* p2 = p1 + (kPixels > 2 ? input.pixel_step : 0);
        const uint32_t* p3 = p2 + (kPixels > 3 ? input.pixel_step : 0);
        for (int64_t left = walk.words; left > 0;) {
          int64_t count = left < room ? left : room;
          left -= count;
          room -= count;
          for (int64_t i = 0; i < count; ++i) {
            const svuint32_t w0 = svld1_u32(low, weights), w1 = svld1_u32(high, weights + lanes);
            weights += kChannelBlock;
            CountBlock(p0[i], w0, all, s0);
            CountBlock(p0[i], w1, all, s1);
            if constexpr (kPixels > 1) {
              CountBlock(p1[i], w0, all, s2);
              CountBlock(p1[i], w1, all, s3);
            }
            if constexpr (kPixels > 2) {
              CountBlock(p2[i], w0, all, s4);
              CountBlock(p2[i], w1, all, s5);
            }
            if constexpr (kPixels > 3) {
              CountBlock(p3[i], w0, all, s6);
              CountBlock(p3[i], w1, all, s7);
            }
          }
          p0 += count, p1 += count, p2 += count, p3 += count;
          if (room == 0) {
            Widen(s0, t0), Widen(s1, t1), Widen(s2, t2), Widen(s3, t3);
            Widen(s4, t4), Widen(s5, t5), Widen(s6, t6), Widen(s7, t7);
            room = kWordsPerByteSum;
          }
        }
      }
    }
    Widen(s0, t0), Widen(s1, t1), Widen(s2, t2), Widen(s3, t3);
    Widen(s4, t4), Widen(s5, t5), Widen(s6, t6), Widen(s7, t7);
    int32_t* to = reinterpret_cast<int32_t*>(&halves[0][0]) + first;
    Finish(low, t0, to);
    Finish(high, t1, to + lanes);
    if constexpr (kPixels > 1) Finish(low, t2, to + kChannelBlock), Finish(high, t3, to + kChannelBlock + lanes);
    if constexpr (kPixels > 2)
      Finish(low, t4, to + 2 * kChannelBlock), Finish(high, t5, to + 2 * kChannelBlock + lanes);
    if constexpr (kPixels > 3)
      Finish(low, t6, to + 3 * kChannelBlock), Finish(high, t7, to + 3 * kChannelBlock + lanes);
  }

  // As CountNeon::Count.
  template <int kPixels>
  static BNN_INLINE void Count(Input<kPixels>& input, const uint32_t* weights, int64_t,
                               int32x4_t (&blocks)[1][kPixels][Neon::kVectors]) {
    const int64_t step = 2 * static_cast<int64_t>(svcntw());
    for (int64_t first = 0; first < kChannelBlock; first += step)
      CountVectors<kPixels>(input, weights, first, blocks[0]);
  }
};

}  // namespace
}  // namespace bnn::kernels
