// The inner loop of the binary dense layer for AVX-512 without VPOPCNTDQ and few rows. ISA files only.
//
// Few rows use every weight once or twice, so the size of the weights counts, and the tables of nibble_counter.h have
// too few pixels to share an index. This loop reads the blocked order as it is.
//
// Without a popcount, counting every product a ^ w by table lookups costs 8 operations. Instead, products are added bit
// by bit: each of the 32 bits of a lane has a binary counter of its own, whose digits (ones, twos, fours, eights) are
// vectors. A full adder (Harley and Seal's carry-save adder) puts two vectors of one weight into the digit of that
// weight and returns a vector of carries of twice the weight; vpternlog does it in two operations, one for the sum and
// one for the carry. 16 products leave one vector of weight 16, and only that is counted by lookups:
//
//   16 products: xor                                                                              16 operations
//   8 + 4 + 2 + 1 full adders (ones, twos, fours, eights)                                         30
//   popcounts of the bytes: and, shuffle; shift, and, shuffle; add; add to the byte sums           7
//
// 53 operations for 16 blocks of 512 bits, 3.3 a block. (A tree of 8 takes 3.6. One of 32 takes 3.2, with a fifth digit
// to count in the end.) The end of a window costs about 33 operations: the digits are counted with tables that hold
// multiples of 1, 2, 4 and 8, and bytes are widened to lanes.
//
// Windows are rarely multiples of 16 words. The remainder comes first, 1, 2, 4 and 8 words by the binary digits of its
// length: after one word the twos are still 0, so the carry of two words *is* the new twos, and so on. No carry ever
// ripples, a remainder costs what its words cost, and the loop over 16 words needs no end.
//
// Ports
//   The first adder could take the products in: t = ones ^ a1 ^ w1, ones' = t ^ a2 ^ w2, carry = t ? ~ones' : ones are
//   3 operations for two blocks instead of 4, 45 in all. But the ones then pass through two vpternlogs a word instead
//   of one, and on Zen 5, where a vpternlog takes 3 cycles from its second and third operand, and only 2 a cycle start
//   when these come from other vpternlogs, that ran at 1.5 cycles a block instead of 1.1. Here every sum is the first
//   operand of its adder, the products come from xors (4 a cycle), and vpternlog is the limit. Skylake-X has two ports
//   for all of it: 1.66 cycles a block, the shuffles (port 5 only) hidden. Both operations of an adder overwrite an
//   operand that is not read again: nothing is copied.
//
// Tile: 2 pixels x 32 channels (1 x 32 for a single pixel). 4 blocks a word take 2 loads of weights and 2 broadcasts:
// 1 load a block, where 2 a cycle are possible. Registers (32): 16 digits, 4 byte sums, up to 8 waiting carries, and
// temporaries; the few that spill are digits that one tree touches once. 2 x 2 counters are enough to hide latencies
// (3 x 2 spill, 4 x 1 walk the window twice).
#pragma once

#include <cstdint>

#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"
#include "kernels/x86/vec_avx512.h"

namespace bnn::kernels {
namespace {

// Reads the words of a walk from beginning to end in steps of kStep neighbouring words. kStep divides the length of a
// run, so no step crosses its end.
template <int kStep>
class WordCursor {
 public:
  BNN_INLINE WordCursor(const TapWalk& walk, const uint32_t* in)
      : walk_(walk), row_(in), run_(in), next_(in), cols_(walk.cols), left_(walk.words) {}

  // Where the next `words` words lie, a pointer a step. Pointers go through memory so that the arithmetic on the words
  // is straight code: a branch at every word would keep compilers from ordering it.
  BNN_INLINE void Take(int words, const uint32_t** steps) {
    for (int i = 0; i < words / kStep; ++i) {
      steps[i] = next_;
      next_ += kStep;
      left_ -= kStep;
      if (left_ == 0) [[unlikely]] {
        NextRun();
      }
    }
  }

 private:
  BNN_INLINE void NextRun() {
    run_ += walk_.col_step;
    if (--cols_ == 0) {
      cols_ = walk_.cols;
      row_ += walk_.row_step;
      run_ = row_;
    }
    next_ = run_;
    left_ = walk_.words;
  }

  const TapWalk walk_;
  const uint32_t* row_;   // the first run of the row
  const uint32_t* run_;   // the run
  const uint32_t* next_;  // the next word
  int64_t cols_;          // runs left in the row, this one included
  int64_t left_;          // words left in the run
};

// The counters of kPixels pixels x 32 channels. `steps` name the words of the first pixel, `weights` those of the
// block.
template <int kPixels, int kStep>
class CarrySaveTile {
 public:
  using Tile = __m512i[kPixels][2];

  // Byte sums hold 31 trees, each of which adds at most 8 to a byte.
  static constexpr int64_t kMaxWords = 31 * 16;

  BNN_INLINE CarrySaveTile() {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        ones_[p][v] = twos_[p][v] = fours_[p][v] = eights_[p][v] = sixteens_[p][v] = _mm512_setzero_si512();
      }
    }
  }

  // Adds `words` words, at most kMaxWords, to a new tile.
  BNN_INLINE void Add(int64_t words, WordCursor<kStep>& cursor, int64_t pixel_step, const uint32_t* weights) {
    const uint32_t* steps[16 / kStep];
    if (kStep == 1 && (words & 1) != 0) {
      cursor.Take(1, steps);
      AddOne(steps, pixel_step, weights);
      weights += 32;
    }
    if (kStep == 1 && (words & 2) != 0) {
      cursor.Take(2, steps);
      AddTwo(steps, pixel_step, weights, twos_);
      weights += 2 * 32;
    }
    if ((words & 4) != 0) {
      cursor.Take(4, steps);
      AddFour(steps, pixel_step, weights, fours_);
      weights += 4 * 32;
    }
    if ((words & 8) != 0) {
      cursor.Take(8, steps);
      AddEight(steps, pixel_step, weights, eights_);
      weights += 8 * 32;
    }
    for (int64_t trees = words / 16; trees > 0; --trees) {
      cursor.Take(16, steps);
      AddTree(steps, pixel_step, weights);
      weights += 16 * 32;
    }
  }

  // Subtracts what was counted from `halves`. `words` as given to Add: digits that are 0 are left out.
  BNN_INLINE void SubtractFrom(int64_t words, Tile& halves) const {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        // At most 8 * (1 + 2 + 4 + 8) = 120 a byte.
        __m512i bytes = BytePopcounts<1>(ones_[p][v]);
        if (words >= 2) bytes = _mm512_add_epi8(bytes, BytePopcounts<2>(twos_[p][v]));
        if (words >= 4) {
          bytes = _mm512_add_epi8(bytes, BytePopcounts<4>(fours_[p][v]));
          bytes = _mm512_add_epi8(bytes, BytePopcounts<8>(eights_[p][v]));
        }
        // Pairs of bytes are at most 2 * (120 + 16 * 248).
        __m512i pairs = _mm512_maddubs_epi16(bytes, _mm512_set1_epi8(1));
        if (words >= 16) {
          pairs = _mm512_add_epi16(pairs, _mm512_maddubs_epi16(sixteens_[p][v], _mm512_set1_epi8(16)));
        }
        halves[p][v] = _mm512_sub_epi32(halves[p][v], _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
      }
    }
  }

 private:
  // sum = sum ^ a ^ b; returns the carry. Where a == b it is a; elsewhere it is the old sum, the contrary of the new
  // one.
  static BNN_INLINE __m512i FullAdd(__m512i& sum, __m512i a, __m512i b) {
    sum = _mm512_ternarylogic_epi32(sum, a, b, 0x96);
    return _mm512_ternarylogic_epi32(a, b, sum, 0xD4);  // a == b ? a : ~sum
  }

  static BNN_INLINE __m512i Product(const uint32_t* word, __m512i weights) {
    return _mm512_xor_si512(_mm512_set1_epi32(static_cast<int32_t>(*word)), weights);
  }

  static BNN_INLINE const uint32_t* Word(const uint32_t* const* steps, int i) { return steps[i / kStep] + i % kStep; }

  static BNN_INLINE __m512i Weights(const uint32_t* weights, int word, int v) {
    return _mm512_load_si512(weights + word * 32 + v * 16);
  }

  // One word, into ones that are 0.
  BNN_INLINE void AddOne(const uint32_t* const* steps, int64_t pixel_step, const uint32_t* weights) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        ones_[p][v] = Product(Word(steps, 0) + p * pixel_step, Weights(weights, 0, v));
      }
    }
  }

  // Two words; the carries have weight 2.
  BNN_INLINE void AddTwo(const uint32_t* const* steps, int64_t pixel_step, const uint32_t* weights, Tile& carries) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      const int64_t at = p * pixel_step;
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        const __m512i first = Product(Word(steps, 0) + at, Weights(weights, 0, v));
        const __m512i second = Product(Word(steps, 1) + at, Weights(weights, 1, v));
        carries[p][v] = FullAdd(ones_[p][v], first, second);
      }
    }
  }

  // Four words; the carries have weight 4. One counter after the other takes all four, so that few carries wait; the
  // eight vectors of weights serve all pixels.
  BNN_INLINE void AddFour(const uint32_t* const* steps, int64_t pixel_step, const uint32_t* weights, Tile& carries) {
    __m512i w[4][2];
    BNN_UNROLL for (int i = 0; i < 4; ++i) { BNN_UNROLL for (int v = 0; v < 2; ++v) w[i][v] = Weights(weights, i, v); }
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      const int64_t at = p * pixel_step;
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        const __m512i first =
            FullAdd(ones_[p][v], Product(Word(steps, 0) + at, w[0][v]), Product(Word(steps, 1) + at, w[1][v]));
        const __m512i second =
            FullAdd(ones_[p][v], Product(Word(steps, 2) + at, w[2][v]), Product(Word(steps, 3) + at, w[3][v]));
        carries[p][v] = FullAdd(twos_[p][v], first, second);
      }
    }
  }

  // Eight words; the carries have weight 8.
  BNN_INLINE void AddEight(const uint32_t* const* steps, int64_t pixel_step, const uint32_t* weights, Tile& carries) {
    Tile first, second;
    AddFour(steps, pixel_step, weights, first);
    AddFour(steps + 4 / kStep, pixel_step, weights + 4 * 32, second);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) carries[p][v] = FullAdd(fours_[p][v], first[p][v], second[p][v]);
    }
  }

  // Sixteen words; the carries of weight 16 are counted.
  BNN_INLINE void AddTree(const uint32_t* const* steps, int64_t pixel_step, const uint32_t* weights) {
    Tile first, second;
    AddEight(steps, pixel_step, weights, first);
    AddEight(steps + 8 / kStep, pixel_step, weights + 8 * 32, second);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        const __m512i carries = FullAdd(eights_[p][v], first[p][v], second[p][v]);
        sixteens_[p][v] = _mm512_add_epi8(sixteens_[p][v], BytePopcounts<1>(carries));
      }
    }
  }

  // kFactor * the popcount of every byte. Masked forms, which cost nothing: gcc 12 warns of its own header's others.
  template <int kFactor>
  static BNN_INLINE __m512i BytePopcounts(__m512i x) {
    constexpr char k1 = kFactor, k2 = 2 * kFactor, k3 = 3 * kFactor, k4 = 4 * kFactor;
    const __m128i nibbles = _mm_setr_epi8(0, k1, k1, k2, k1, k2, k2, k3, k1, k2, k2, k3, k2, k3, k3, k4);
    const __m512i table = _mm512_maskz_broadcast_i32x4(0xFFFF, nibbles);
    const __m512i low_nibble = _mm512_set1_epi8(0x0F);
    const __m512i low = _mm512_and_si512(x, low_nibble);
    const __m512i high = _mm512_and_si512(_mm512_maskz_srli_epi32(0xFFFF, x, 4), low_nibble);
    return _mm512_add_epi8(_mm512_shuffle_epi8(table, low), _mm512_shuffle_epi8(table, high));
  }

  Tile ones_, twos_, fours_, eights_;  // the digits of the counters
  Tile sixteens_;                      // bytes: how many carries of weight 16 there were
};

struct CountRowAvx512 : PlainCounter {
  using Vector = Avx512;
  static constexpr int kMaxPixels = 2;

  template <int kPixels, int kStep>
  static BNN_INLINE void CountWindow(const TapWalk& walk, const uint32_t* in, int64_t pixel_step,
                                     const uint32_t* weights, __m512i (&halves)[kPixels][2]) {
    using Tile = CarrySaveTile<kPixels, kStep>;
    WordCursor<kStep> cursor(walk, in);
    int64_t left = walk.TotalWords();
    do {
      const int64_t words = left < Tile::kMaxWords ? left : Tile::kMaxWords;
      Tile tile;
      tile.Add(words, cursor, pixel_step, weights);
      tile.SubtractFrom(words, halves);
      weights += words * 32;
      left -= words;
    } while (left > 0);
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
    if (walk.words % 4 == 0) {
      CountWindow<kPixels, 4>(walk, in, pixel_step, weights, halves);
    } else {
      CountWindow<kPixels, 1>(walk, in, pixel_step, weights, halves);
    }
  }
};

}  // namespace
}  // namespace bnn::kernels
