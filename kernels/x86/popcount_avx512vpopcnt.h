// The inner loop of binary convolution and of the binary dense layer for AVX-512 VPOPCNTDQ. ISA files only.
//
// One block is 32 input bits of one pixel against 16 output channels: xor, vpopcntd, vpsubd on one register. Lanes are
// output channels, so a lane's sum is one output's popcount and nothing is ever summed across lanes.
//
// Tile: 7 pixels x 32 output channels = 14 sums. Per input word the tile takes 2 loads of weights, each used for 7
// pixels, and 7 broadcasts of an activation word, each used for 2 vectors of channels: 9 loads for 14 blocks = 42
// vector operations. A core with two 512-bit pipes needs 21 cycles for the operations, one with four at least 10.5, and
// either loads 2 vectors a cycle: the loads vanish behind the arithmetic. Fewer pixels would load more per block; 7
// divides the widths 7, 14, 28, 56 and 112 that networks have.
//
// Order: taps outside, words inside, the tile innermost. Sums never leave registers, weights are read straight through.
// Within a word the blocks pass in a pipeline: XOR of one, popcount of an earlier one, subtraction of a still earlier
// one. It is not latency that this hides, a core looks much further ahead. But popcounts have two of Zen 4's four
// pipes, and where the three operations of a block follow each other, its schedulers can settle in a state in which
// XORs and subtractions hold up popcounts. In a loop of nothing else they do not; behind the finish of a tile they
// often do, and stay there to the end of the window: 21.8 cycles a word instead of 21.0. With the pipeline they do not.
// (Cycles a tile, one after the other and in a pipeline: 3x3 over 128 channels, floats, 798 and 779; over 64 channels,
// bits, 413 and 396. Its lengths matter little: 1 and 3, 2 and 3, 2 and 5, 3 and 4 are within a percent.)
//
// Carry-save counters
//   Two blocks of the same sum cost 6 operations. With a bit vector `ones` beside the sum they cost 5: a full adder
//   adds both differences d0 = x0 ^ w0 and d1 = x1 ^ w1 to `ones`, and only its carries, which weigh 2, are counted:
//
//     t = ones ^ x0 ^ w0        ones' = t ^ x1 ^ w1        carry = t ? ~ones' : ones        sum -= popcount(carry)
//
//   Each of the first three is one vpternlogd. (The carry of three bits is `ones` where the xor t of two of them, ones
//   and d0, is 0, because then both are the carry; where t is 1 the carry is d1, the inverse of the sum bit.)
//   An instruction with three sources is not as cheap as it counts: on Zen 5, where plain blocks run at 4 operations a
//   cycle, 14 saving sums are slower than none (2,770 against 3,060 GMAC/s on registers), 5 of 14 are the best mixture
//   (3,230) because popcounts run on two of the four pipes only. On cores with two pipes and one popcount port (Ice
//   Lake) more should pay: kSavingSums is the number to try.
//   Zen 4 has pipes of 256 bits, each of which takes two cycles for an operation of 512. (Popcounts, products of floats
//   and comparisons into mask registers have two of the four, conversions, sums and maxima of floats the other two,
//   integers and logic all.) Plain blocks keep all four busy (1.50 cycles a block); vpternlogd alone takes 0.57 cycles
//   instead of 0.50, and mixtures 1.49 to 1.65, in whatever order they are written. Exactly 4 saving sums of 14, in a
//   pipeline, take 1.43 in a loop of nothing else, but 1.52 to 1.59 between the finishes of tiles. Sums of carries
//   start from 0; at the end sum = start + 2 * sum - popcount(ones): 4 operations a saving sum, which windows of fewer
//   than kMinSavingWords words do not earn back.
//
// Two kernels of this code, then: with kCarrySaving ("_csa"), which Zen 4 refuses, and without, for Zen 4.
//
// Registers (32): 14 sums, 5 ones, 4 weights, 2 broadcast words, 2 for the pair and 2 temporaries = 29.
#pragma once

#include <cstdint>

#include "kernels/simd/balance.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"
#include "kernels/x86/vec_avx512.h"
#include "kernels/x86/words_avx512vpopcnt.h"

namespace bnn::kernels {
namespace {

inline constexpr Tuning kCarrySaving = {/*saves_carries=*/true, /*prefetches_weights=*/true};

struct CountAvx512Vpopcnt : PlainCounter, WordsAvx512Vpopcnt {
  using Vector = Avx512;
  static constexpr int kMaxPixels = 7;

  static constexpr int kSums = 2 * kMaxPixels;
  static constexpr int kSavingSums = 5;
  static constexpr int64_t kMinSavingWords = 12;
  static constexpr int64_t kMaxPlainWords = 20;  // of windows that could save carries, but had better not

  // The sums of a tile that save carries, spread evenly over it.
  static constexpr bool SavesCarries(int pixel, int vector) {
    return (2 * pixel + vector) * kSavingSums % kSums < kSavingSums;
  }

  template <int kPixels>
  static BNN_INLINE void ToSums(const __m512i (&halves)[kPixels][2], Sum (&sums)[kPixels][2]) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) sums[p][v] = reinterpret_cast<Sum>(halves[p][v]);
    }
  }
  template <int kPixels>
  static BNN_INLINE void ToHalves(const Sum (&sums)[kPixels][2], __m512i (&halves)[kPixels][2]) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) halves[p][v] = reinterpret_cast<__m512i>(sums[p][v]);
    }
  }

  // One block: sum -= popcount(x ^ weights) in every lane.
  static BNN_INLINE void SubtractDifferences(__m512i x, __m512i weights, Sum& sum) {
    sum -= Popcount(Difference(x, weights));
  }

  // Two blocks into the carry-save counter (ones, sum). In assembly, because order matters: gcc 12 spreads the chain
  // over the loop's other instructions and loses 4 % of the whole kernel, clang 14 writes just this.
  static BNN_INLINE void SavePair(__m512i x0, __m512i weights0, __m512i x1, __m512i weights1, Sum& ones, Sum& sum) {
    Sum carry, t;
    __asm__(
        "vmovdqa64 %[ones], %[carry]\n\t"
        "vpternlogd $0x96, %[weights0], %[x0], %[ones]\n\t"
        "vmovdqa64 %[ones], %[t]\n\t"
        "vpternlogd $0x96, %[weights1], %[x1], %[ones]\n\t"
        "vpternlogd $0x74, %[ones], %[t], %[carry]\n\t"
        "vpopcntd %[carry], %[carry]\n\t"
        "vpsubd %[carry], %[sum], %[sum]"
        : [ones] "+v"(ones), [sum] "+v"(sum), [carry] "=&v"(carry), [t] "=&v"(t)
        : [x0] "v"(x0), [weights0] "v"(weights0), [x1] "v"(x1), [weights1] "v"(weights1));
  }

  // One block into a carry-save counter, where a run has an odd number of words.
  static BNN_INLINE void SaveOne(__m512i x, __m512i weights, Sum& ones, Sum& sum) {
    const Sum difference = Difference(x, weights);
    sum -= Popcount(ones & difference);
    ones ^= difference;
  }

  // Calls count(pixels, weights) for every run of the walk, with the run's first word of each pixel.
  template <int kPixels, class Function>
  static BNN_INLINE void ForEachRun(const TapWalk& walk, const uint32_t* in, int64_t pixel_step,
                                    const uint32_t* weights, const Function& count) {
    int64_t row = walk.rows;
    do {
      int64_t col = walk.cols;
      const uint32_t* run = in;
      do {
        const uint32_t* pixels[kPixels];
        BNN_UNROLL for (int p = 0; p < kPixels; ++p) pixels[p] = run + p * pixel_step;
        count(pixels, weights);
        weights += walk.words * 32;
        run += walk.col_step;
      } while (--col > 0);
      in += walk.row_step;
    } while (--row > 0);
  }

  // A single pixel, as in a dense layer of batch 1, uses a weight once: reading them is the limit. On Zen 5 the
  // hardware's prefetcher alone leaves a tenth of the bandwidth of L2 and L3 unused, on Zen 4 it reads L3 a fifth
  // faster without help. A kilobyte ahead is 8 words.
  static constexpr int64_t kWeightsAhead = 256;
  static BNN_INLINE void PrefetchWeights(const uint32_t* weights) {
    __builtin_prefetch(weights);
    __builtin_prefetch(weights + 16);
  }

  // kBlocks blocks in a pipeline: difference(i) is computed first, counted behind, and taken by take(i, count) still
  // further behind.
  template <int kBlocks, class Difference, class Take>
  static BNN_INLINE void CountInPipeline(const Difference& difference, const Take& take) {
#if defined(__SANITIZE_ADDRESS__)  // g++ 12 takes minutes for the pipeline where each access to memory is checked
    BNN_UNROLL for (int i = 0; i < kBlocks; ++i) take(i, Popcount(difference(i)));
#else
    constexpr int kCountBehind = 2;
    constexpr int kTakeBehind = 4;
    Sum blocks[kBlocks];
    BNN_UNROLL for (int i = 0; i < kBlocks + kTakeBehind; ++i) {
      if (const int b = i - kTakeBehind; b >= 0) take(b, blocks[b]);
      if (const int b = i - kCountBehind; b >= 0 && b < kBlocks) {
        blocks[b] = Popcount(blocks[b]);
        Keep(blocks[b]);
      }
      if (i < kBlocks) {
        blocks[i] = difference(i);
        Keep(blocks[i]);
      }
    }
#endif
  }

  // In what follows `weights` are those of the word (of the first of two). counted(p) is called when pixel p is.
  template <int kPixels, class Counted>
  static BNN_INLINE void CountPlainWord(const uint32_t* const (&pixels)[kPixels], int64_t word, const uint32_t* weights,
                                        Sum (&sums)[kPixels][2], const Counted& counted) {
    const __m512i of_word[2] = {_mm512_load_si512(weights), _mm512_load_si512(weights + 16)};
    __m512i x;
    CountInPipeline<2 * kPixels>(
        [&](int i) BNN_INLINE_LAMBDA {
          if (i % 2 == 0) x = Broadcast(pixels[i / 2][word]);
          return Difference(x, of_word[i % 2]);
        },
        [&](int i, Sum count) BNN_INLINE_LAMBDA {
          Sum& sum = sums[i / 2][i % 2];
          sum -= count;
          Keep(sum);
          if (i % 2 == 1) counted(i / 2);
        });
  }

  template <int kPixels>
  static BNN_INLINE void CountPlainWord(const uint32_t* const (&pixels)[kPixels], int64_t word, const uint32_t* weights,
                                        Sum (&sums)[kPixels][2]) {
    CountPlainWord<kPixels>(pixels, word, weights, sums, [](int) BNN_INLINE_LAMBDA {});
  }

  // Words `word` and `word` + 1.
  template <int kPixels>
  static BNN_INLINE void CountPair(const uint32_t* const (&pixels)[kPixels], int64_t word, const uint32_t* weights,
                                   Sum (&ones)[kPixels][2], Sum (&sums)[kPixels][2]) {
    const __m512i weights0[2] = {_mm512_load_si512(weights), _mm512_load_si512(weights + 16)};
    const __m512i weights1[2] = {_mm512_load_si512(weights + 32), _mm512_load_si512(weights + 48)};
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      const __m512i x0 = Broadcast(pixels[p][word]);
      const __m512i x1 = Broadcast(pixels[p][word + 1]);
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        if (SavesCarries(p, v)) {
          SavePair(x0, weights0[v], x1, weights1[v], ones[p][v], sums[p][v]);
        } else {
          SubtractDifferences(x0, weights0[v], sums[p][v]);
          SubtractDifferences(x1, weights1[v], sums[p][v]);
        }
      }
    }
  }

  template <int kPixels>
  static BNN_INLINE void CountLast(const uint32_t* const (&pixels)[kPixels], int64_t word, const uint32_t* weights,
                                   Sum (&ones)[kPixels][2], Sum (&sums)[kPixels][2]) {
    const __m512i last[2] = {_mm512_load_si512(weights), _mm512_load_si512(weights + 16)};
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      const __m512i x = Broadcast(pixels[p][word]);
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        if (SavesCarries(p, v)) {
          SaveOne(x, last[v], ones[p][v], sums[p][v]);
        } else {
          SubtractDifferences(x, last[v], sums[p][v]);
        }
      }
    }
  }

  // A line of `ahead` is prefetched for every pair of words, which is four lines of weights.
  template <int kPixels>
  static BNN_INLINE void CountSaving(const TapWalk& walk, const uint32_t* in, int64_t pixel_step,
                                     const uint32_t* weights, const uint32_t* ahead, Sum (&sums)[kPixels][2]) {
    Sum ones[kPixels][2], start[kPixels][2];
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        if (!SavesCarries(p, v)) continue;
        start[p][v] = sums[p][v];
        ones[p][v] = Sum{};
        sums[p][v] = Sum{};
      }
    }
    ForEachRun<kPixels>(walk, in, pixel_step, weights,
                        [&](const uint32_t* const(&pixels)[kPixels], const uint32_t* run_weights) BNN_INLINE_LAMBDA {
                          int64_t word = 0;
                          for (; word + 1 < walk.words; word += 2) {
                            __builtin_prefetch(ahead);
                            ahead += 16;
                            CountPair<kPixels>(pixels, word, run_weights + word * 32, ones, sums);
                          }
                          if (word < walk.words) {
                            CountLast<kPixels>(pixels, word, run_weights + word * 32, ones, sums);
                          }
                        });
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        if (SavesCarries(p, v)) sums[p][v] = (start[p][v] - Popcount(ones[p][v])) + (sums[p][v] + sums[p][v]);
      }
    }
  }

  static BNN_INLINE bool HasPipelineOf(const TapWalk& walk) {
    const int64_t words = walk.TotalWords();
    return words > 1 && (words <= kMaxPlainWords || !walk.tuning.saves_carries);
  }

  // A pixel is finished while the pixels behind it have their last words counted, three pixels later: stores are spread
  // over them, and the finish, a chain of operations half of which have only two of the four pipes, is not all that
  // there is to work on. (Zen 4, cycles a tile of 1x1 over 256 channels, floats and bits leave: 216 a pixel later, 213
  // three later.) start() is called when only the last words are left: what it loads would be spilled and read again in
  // front of the window (219). The rows of the window are one loop, which steps to the next row without a branch: loops
  // of a few words, one a row, cost more.
  // Blocks are plain, also for windows that could save carries, which earn nothing in short ones: on Zen 5 1x1 over 256
  // channels takes 99 cycles a tile, counted as longer windows are 105, over 512 channels 187 and 194, 3x3 over 64
  // channels 212 and 220 (with a residual in place 233 and 248; saving carries in this loop 209 and 235).
  template <bool kRows, int kPixels, class Start, class Finish>
  static BNN_INLINE void CountAndFinish(const TileInput& input, const uint32_t* weights, const TileBase& base,
                                        bool same_base, const Start& start, const Finish& finish) {
    const TapWalk& walk = *input.walk;
    const uint32_t* pixels[kPixels];
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) pixels[p] = input.in + p * input.pixel_step;
    // A fourth of a block is 8 words for each word of the window. Where there is nothing to prefetch it is what is
    // read.
    const uint32_t* ahead = weights + input.ahead;
    int64_t word = 0;
    const int64_t to_next_row = walk.row_step - walk.words;
    int64_t left_in_row = walk.words;
    const auto next_word = [&]() BNN_INLINE_LAMBDA {
      __builtin_prefetch(ahead);
      ahead += 8;
      weights += 32;
      ++word;
      if constexpr (kRows) {
        --left_in_row;
        const int64_t is_end = -static_cast<int64_t>(left_in_row == 0);
        word += to_next_row & is_end;
        left_in_row += walk.words & is_end;
      }
    };
    // All pixels start from one vector, and the first word stands in front of the loop, so that none needs a copy of
    // it. At the border of an image that is 0; within an image without borders it costs but a load.
    __m512i constants[2] = {};
    if (base.col_class == nullptr) {
      constants[0] = constants[1] = Avx512::SplatInt(base.half);
    } else if (same_base) {
      LoadHalf<Avx512>(base.Of(0), constants);
    }
    Sum sums[kPixels][2];
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) sums[p][v] = reinterpret_cast<Sum>(constants[v]);
    }
    CountPlainWord<kPixels>(pixels, word, weights, sums);
    next_word();
    for (int64_t left = walk.TotalWords() - 2; left > 0; --left) {
      CountPlainWord<kPixels>(pixels, word, weights, sums);
      next_word();
    }
    if (!same_base) {
      __m512i halves[kPixels][2];
      ToHalves<kPixels>(sums, halves);
      AddHalves<Avx512, kPixels>(base, halves);
      ToSums<kPixels>(halves, sums);
    }
    start();
    const auto finish_pixel = [&](int p) BNN_INLINE_LAMBDA {
      const __m512i half[2] = {reinterpret_cast<__m512i>(sums[p][0]), reinterpret_cast<__m512i>(sums[p][1])};
      finish(half);
    };
    constexpr int kBehind = 3;
    static_assert(kPixels >= kBehind);
    CountPlainWord<kPixels>(pixels, word, weights, sums, [&](int p) BNN_INLINE_LAMBDA {
      if (p >= kBehind) finish_pixel(p - kBehind);
    });
    BNN_UNROLL for (int p = kPixels - kBehind; p < kPixels; ++p) finish_pixel(p);
  }

  template <int kWords>
  struct Held {
    __m512i weights[kWords][2];

    BNN_INLINE Held(const uint32_t* from, const Balance& balance) {
      PrefetchWeights(from + kWeightsAhead);
      BNN_UNROLL for (int k = 0; k < kWords; ++k) {
        const __m512i inverted = Broadcast(balance.inverted[k]);
        BNN_UNROLL for (int v = 0; v < 2; ++v) {
          weights[k][v] = _mm512_xor_si512(_mm512_load_si512(from + k * 32 + v * 16), inverted);
        }
      }
    }
  };

  template <int kWords>
  static BNN_INLINE void CountHeld(const uint32_t* in, const Held<kWords>& held, __m512i (&balanced)[2]) {
    Sum sums[2];
    __m512i x;
    CountInPipeline<2 * kWords>(
        [&](int i) BNN_INLINE_LAMBDA {
          if (i % 2 == 0) x = Broadcast(in[i / 2]);
          return Difference(x, held.weights[i / 2][i % 2]);
        },
        [&](int i, Sum count) BNN_INLINE_LAMBDA {
          Sum& sum = sums[i % 2];
          if (i < 2) {
            sum = count;
          } else if (i / 2 < AddedWords(kWords)) {
            sum += count;
          } else {
            sum -= count;
          }
          Keep(sum);
        });
    BNN_UNROLL for (int v = 0; v < 2; ++v) balanced[v] = reinterpret_cast<__m512i>(sums[v]);
  }

  // The same in 16 bits: a pack makes one vector of both, and since it works in quarters of vectors, the weights take
  // turns in quarters, so that channels come out in order.
  template <int kWords>
  struct HeldShorts : Held<kWords> {
    BNN_INLINE HeldShorts(const uint32_t* from, const Balance& balance) : Held<kWords>(from, balance) {
      BNN_UNROLL for (int k = 0; k < kWords; ++k) {
        const __m512i lo = this->weights[k][0], hi = this->weights[k][1];
        this->weights[k][0] = _mm512_maskz_shuffle_i64x2(0xFF, lo, hi, 0x88);
        this->weights[k][1] = _mm512_maskz_shuffle_i64x2(0xFF, lo, hi, 0xDD);
      }
    }
  };

  template <int kWords>
  static BNN_INLINE void CountHeldShorts(const uint32_t* in, const HeldShorts<kWords>& held, __m512i (&balanced)[1]) {
    __m512i wide[2];
    CountHeld<kWords>(in, held, wide);
    balanced[0] = _mm512_packs_epi32(wide[0], wide[1]);
  }

  // kPrefetch: as above, a word being two lines of weights; for a single pixel its own weights are prefetched.
  template <int kPixels, bool kPrefetch>
  static BNN_INLINE void CountPlain(const TapWalk& walk, const uint32_t* in, int64_t pixel_step,
                                    const uint32_t* weights, const uint32_t* ahead, Sum (&sums)[kPixels][2]) {
    ForEachRun<kPixels>(walk, in, pixel_step, weights,
                        [&](const uint32_t* const(&pixels)[kPixels], const uint32_t* run_weights) BNN_INLINE_LAMBDA {
                          int64_t word = 0;
                          do {
                            if constexpr (kPrefetch && kPixels == 1) {
                              PrefetchWeights(run_weights + word * 32 + kWeightsAhead);
                            } else if constexpr (kPrefetch) {
                              __builtin_prefetch(ahead);
                              ahead += 8;
                            }
                            CountPlainWord<kPixels>(pixels, word, run_weights + word * 32, sums);
                          } while (++word < walk.words);
                        });
  }

  // halves[p][v] -= the number of differing bits between the window of pixel p and the weights of the block, channels
  // 16 * v + (0 to 15).
  template <int kPixels>
  static BNN_INLINE void Count(const Input<kPixels>& input, const uint32_t* weights, int64_t,
                               __m512i (&blocks)[1][kPixels][2]) {
    __m512i(&halves)[kPixels][2] = blocks[0];
    const TapWalk& walk = *input.walk;
    const uint32_t* const in = input.in;
    const int64_t pixel_step = input.pixel_step;
    Sum sums[kPixels][2];
    ToSums<kPixels>(halves, sums);
    const uint32_t* const ahead = weights + input.ahead;
    if (kPixels > 1 && walk.tuning.saves_carries && walk.TotalWords() >= kMinSavingWords) {
      CountSaving<kPixels>(walk, in, pixel_step, weights, ahead, sums);
    } else if (kPixels > 1 || walk.tuning.prefetches_weights) {
      CountPlain<kPixels, true>(walk, in, pixel_step, weights, ahead, sums);
    } else if constexpr (kPixels == 1) {
      CountPlain<kPixels, false>(walk, in, pixel_step, weights, ahead, sums);
    }
    ToHalves<kPixels>(sums, halves);
  }
};

}  // namespace
}  // namespace bnn::kernels
