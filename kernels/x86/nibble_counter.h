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
// 3. The window says which table a pair of nibbles wants; it is made from the words of the pixels once a tile, for all
//    channel blocks of a group: nibble_window.h for AVX2, byte_window.h for AVX-512.
//
// 4. Behind the loop the sums of a pair are parted and widened to 16 bits. Where one plane came in and the window was
//    counted at once, the finish reads them so, pixel by pixel (FinishFromSums in window_tiles.h); else they become
//    half accumulators in memory. An odd last pixel costs as much as a pair.
//
// How the lookups of a window follow each other depends on the number of registers, so each instruction set has its own
// Loop (popcount_avx2.h, popcount_avx512.h):
//
//   Window<kPairs>   with `words` (of a pixel, those that are in it) and `odd` (the odd nibbles of every pixel)
//   Place(TileInput) what of the walk is not in a window yet: everything
//   Fill(input, pixels, place, window)
//                    the next words, at most kWindowWords of a pixel
//   SumWindow(window, weights, block_bytes, sums)
//                    the half counts of the window and of the blocks of a vector, as Widen leaves them. `weights`:
//                    those of the window's first word, of the first block; the second block's are `block_bytes` further
//
// N supplies the vectors. Of the counter: Vector (the wrapper of the epilogue), kBlocks (channel blocks a vector, 32
// bytes each), kMaxPixels, kOrder. Of its Bytes: EightOfBlocks (32-bit constants of 8 channels of each block), ByBlock
// (from that order of channels to that of the halves), and, named like their instructions, Zero, Splat16, Splat32, And,
// Add8, Add16, Add32, Sub16, Sub32, Shuffle, MaddPairs, Left16, Right16; Add8To and Add16To: sum += x, in the order of
// the calls.
#pragma once

#include <cstdint>

#include "kernels/epilogue.h"
#include "kernels/pack_weights.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"

// The compiler takes `x` for changed. Without this it reorders sums into trees of many short-lived values, which do not
// fit into the registers.
#define BNN_KEEP_ORDER(x) __asm__("" : "+v"(x))

namespace bnn::kernels {
namespace {

// entry[x | y << 4][n] = half(x, n) | half(y, n) << 4, as derived above, for n from 0 to 15 and again from 16 on: as
// many times as the vectors have 128-bit lanes, or once where a load can repeat it at no cost.
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

constexpr int64_t kWindowWords = 320;  // of a pixel. 320 * 8 nibbles * 2 <= 65535: 16-bit sums of half counts
constexpr int kLookupsPerFold = 7;     // 7 * 2 <= 15
constexpr int kFoldsPerWiden = 18;     // 18 * 14 <= 255

// What follows the lookups.
template <class N>
struct NibbleSums {
  using Vector = typename N::Vector;
  using Bytes = typename N::Bytes;

  // The sums of a pair.
  static BNN_INLINE void Fold(Bytes s, Bytes& low, Bytes& high) {
    N::Add8To(low, N::And(s, N::Splat16(0x0F0F)));
    N::Add16To(high, N::template Right16<4>(s));
  }

  // sums[q] = 16-bit sums, added to what it is if there are `more`: the first pixel's even bytes and odd bytes, the
  // second pixel's even bytes and odd bytes. (Sums are in memory. Not to write zeros first and read them again is 3 %
  // of a 3x3 over 128 channels on Zen 5.)
  template <int kPairs>
  static BNN_INLINE void Widen(bool more, const Bytes (&low)[kPairs], const Bytes (&high)[kPairs],
                               Bytes (&sums)[kPairs][4]) {
    if (more) {
      WidenTo<true>(low, high, sums);
    } else {
      WidenTo<false>(low, high, sums);
    }
  }

  // The halves of a pixel = odd nibbles of the pixel - 2 * sums + plus, where `plus` is what belongs to a channel: what
  // its halves start from, less the odd nibbles of its weights. sums[0]: those of the even bytes, sums[1]: of the odd
  // ones. Byte 4 * l + v of a block's weights is channel 8 * v + l, so every v takes one 16-bit half of each 32-bit
  // lane.
  static BNN_INLINE void HalvesOf(int32_t odd_of_pixel, const Bytes (&plus)[4], const Bytes* sums,
                                  typename Vector::Int (&halves)[N::kBlocks][Vector::kVectors]) {
    const Bytes of_low = N::Splat32(0xFFFE);  // -2 times the low 16 bits, 0 times the high ones
    const Bytes of_high = N::Splat32(-2 * 65536);
    const Bytes odd = N::Splat32(odd_of_pixel);
    Bytes of_channels[4];
    BNN_UNROLL for (int v = 0; v < 4; ++v) {
      of_channels[v] = N::Add32(N::MaddPairs(sums[v % 2], v < 2 ? of_low : of_high), N::Add32(odd, plus[v]));
    }
    N::ByBlock(of_channels, halves);
  }

  // halves = from + those of all pixels.
  template <SumsFrom kFrom, int kPixels, int kPairs>
  static BNN_INLINE void HalvesOfTile(const int32_t (&odd_of_pixels)[2 * kPairs], const Bytes (&plus)[4],
                                      const Bytes (&sums)[kPairs][4],
                                      typename Vector::Int (&halves)[N::kBlocks][kPixels][Vector::kVectors]) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      typename Vector::Int of_pixel[N::kBlocks][Vector::kVectors];
      HalvesOf(odd_of_pixels[p], plus, sums[p / 2] + p % 2 * 2, of_pixel);
      BNN_UNROLL for (int b = 0; b < N::kBlocks; ++b) {
        BNN_UNROLL for (int v = 0; v < Vector::kVectors; ++v) {
          typename Vector::Int& half = halves[b][p][v];
          if (kFrom == SumsFrom::kZero) half = of_pixel[b][v];
          if (kFrom == SumsFrom::kHalves) half = N::Add32(half, of_pixel[b][v]);
          if (kFrom == SumsFrom::kTwiceHalves) half = N::Add32(N::Add32(half, half), of_pixel[b][v]);
        }
      }
    }
  }

 private:
  template <bool kMore, int kPairs>
  static BNN_INLINE void WidenTo(const Bytes (&low)[kPairs], const Bytes (&high)[kPairs], Bytes (&sums)[kPairs][4]) {
    const Bytes even = N::Splat16(255);
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      const Bytes low_odd = N::template Right16<8>(low[q]);
      const Bytes second = N::Sub16(high[q], N::template Left16<4>(low_odd));
      const Bytes wide[4] = {N::And(low[q], even), low_odd, N::And(second, even), N::template Right16<8>(second)};
      BNN_UNROLL for (int i = 0; i < 4; ++i) sums[q][i] = kMore ? N::Add16(sums[q][i], wide[i]) : wide[i];
    }
  }
};

template <class N, class Loop>
struct NibbleCounter {
  using Vector = typename N::Vector;
  using Bytes = typename N::Bytes;
  static constexpr int kBlocks = N::kBlocks;
  static constexpr int kMaxPixels = N::kMaxPixels;
  static constexpr int kPixelStep = 2;
  static constexpr bool kSumsInMemory = true;
  static constexpr PackedOrder kOrder = N::kOrder;

  // The sums of a tile, and what its half accumulators need beside them.
  struct Sums {
    Bytes of_pairs[(kMaxPixels + 1) / 2][4];
    const int32_t* odd_of_pixels;
    const int32_t* odd_weights;
    int64_t block_words;
  };

  // The half accumulators of one pixel after the other.
  class SumsReader {
   public:
    BNN_INLINE explicit SumsReader(const Sums& sums) : sums_(sums) {}

    // The pixels that follow start from these constants; those of the second block are `block_step` further.
    BNN_INLINE void Start(const int32_t* base, int64_t block_step) {
      BNN_UNROLL for (int v = 0; v < 4; ++v) {
        plus_[v] = N::Sub32(Vector::Half(N::EightOfBlocks(base + v * 8, block_step)),
                            N::EightOfBlocks(sums_.odd_weights + v * 8, sums_.block_words));
      }
    }

    BNN_INLINE void Read(int64_t pixel, typename Vector::Int (&halves)[kBlocks][Vector::kVectors]) const {
      NibbleSums<N>::HalvesOf(sums_.odd_of_pixels[pixel], plus_, sums_.of_pairs[pixel / 2] + pixel % 2 * 2, halves);
    }

   private:
    const Sums& sums_;
    Bytes plus_[4];
  };

  template <int kPixels>
  struct Input : TileInput {
    static constexpr int kPairs = (kPixels + 1) / 2;
    typename Loop::template Window<kPairs> window;
    int64_t begin;  // the first word in the window; -1: nothing is

    BNN_INLINE Input() {}
    BNN_INLINE void Start(const TileInput& where) {
      static_cast<TileInput&>(*this) = where;
      begin = -1;
    }
  };

  // Whether the whole window is counted at once; fills it then.
  template <int kPixels>
  static BNN_INLINE bool CountsAtOnce(Input<kPixels>& input) {
    const int64_t total = input.walk->TotalWords();
    if (total > kWindowWords) return false;
    typename Loop::Place at(input);
    Loop::Fill(input, kPixels, at, input.window);
    const bool is_whole = input.window.words == total;
    if (is_whole) input.begin = 0;
    return is_whole;
  }

  // Of a window that is counted at once.
  template <int kPixels>
  static BNN_INLINE void CountSums(const Input<kPixels>& input, const uint32_t* weights, int64_t block_words,
                                   Sums& sums) {
    sums.odd_of_pixels = input.window.odd;
    sums.odd_weights = reinterpret_cast<const int32_t*>(weights);
    sums.block_words = block_words;
    auto& of_pairs = reinterpret_cast<Bytes(&)[Input<kPixels>::kPairs][4]>(sums.of_pairs);
    Loop::SumWindow(input.window, reinterpret_cast<const uint8_t*>(weights + kOrder.header_words),
                    block_words * static_cast<int64_t>(sizeof(uint32_t)), of_pairs);
  }

  // Of every pixel and block: halves = from - the number of differing bits between the window and the weights, + start
  // (of the block, in 32-bit lanes of 32 channels; nullptr: 0). The first call fills the window; one that does not fit
  // is filled anew by each.
  template <SumsFrom kFrom, int kPixels>
  static BNN_INLINE void CountFrom(Input<kPixels>& input, const uint32_t* weights, int64_t block_words,
                                   const int32_t* start,
                                   typename Vector::Int (&halves)[kBlocks][kPixels][Vector::kVectors]) {
    constexpr int kPairs = Input<kPixels>::kPairs;
    const int64_t total = input.walk->TotalWords();
    const int64_t block_bytes = block_words * static_cast<int64_t>(sizeof(uint32_t));
    const int32_t* const odd_weights = reinterpret_cast<const int32_t*>(weights);
    weights += kOrder.header_words;
    typename Loop::Place at(input);
    for (int64_t begin = 0; begin < total; begin += input.window.words) {
      if (input.begin != begin) {
        Loop::Fill(input, kPixels, at, input.window);
        input.begin = begin;
      }
      Bytes sums[kPairs][4];
      Loop::SumWindow(input.window, reinterpret_cast<const uint8_t*>(weights), block_bytes, sums);
      weights += input.window.words * kOrder.words_per_word;
      Bytes plus[4];
      BNN_UNROLL for (int v = 0; v < 4; ++v) plus[v] = N::Zero();
      if (begin > 0) {
        NibbleSums<N>::template HalvesOfTile<SumsFrom::kHalves>(input.window.odd, plus, sums, halves);
        continue;
      }
      if (start != nullptr) {
        BNN_UNROLL for (int v = 0; v < 4; ++v) plus[v] = N::EightOfBlocks(start + v * 8, kChannelBlock);
      }
      BNN_UNROLL for (int v = 0; v < 4; ++v) {
        plus[v] = N::Sub32(plus[v], N::EightOfBlocks(odd_weights + v * 8, block_words));
      }
      NibbleSums<N>::template HalvesOfTile<kFrom>(input.window.odd, plus, sums, halves);
    }
  }
};

}  // namespace
}  // namespace bnn::kernels
