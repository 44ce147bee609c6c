// The inner loop of binary convolution and of the binary dense layer for AVX-512 without VPOPCNTDQ:
// kernels/x86/nibble_counter.h, which derives it, with vectors of two channel blocks. ISA files only.
//
// The lower half of a vector is one block, the upper half the next one, so the packed weights are those of AVX2. An
// index is a load and an insertion, which all pairs share; the last block of an odd number is its own partner.
//
// Tile: 14 pixels (7 pairs) x 64 output channels; 14 divides the widths 14, 28 and 56 that networks have. Registers
// (32): 7 indices, 7 `low`, 7 `high`, a sum s, a table, a mask = 24, and what is under way.
//
// Tables: an entry fills 64 bytes, 16 KB in all, and is loaded as it is. On Zen 5 a broadcast of 16 bytes to 64 takes a
// pipe of shuffles besides the load (measured: broadcast, shuffle and addition 1.05 cycles, with a plain load 0.6),
// while one to 32 does not.
//
// Operations for 512 MACs, a lookup of one pair: 1 load of a table, 0.29 of offsets, 0.29 of the index; 2.57 vector
// operations (2.43 and an insertion for 7 pairs), 1.14 of them shuffles and shifts; 1.7 scalar operations that take the
// offsets apart.
//
//    Zen 5: 2 loads a cycle where some have 512 bits: 0.79 cycles by loads (1.14 if every offset were a load; measured
//      1.16), 0.64 by vector operations (4 pipes), 0.7 by instructions. Measured: 0.95 in this loop.
//    Skylake-X: 2 vector ports, 1 of them (p5) shuffles, 4 instructions a cycle: 1.29 cycles by operations, 1 by p5,
//      1.43 by instructions. (Not measured. Carry-save adders, popcount_row_avx512.h, take 1.66 there.)
//
// Groups of blocks: CPUs with AVX-512 have at least 512 KB of L2 a core and mostly 1 MB or more. Larger groups than
// those of AVX2 fill the window less often: 4 % faster at 3x3 over 512 channels, 7x7.
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"
#include "kernels/x86/nibble_counter.h"
#include "kernels/x86/vec_avx512.h"

namespace bnn::kernels {
namespace {

// Masked forms with the mask of all lanes cost nothing: gcc 12 warns of its own header's others.
struct NibblesAvx512 {
  using Vector = Avx512;
  using Bytes = __m512i;
  static constexpr int kTableBytes = 64;
  static constexpr bool kIndicesInRegisters = true;
  static constexpr int kBlocks = 2;
  static constexpr int kMaxPixels = 14;
  static constexpr PackedOrder kOrder = {  //
      kNibbleOrder.header_words, kNibbleOrder.words_per_word, 640 << 10, kBlocks};

  static BNN_INLINE Bytes TwoHalves(const void* low, const void* high) {
    return _mm512_maskz_inserti64x4(0xFF, _mm512_castsi256_si512(_mm256_load_si256(static_cast<const __m256i*>(low))),
                                    _mm256_load_si256(static_cast<const __m256i*>(high)), 1);
  }
  static BNN_INLINE Bytes Index(const uint8_t* weights, int64_t block_bytes) {
    return TwoHalves(weights, weights + block_bytes);
  }
  static BNN_INLINE Bytes OddWeights(const int32_t* from, int64_t block_words) {
    return TwoHalves(from, from + block_words);
  }
  static BNN_INLINE Bytes Table(const uint8_t* entry) { return _mm512_load_si512(entry); }
  static BNN_INLINE Bytes Zero() { return _mm512_setzero_si512(); }
  static BNN_INLINE Bytes Splat16(int16_t x) { return _mm512_set1_epi16(x); }
  static BNN_INLINE Bytes Splat32(int32_t x) { return _mm512_set1_epi32(x); }
  static BNN_INLINE Bytes Shuffle(Bytes table, Bytes index) { return _mm512_shuffle_epi8(table, index); }
  static BNN_INLINE Bytes And(Bytes a, Bytes b) { return _mm512_and_si512(a, b); }
  static BNN_INLINE Bytes Add8(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }
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

  // halves[b][pixel] += what belongs to channels 8 * v + (0 to 7) of block b, in half b of plus[v].
  template <int kPixels>
  static BNN_INLINE void AddTo(const Bytes (&plus)[4], int pixel, Bytes (&halves)[2][kPixels][2]) {
    BNN_UNROLL for (int v = 0; v < 2; ++v) {
      const Bytes first = _mm512_maskz_shuffle_i64x2(0xFF, plus[2 * v], plus[2 * v + 1], 0x44);   // low halves
      const Bytes second = _mm512_maskz_shuffle_i64x2(0xFF, plus[2 * v], plus[2 * v + 1], 0xEE);  // high halves
      halves[0][pixel][v] = Add32(halves[0][pixel][v], first);
      halves[1][pixel][v] = Add32(halves[1][pixel][v], second);
    }
  }
};

using CountAvx512 = NibbleCounter<NibblesAvx512>;

}  // namespace
}  // namespace bnn::kernels
