// The inner loop of binary convolution and of the binary dense layer for AVX2: kernels/x86/nibble_counter.h, which
// derives it, with vectors of one channel block. ISA files only.
//
// Order: nibble by nibble, the pairs innermost: an index is loaded once for all pairs, whose independent chains of
// additions hide the latencies of loads and shuffles. The tables (4 KB), the offsets (16 bytes a word and pair: 9 KB
// for 4 pairs and 3x3 over 512 channels) and the weights that pass by share L1; the weights may come from L2.
//
// Tile: 8 pixels (4 pairs) x 32 output channels. Registers (16): 4 sums s, 4 `low`, 4 `high`, the index, a table, a
// mask, one to spare. Tiles of 2 pairs read the weights twice as often and are 15 to 20 % slower. Weights that come
// from L2 need 12 bytes a cycle.
//
// Operations for 256 MACs, a lookup of one pair: a scalar load of an offset, 1.25 vector loads, 2.43 vector operations,
// 1.14 of which (shuffles and shifts) are bound to the ports of shuffles: 4.7 instructions.
//
//    Zen 2 to 4: 4 vector pipes, 2 of them shuffle and shift, 2 vector loads, 6 instructions a cycle: 0.78 cycles by
//      instructions, 0.63 by loads, 0.61 by operations.
//    Zen 5: 8 instructions a cycle: 0.63 by loads, 0.61 by operations. Measured: 0.71 on registers only (53 % of the
//      limit with VPOPCNT), because pipes that can shuffle take additions as well; 0.8 in this loop.
//    Skylake: 3 vector ports, 1 of them (p5) shuffles, 2 loads, 4 instructions a cycle: 1.18 cycles by instructions,
//      1.13 by loads, 1 by p5. With one pixel a byte p5 alone would need 2.
//    Alder Lake: 3 vector ports, 2 of them shuffle within lanes, 3 loads, 6 instructions a cycle: 0.81 by operations,
//      0.78 by instructions.
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"
#include "kernels/x86/nibble_counter.h"
#include "kernels/x86/nibble_window.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {
namespace {

struct NibblesAvx2 {
  using Vector = Avx2;
  using Bytes = __m256i;
  static constexpr int kBlocks = 1;
  static constexpr int kMaxPixels = 8;
  static constexpr PackedOrder kOrder = kNibbleOrder;

  static BNN_INLINE Bytes Index(const uint8_t* weights) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
  }
  static BNN_INLINE Bytes EightOfBlocks(const int32_t* from, int64_t) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static BNN_INLINE Bytes Table(const uint8_t* entry) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(entry)));
  }
  static BNN_INLINE Bytes Zero() { return _mm256_setzero_si256(); }
  static BNN_INLINE Bytes Splat16(int16_t x) { return _mm256_set1_epi16(x); }
  static BNN_INLINE Bytes Splat32(int32_t x) { return _mm256_set1_epi32(x); }
  static BNN_INLINE Bytes Shuffle(Bytes table, Bytes index) { return _mm256_shuffle_epi8(table, index); }
  static BNN_INLINE Bytes And(Bytes a, Bytes b) { return _mm256_and_si256(a, b); }
  static BNN_INLINE Bytes Add8(Bytes a, Bytes b) { return _mm256_add_epi8(a, b); }
  // In assembly: else gcc 12 copies the sums that a loop carries once a turn.
  static BNN_INLINE void Add8To(Bytes& sum, Bytes x) { __asm__("vpaddb %1, %0, %0" : "+x"(sum) : "x"(x)); }
  static BNN_INLINE void Add16To(Bytes& sum, Bytes x) { __asm__("vpaddw %1, %0, %0" : "+x"(sum) : "x"(x)); }
  static BNN_INLINE Bytes Add16(Bytes a, Bytes b) { return _mm256_add_epi16(a, b); }
  static BNN_INLINE Bytes Add32(Bytes a, Bytes b) { return _mm256_add_epi32(a, b); }
  static BNN_INLINE Bytes Sub16(Bytes a, Bytes b) { return _mm256_sub_epi16(a, b); }
  static BNN_INLINE Bytes Sub32(Bytes a, Bytes b) { return _mm256_sub_epi32(a, b); }
  template <int kBits>
  static BNN_INLINE Bytes Left16(Bytes x) {
    return _mm256_slli_epi16(x, kBits);
  }
  template <int kBits>
  static BNN_INLINE Bytes Right16(Bytes x) {
    return _mm256_srli_epi16(x, kBits);
  }
  static BNN_INLINE Bytes MaddPairs(Bytes a, Bytes b) { return _mm256_madd_epi16(a, b); }

  // From channels 8 * v + (0 to 7) in x[v].
  static BNN_INLINE void ByBlock(const Bytes (&x)[4], Bytes (&blocks)[1][4]) {
    BNN_UNROLL for (int v = 0; v < 4; ++v) blocks[0][v] = x[v];
  }
};

struct LoopAvx2 {
  using N = NibblesAvx2;
  using Bytes = N::Bytes;
  using Place = WindowPlace;
  template <int kPairs>
  using Window = NibbleWindow<kPairs>;

  template <int kPairs>
  static BNN_INLINE void Fill(const TileInput& input, int pixels, Place& at, Window<kPairs>& window) {
    FillWindow(input, pixels % 2 == 0 ? input.pixel_step : 0, at, window);
  }

  // The table at `offset` in bytes.
  static BNN_INLINE Bytes Table(uint64_t offset) { return N::Table(&kHalfCountTables<16>.entry[0][0] + offset); }

  // The lookups of one nibble of all pairs: s[q] += half counts, or = if it is the first.
  template <int kPairs>
  static BNN_INLINE void Lookup(const NibbleWindow<kPairs>& window, int64_t nibble, const uint8_t* weights, bool first,
                                Bytes (&s)[kPairs]) {
    const Bytes index = N::Index(weights);
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) {
      const Bytes halves = N::Shuffle(Table(window.offsets[q][nibble]), index);
      if (first) {
        s[q] = halves;
        BNN_KEEP_ORDER(s[q]);
      } else {
        N::Add8To(s[q], halves);
      }
    }
  }

  template <int kPairs>
  static BNN_INLINE void FoldAll(const Bytes (&s)[kPairs], Bytes (&low)[kPairs], Bytes (&high)[kPairs]) {
    BNN_UNROLL for (int q = 0; q < kPairs; ++q) NibbleSums<N>::Fold(s[q], low[q], high[q]);
  }

  template <int kPairs>
  static BNN_NOINLINE void SumWindow(const NibbleWindow<kPairs>& window, const uint8_t* weights,
                                     int64_t /*block_bytes*/, Bytes (&sums)[kPairs][4]) {
    const Bytes zero = N::Zero();
    const int64_t nibbles = window.words * kNibblesPerWord;
    int64_t nibble = 0;
    while (nibble < nibbles) {
      Bytes s[kPairs], low[kPairs], high[kPairs];
      BNN_UNROLL for (int q = 0; q < kPairs; ++q) low[q] = high[q] = zero;
      const bool more = nibble > 0;
      int64_t end = nibble + kFoldsPerWiden * kLookupsPerFold;
      if (end > nibbles) end = nibbles;
      for (; end - nibble >= kLookupsPerFold; nibble += kLookupsPerFold) {
        BNN_UNROLL for (int i = 0; i < kLookupsPerFold; ++i) Lookup(window, nibble + i, weights + i * 32, i == 0, s);
        FoldAll(s, low, high);
        weights += kLookupsPerFold * 32;
      }
      if (nibble < end) {
        BNN_UNROLL for (int q = 0; q < kPairs; ++q) s[q] = zero;
        BNN_NO_UNROLL for (; nibble < end; ++nibble) {
          Lookup(window, nibble, weights, false, s);
          weights += 32;
        }
        FoldAll(s, low, high);
      }
      NibbleSums<N>::Widen(more, low, high, sums);
    }
  }
};

using CountAvx2 = NibbleCounter<NibblesAvx2, LoopAvx2>;

}  // namespace
}  // namespace bnn::kernels
