// The inner loop of binary convolution and of the binary dense layer for AVX-512 without VPOPCNTDQ:
// kernels/x86/nibble_counter.h, which derives it, with vectors of two channel blocks. ISA files only.
//
// The lower half of a vector is one block, the upper half the next one; the last block of an odd number is its own
// partner. Weights are bytes of two nibbles (kByteOrder): an AND makes one index of them, a shift and an AND the other.
//
// Tile: 14 pixels (7 pairs) x 64 output channels; 14 divides the widths 14, 28 and 56 that networks have. Registers
// (32): 7 `low`, 7 `high`, 7 bytes of weights, 7 indices, a sum s, a table, a mask = 31.
//
// Order: seven bytes of weights and the seven indices that they hold first stay in registers while the pairs pass one
// after the other, so that one sum s is alive instead of one a pair. Then the pairs pass again with the other seven.
// What a pair has to say about seven nibbles are seven bytes, numbers of tables (byte_window.h): one load of eight. A
// rotation and a mask make an address of one of them.
//
// Bytes that do not divide by seven: a run is whole words, a multiple of 4 bytes, so the last 8 to 13 are cut into two
// groups of 4 to 7, each of which is unrolled for its size.
//
// Tables: an entry fills 64 bytes, 16 KB in all, and is loaded as it is. On Zen 5 a broadcast of 16 bytes to 64 takes a
// pipe of shuffles besides the load (measured: broadcast, shuffle and addition 1.05 cycles, with a plain load 0.6),
// while one to 32 does not.
//
// Operations for 512 MACs, a lookup of one pair (7 pairs share an index): 1 load of a table, 0.14 of numbers, 0.14 of
// weights; 2.43 vector operations, 0.29 that make the index (half an insertion, 1.5 others), of which 1.21 shuffle or
// shift; 2 scalar operations that take the numbers apart.
//
//    Zen 5: 0.64 cycles by loads (2 a cycle where some have 512 bits), 0.68 by vector operations (4 pipes), 0.76 by
//      instructions (8 a cycle). Measured: 0.77 on registers only, as pipes that can shuffle take additions as well;
//      0.94 in this loop, 1.03 with its tails and widening. Of a 3x3 over 128 channels, 28x28, the window is 4 %, what
//      follows the lookups 14 %.
//    Skylake-X: 2 vector ports, 1 of them (p5) shuffles, 4 instructions a cycle: 1.36 cycles by operations, 1.07 by p5,
//      1.5 by instructions. (Not measured. Carry-save adders, popcount_row_avx512.h, take 1.66 there.)
//
// With a nibble a byte (no shift and AND, but twice the weights to load and insert) the loop is as fast from L1; where
// the weights of a group fill L2, as those of 3x3 over 512 channels, it was 10 % slower.
//
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"
#include "kernels/x86/byte_window.h"
#include "kernels/x86/nibble_counter.h"
#include "kernels/x86/vec_avx512.h"

namespace bnn::kernels {
namespace {

// Masked forms with the mask of all lanes cost nothing: gcc 12 warns of its own header's others.
struct NibblesAvx512 {
  using Vector = Avx512;
  using Bytes = __m512i;
  static constexpr int kBlocks = 2;
  static constexpr int kMaxPixels = 14;
  static constexpr PackedOrder kOrder = kByteOrder;

  static BNN_INLINE Bytes TwoHalves(const void* low, const void* high) {
    return _mm512_maskz_inserti64x4(0xFF, _mm512_castsi256_si512(_mm256_loadu_si256(static_cast<const __m256i*>(low))),
                                    _mm256_loadu_si256(static_cast<const __m256i*>(high)), 1);
  }
  static BNN_INLINE Bytes Weights(const uint8_t* weights, int64_t block_bytes) {
    return TwoHalves(weights, weights + block_bytes);
  }
  static BNN_INLINE Bytes EightOfBlocks(const int32_t* from, int64_t block_words) {
    return TwoHalves(from, from + block_words);
  }
  static BNN_INLINE Bytes Table(const uint8_t* entry) { return _mm512_load_si512(entry); }
  static BNN_INLINE Bytes Zero() { return _mm512_setzero_si512(); }
  static BNN_INLINE Bytes Splat16(int16_t x) { return _mm512_set1_epi16(x); }
  static BNN_INLINE Bytes Splat32(int32_t x) { return _mm512_set1_epi32(x); }
  static BNN_INLINE Bytes Shuffle(Bytes table, Bytes index) { return _mm512_shuffle_epi8(table, index); }
  static BNN_INLINE Bytes And(Bytes a, Bytes b) { return _mm512_and_si512(a, b); }
  static BNN_INLINE Bytes Add8(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }
  static BNN_INLINE void Add8To(Bytes& sum, Bytes x) {
    sum = Add8(sum, x);
    BNN_KEEP_ORDER(sum);
  }
  static BNN_INLINE void Add16To(Bytes& sum, Bytes x) {
    sum = Add16(sum, x);
    BNN_KEEP_ORDER(sum);
  }
  static BNN_INLINE Bytes Add16(Bytes a, Bytes b) { return _mm512_add_epi16(a, b); }
  static BNN_INLINE Bytes Add32(Bytes a, Bytes b) { return _mm512_add_epi32(a, b); }
  static BNN_INLINE Bytes Sub16(Bytes a, Bytes b) { return _mm512_sub_epi16(a, b); }
  static BNN_INLINE Bytes Sub32(Bytes a, Bytes b) { return _mm512_sub_epi32(a, b); }
  template <int kBits>
  static BNN_INLINE Bytes Left16(Bytes x) {
    return _mm512_slli_epi16(x, kBits);
  }
  template <int kBits>
  static BNN_INLINE Bytes Right16(Bytes x) {
    return _mm512_srli_epi16(x, kBits);
  }
  static BNN_INLINE Bytes MaddPairs(Bytes a, Bytes b) { return _mm512_madd_epi16(a, b); }

  // From channels 8 * v + (0 to 7) of block b in half b of x[v].
  static BNN_INLINE void ByBlock(const Bytes (&x)[4], Bytes (&blocks)[2][2]) {
    BNN_UNROLL for (int v = 0; v < 2; ++v) {
      blocks[0][v] = _mm512_maskz_shuffle_i64x2(0xFF, x[2 * v], x[2 * v + 1], 0x44);  // low halves
      blocks[1][v] = _mm512_maskz_shuffle_i64x2(0xFF, x[2 * v], x[2 * v + 1], 0xEE);  // high halves
    }
  }
};

// 8 * byte i of the numbers: an eighth of the distance in bytes of that table, which addresses multiply by 8. A
// rotation and a mask; of the same in C++ clang makes three instructions (9 % of the loop).
template <int i>
BNN_INLINE uint64_t TableOffset(uint64_t numbers) {
  uint64_t rotated;
  __asm__("rorx %2, %1, %0" : "=r"(rotated) : "r"(numbers), "i"((8 * i - 3) & 63));
  return rotated & 0x7F8;
}

struct LoopAvx512 {
  using N = NibblesAvx512;
  using Bytes = N::Bytes;
  using Sums = NibbleSums<N>;
  using Place = WindowPlace;
  template <int kPairs>
  using Window = ByteWindow<kPairs>;

  static constexpr int kGroupsPerWiden = kFoldsPerWiden / 2;

  template <int kPairs>
  static BNN_INLINE void Fill(const TileInput& input, int pixels, Place& at, Window<kPairs>& window) {
    FillWindow(pixels, input.pixel_step, at, window);
  }

  // s = the sum of the lookups of indices i to kCount - 1, and of s for i > 0.
  template <int kCount, int i = 0>
  static BNN_INLINE void Lookup(uint64_t numbers, const Bytes (&index)[kCount], Bytes& s) {
    if constexpr (i < kCount) {
      const Bytes table = N::Table(&kHalfCountTables<64>.entry[0][0] + TableOffset<i>(numbers) * 8);
      const Bytes halves = N::Shuffle(table, index[i]);
      if constexpr (i == 0) {
        s = halves;
        BNN_KEEP_ORDER(s);
      } else {
        N::Add8To(s, halves);
      }
      Lookup<kCount, i + 1>(numbers, index, s);
    }
  }

  // kCount nibbles of all pairs. `numbers`: of the first pair's tables.
  template <int kCount, int kPairs>
  static BNN_INLINE void CountNibbles(const uint8_t* numbers, int64_t pair_pitch, const Bytes (&index)[kCount],
                                      Bytes (&low)[kPairs], Bytes (&high)[kPairs]) {
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      uint64_t eight;
      __builtin_memcpy(&eight, numbers, sizeof(eight));
      numbers += pair_pitch;
      Bytes s;
      Lookup(eight, index, s);
      Sums::Fold(s, low[q], high[q]);
    }
  }

  // kCount bytes of weights, so twice as many nibbles.
  template <int kCount, int kPairs>
  static BNN_INLINE void CountBytes(const Window<kPairs>& window, int64_t byte, const uint8_t* weights,
                                    int64_t block_bytes, Bytes (&low)[kPairs], Bytes (&high)[kPairs]) {
    const Bytes low_nibbles = N::Splat16(0x0F0F);
    Bytes bytes[kCount], index[kCount];
    BNN_UNROLL for (int i = 0; i < kCount; ++i) {
      bytes[i] = N::Weights(weights + i * 32, block_bytes);
      BNN_KEEP_ORDER(bytes[i]);
      index[i] = N::And(bytes[i], low_nibbles);
      BNN_KEEP_ORDER(index[i]);
    }
    CountNibbles(window.low + byte, window.pair_pitch, index, low, high);
    BNN_UNROLL for (int i = 0; i < kCount; ++i) {
      index[i] = N::And(N::Right16<4>(bytes[i]), low_nibbles);
      BNN_KEEP_ORDER(index[i]);
    }
    CountNibbles(window.high + byte, window.pair_pitch, index, low, high);
  }

  template <int kPairs>
  static BNN_NOINLINE void SumWindow(const Window<kPairs>& window, const uint8_t* weights, int64_t block_bytes,
                                     Bytes (&sums)[kPairs][4]) {
    Bytes low[kPairs], high[kPairs];
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) low[q] = high[q] = N::Zero();
    bool more = false;
    int64_t groups = 0;
    for (int64_t run = 0; run < window.runs; ++run) {
      int64_t byte = run * window.run_pitch;
      int64_t left = window.run_bytes;
      while (left > 0) {
        if (groups == kGroupsPerWiden) {
          Sums::Widen(more, low, high, sums);
          more = true;
          BNN_UNROLL for (int q = 0; q < kPairs; ++q) low[q] = high[q] = N::Zero();
          groups = 0;
        }
        int64_t count = left <= kLookupsPerFold ? left : (left + 1) / 2;
        if (count >= kLookupsPerFold) {
          count = kLookupsPerFold;
          CountBytes<kLookupsPerFold>(window, byte, weights, block_bytes, low, high);
        } else if (count == 6) {
          CountBytes<6>(window, byte, weights, block_bytes, low, high);
        } else if (count == 5) {
          CountBytes<5>(window, byte, weights, block_bytes, low, high);
        } else {
          CountBytes<4>(window, byte, weights, block_bytes, low, high);
        }
        byte += count;
        weights += count * 32;
        left -= count;
        ++groups;
      }
    }
    Sums::Widen(more, low, high, sums);
  }
};

using CountAvx512 = NibbleCounter<NibblesAvx512, LoopAvx512>;

}  // namespace
}  // namespace bnn::kernels
