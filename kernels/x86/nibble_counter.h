// The inner loop of binary convolution and of the binary dense layer by tables of nibbles, for vectors of one or two
// channel blocks: the Counter of AVX2 and of AVX-512 without VPOPCNTDQ. ISA files only.
//
// Neither has a popcount, but a byte shuffle (vpshufb) looks up each byte of a vector in a table of 16. Looking up the
// popcounts of the nibbles (4 bits) of in XOR weight costs 8 operations for a vector of bits (popcount_row_avx2.h).
// Here the weights themselves are the indices, and the nibble of the activation chooses the table. That needs no XOR,
// no shift and no mask, the lanes are output channels, and, since the entries of a table are ours to choose, one lookup
// counts for two pixels.
//
// 1. The table. Let x be a nibble of the activation, n a nibble of the weights, differ(x, n) their differing bits (0 to
//    4), and odd(v) = 1 if v has an odd number of ones. differ(x, n) is even exactly if odd(x) = odd(n), so
//
//      half(x, n) = (differ(x, n) + odd(x) - odd(n)) / 2
//
//    is an integer, and it is 0, 1 or 2: for odd(x) = odd(n) half of 0, 2 or 4, else differ is 1 or 3. Summed up,
//
//      sum of differ = 2 * (sum of half) + (sum of odd(n)) - (sum of odd(x))
//
//    where the second sum is a constant of the output channel (pack() writes it before the weights) and the third one
//    of the pixel. With values of at most 2, seven lookups fit into 4 bits (differ itself: three), so a byte counts for
//    two pixels x and y: the entry is half(x, n) + 16 * half(y, n). The tables of all 256 pairs of nibbles are 4 KB.
//
// 2. The loop. A lookup (a load of the table into every 128-bit lane, a shuffle) and an addition count 4 bits of 2
//    pixels in each byte, a channel: in 32 bytes 256 MACs. After seven, s holds two sums of at most 14 in each byte and
//    is folded:
//
//      low  += s AND 15    bytes; the first pixel
//      high += s >> 4      16-bit lanes, without a mask: the second pixel of the even byte, 16 * the first pixel of the
//                          odd byte, and 256 * the second pixel of the odd byte. What is too much is known from `low`.
//
//    so that 7 shuffles + 6 + 4 = 17 operations count 7 lookups: 2.43 for a vector of MACs instead of 8. The bytes of
//    `low` and `high` hold 18 folds (252), then they are widened to 16 bits, once in 126 lookups.
//
// 3. The window (nibble_window.h) makes the offsets of the tables from the words of the pixels.
//
// Order. With 16 registers, nibble by nibble, the pairs innermost: an index is loaded once for all pairs, whose
// independent chains of additions hide the latencies of loads and shuffles. With 32, the indices of seven nibbles stay
// in registers and the pairs pass one after the other: one sum s is alive instead of one a pair, and the seven offsets
// of a pair take two loads of four. An odd last pixel costs as much as a pair. The tables, the offsets (16 bytes a word
// and pair: 9 KB for 4 pairs and 3x3 over 512 channels) and the weights that pass by share L1; the weights may come
// from L2.
//
// N supplies the vectors. Of the counter: Vector (the wrapper of the epilogue), kBlocks (channel blocks a vector, 32
// bytes each), kMaxPixels, kOrder, kTableBytes (an entry repeats its 16 bytes in as many), kIndicesInRegisters. Of its
// Bytes: Index (the nibbles of all blocks), Table (an entry in all 128-bit lanes), OddWeights (32-bit constants of 8
// channels of each block), AddTo (the same order of channels into that of the halves), and, named like their
// instructions, Zero, Splat16, Splat32, And, Add8, Add16, Add32, Sub16, Sub32, Shuffle, MaddPairs, Left16, Right16.
#pragma once

#include <cstdint>

#include "kernels/pack_weights.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"
#include "kernels/x86/nibble_window.h"

// The compiler takes `x` for changed. Without this it reorders sums into trees of many short-lived values, which do not
// fit into the registers.
#define BNN_KEEP_ORDER(x) __asm__("" : "+v"(x))

namespace bnn::kernels {
namespace {

// entry[x | y << 4][n] = half(x, n) | half(y, n) << 4, as derived above, for n from 0 to 15 and again from 16 on.
template <int kBytes>
struct HalfCountTables {
  alignas(64) uint8_t entry[256][kBytes];
};

template <int kBytes>
constexpr HalfCountTables<kBytes> MakeHalfCountTables() {
  HalfCountTables<kBytes> tables{};
  const auto half = [](int x, int n) {
    return (__builtin_popcount(x ^ n) + __builtin_parity(x) - __builtin_parity(n)) / 2;
  };
  for (int pair = 0; pair < 256; ++pair) {
    for (int n = 0; n < kBytes; ++n) {
      tables.entry[pair][n] = static_cast<uint8_t>(half(pair & 15, n & 15) | half(pair >> 4, n & 15) << 4);
    }
  }
  return tables;
}

template <int kBytes>
constexpr HalfCountTables<kBytes> kHalfCountTables = MakeHalfCountTables<kBytes>();

// Of the parts of a window behind the first one.
alignas(32) constexpr int32_t kNoOddWeights[32] = {};

template <class N>
struct NibbleCounter {
  using Vector = typename N::Vector;
  using Bytes = typename N::Bytes;
  static constexpr int kBlocks = N::kBlocks;
  static constexpr int kMaxPixels = N::kMaxPixels;
  static constexpr int kPixelStep = 2;
  static constexpr PackedOrder kOrder = N::kOrder;

  static constexpr int kLookupsPerFold = 7;  // 7 * 2 <= 15
  static constexpr int kFoldsPerWiden = 18;  // 18 * 14 <= 255

  template <int kPixels>
  struct Input : TileInput {
    static constexpr int kPairs = (kPixels + 1) / 2;
    NibbleWindow<kPairs> window;
    int64_t begin = -1;  // the first word in the window; -1: nothing is

    BNN_INLINE explicit Input(const TileInput& where) : TileInput(where) {}
  };

  // The table at `offset` in tables of 16 bytes each.
  static BNN_INLINE Bytes Table(uint64_t offset) {
    return N::Table(&kHalfCountTables<N::kTableBytes>.entry[0][0] + N::kTableBytes / 16 * offset);
  }

  // The lookups of one nibble of all pairs: s[q] += half counts, or = if it is the first.
  template <int kPairs>
  static BNN_INLINE void Lookup(const NibbleWindow<kPairs>& window, int64_t nibble, const uint8_t* weights,
                                int64_t block_bytes, bool first, Bytes (&s)[kPairs]) {
    const Bytes index = N::Index(weights, block_bytes);
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      const Bytes halves = N::Shuffle(Table(window.offsets[q][nibble]), index);
      s[q] = first ? halves : N::Add8(s[q], halves);
      BNN_KEEP_ORDER(s[q]);
    }
  }

  // The sums of a pair.
  static BNN_INLINE void Fold(Bytes s, Bytes& low, Bytes& high) {
    low = N::Add8(low, N::And(s, N::Splat16(0x0F0F)));
    high = N::Add16(high, N::template Right16<4>(s));
    BNN_KEEP_ORDER(low);
    BNN_KEEP_ORDER(high);
  }

  template <int kPairs>
  static BNN_INLINE void FoldAll(const Bytes (&s)[kPairs], Bytes (&low)[kPairs], Bytes (&high)[kPairs]) {
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) Fold(s[q], low[q], high[q]);
  }

  // The lookups of seven nibbles of all pairs and their folds, pair by pair: with 32 registers the indices stay in
  // seven of them. Offsets are loaded four at a time.
  template <int kPairs>
  static BNN_INLINE void CountSeven(const NibbleWindow<kPairs>& window, int64_t nibble, const uint8_t* weights,
                                    int64_t block_bytes, Bytes (&low)[kPairs], Bytes (&high)[kPairs]) {
    Bytes index[kLookupsPerFold];
    BNN_UNROLL for (int i = 0; i < kLookupsPerFold; ++i) {
      index[i] = N::Index(weights + i * 32, block_bytes);
      BNN_KEEP_ORDER(index[i]);
    }
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      Bytes s;
      uint64_t offsets = 0;
      BNN_UNROLL for (int i = 0; i < kLookupsPerFold; ++i) {
        if (i % 4 == 0) {
          __builtin_memcpy(&offsets, window.offsets[q] + nibble + i, sizeof(offsets));
          __asm__("" : "+r"(offsets));  // else compilers load them one by one
        }
        const Bytes halves = N::Shuffle(Table(offsets & 0xFFFF), index[i]);
        offsets >>= 16;
        s = i == 0 ? halves : N::Add8(s, halves);
        BNN_KEEP_ORDER(s);
      }
      Fold(s, low[q], high[q]);
    }
  }

  // sums[q] += 16-bit sums: the first pixel's even bytes and odd bytes, the second pixel's even bytes and odd bytes.
  template <int kPairs>
  static BNN_INLINE void Widen(const Bytes (&low)[kPairs], const Bytes (&high)[kPairs], Bytes (&sums)[kPairs][4]) {
    const Bytes even = N::Splat16(255);
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      const Bytes low_odd = N::template Right16<8>(low[q]);
      const Bytes second = N::Sub16(high[q], N::template Left16<4>(low_odd));
      sums[q][0] = N::Add16(sums[q][0], N::And(low[q], even));
      sums[q][1] = N::Add16(sums[q][1], low_odd);
      sums[q][2] = N::Add16(sums[q][2], N::And(second, even));
      sums[q][3] = N::Add16(sums[q][3], N::template Right16<8>(second));
    }
  }

  // The half counts of the window and of the blocks of a vector. `weights`: of the window's first nibble and the first
  // block; those of the second one are `block_bytes` further.
  template <int kPairs>
  static BNN_NOINLINE void SumWindow(const NibbleWindow<kPairs>& window, const uint8_t* weights, int64_t block_bytes,
                                     Bytes (&sums)[kPairs][4]) {
    const Bytes zero = N::Zero();
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) { BNN_UNROLL for (int i = 0; i < 4; ++i) sums[q][i] = zero; }
    const int64_t nibbles = window.words * kNibblesPerWord;
    int64_t nibble = 0;
    while (nibble < nibbles) {
      Bytes s[kPairs], low[kPairs], high[kPairs];
      BNN_UNROLL for (int q = 0; q < kPairs; ++q) low[q] = high[q] = zero;
      int64_t end = nibble + kFoldsPerWiden * kLookupsPerFold;
      if (end > nibbles) end = nibbles;
      for (; end - nibble >= kLookupsPerFold; nibble += kLookupsPerFold) {
        if constexpr (N::kIndicesInRegisters) {
          CountSeven(window, nibble, weights, block_bytes, low, high);
        } else {
          BNN_UNROLL for (int i = 0; i < kLookupsPerFold; ++i) {
            Lookup(window, nibble + i, weights + i * 32, block_bytes, i == 0, s);
          }
          FoldAll(s, low, high);
        }
        weights += kLookupsPerFold * 32;
      }
      if (nibble < end) {
        BNN_UNROLL for (int q = 0; q < kPairs; ++q) s[q] = zero;
        BNN_NO_UNROLL for (; nibble < end; ++nibble) {
          Lookup(window, nibble, weights, block_bytes, false, s);
          weights += 32;
        }
        FoldAll(s, low, high);
      }
      Widen(low, high, sums);
    }
  }

  // halves -= 2 * sums - odd nibbles of the pixel + odd nibbles of the weights. Byte 4 * l + v of a block's weights is
  // channel 8 * v + l, so every v takes one 16-bit half of each 32-bit lane. `odd_weights`: of the first block;
  // those of the second one are `block_words` further.
  template <int kPixels, int kPairs>
  static BNN_INLINE void SubtractSums(const NibbleWindow<kPairs>& window, const int32_t* odd_weights,
                                      int64_t block_words, const Bytes (&sums)[kPairs][4],
                                      typename Vector::Int (&halves)[kBlocks][kPixels][Vector::kVectors]) {
    const Bytes of_low = N::Splat32(0xFFFE);  // -2 times the low 16 bits, 0 times the high ones
    const Bytes of_high = N::Splat32(-2 * 65536);
    Bytes odd_of_weights[4];
    BNN_UNROLL for (int v = 0; v < 4; ++v) odd_of_weights[v] = N::OddWeights(odd_weights + v * 8, block_words);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      const Bytes odd_of_pixel = N::Splat32(window.odd[p]);
      Bytes plus[4];
      BNN_UNROLL for (int v = 0; v < 4; ++v) {
        const Bytes odd = N::Sub32(odd_of_pixel, odd_of_weights[v]);
        plus[v] = N::Add32(N::MaddPairs(sums[p / 2][p % 2 * 2 + v % 2], v < 2 ? of_low : of_high), odd);
      }
      N::AddTo(plus, p, halves);
    }
  }

  // halves[b][p] -= the number of differing bits between the window of pixel p and the weights of block b. The first
  // call fills the window; one that does not fit is filled anew by each.
  template <int kPixels>
  static BNN_INLINE void Count(Input<kPixels>& input, const uint32_t* weights, int64_t block_words,
                               typename Vector::Int (&halves)[kBlocks][kPixels][Vector::kVectors]) {
    constexpr int kPairs = Input<kPixels>::kPairs;
    const int64_t total = input.walk.rows * input.walk.cols * input.walk.words;
    const int64_t block_bytes = block_words * static_cast<int64_t>(sizeof(uint32_t));
    const int32_t* odd_weights = reinterpret_cast<const int32_t*>(weights);
    int64_t odd_step = block_words;
    weights += kOrder.header_words;
    WindowPlace at = StartOfWindow(input.walk, input.in);
    int64_t begin = 0;
    do {
      if (input.begin != begin) {
        FillWindow(input, kPixels % 2 == 0 ? input.pixel_step : 0, at, input.window);
        input.begin = begin;
      }
      Bytes sums[kPairs][4];
      SumWindow(input.window, reinterpret_cast<const uint8_t*>(weights), block_bytes, sums);
      SubtractSums<kPixels, kPairs>(input.window, odd_weights, odd_step, sums, halves);
      odd_weights = kNoOddWeights;
      odd_step = 0;
      weights += input.window.words * kOrder.words_per_word;
      begin += input.window.words;
    } while (begin < total);
  }
};

}  // namespace
}  // namespace bnn::kernels

#undef BNN_KEEP_ORDER
