#include <immintrin.h>

#include "kernels/bitpack/bitpack_table.h"
#include "kernels/bitpack/bitpack_tiles.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {
namespace {

struct PackAvx2 : Avx2 {
  static constexpr int kBlockWords = 2;   // packing: 8 of 16 registers hold thresholds
  static constexpr int kTileVectors = 8;  // leaves 8 registers for two thresholds, the bits and what is loaded

  // t <= x: the second operand may come straight from memory.
  static BNN_INLINE Int IsAtLeast(Float x, Float t) { return _mm256_castps_si256(_mm256_cmp_ps(t, x, _CMP_LE_OQ)); }

  // Four comparisons of 8 channels each to one word. The lanes are 0 or -1, so saturating packs narrow them to bytes
  // without loss, and one vpmovmskb takes the sign of all 32 bytes. Packs work within 128-bit halves and leave the
  // groups of four channels in the order 0 2 4 6 | 1 3 5 7 (of 8 groups); one cross-lane permutation restores it. That
  // is five instructions for 32 channels, where four vmovmskps with shifts and ORs take ten.
  //
  // On Zen 5 four comparisons (pipes 0, 1), four shuffles (1, 2) and the vpmovmskb take 3.0 cycles for 128 bytes, 43
  // bytes a cycle, where L2 delivers 46 to 60. That, and not the reading, is the limit of AVX2 there.
  static BNN_INLINE void StoreAtLeast(uint32_t* word, const Float (&x)[4], const Float (&t)[4]) {
    const Int low = _mm256_packs_epi32(IsAtLeast(x[0], t[0]), IsAtLeast(x[1], t[1]));
    const Int high = _mm256_packs_epi32(IsAtLeast(x[2], t[2]), IsAtLeast(x[3], t[3]));
    const Int order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const Int bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
    *word = static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
  }

  // Bit c of the low 16 bits of each lane and of the high ones: one AND for the comparisons of two channels, whose
  // halves vpblendw has put side by side. Three instructions instead of four.
  using ChannelBits = Int;
  static BNN_INLINE ChannelBits BitsOf(int64_t c) {
    return _mm256_set1_epi32(static_cast<int32_t>(uint32_t{0x10001} << c));
  }
  static BNN_INLINE Int SetAtLeast(Int words, Float x, Float t, Float x16, Float t16, ChannelBits bits) {
    const Int halves = _mm256_blend_epi16(IsAtLeast(x, t), IsAtLeast(x16, t16), 0xAA);
    return _mm256_or_si256(words, _mm256_and_si256(halves, bits));
  }
  static BNN_INLINE void StoreInt(uint32_t* lanes, Int words) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), words);
  }

  static BNN_INLINE Int Spread(uint32_t word) { return _mm256_set1_epi32(static_cast<int32_t>(word)); }
  // A variable shift moves bit 8 * v + l to the sign of lane l, which is all that vblendvps looks at.
  static BNN_INLINE Float Choose(Int spread, int v, Float lo, Float hi) {
    const int top = 31 - kLanes * v;
    const Int to_sign = _mm256_setr_epi32(top, top - 1, top - 2, top - 3, top - 4, top - 5, top - 6, top - 7);
    return _mm256_blendv_ps(lo, hi, _mm256_castsi256_ps(_mm256_sllv_epi32(spread, to_sign)));
  }
};

}  // namespace

const BitpackKernel kBitpackAvx2 = {"bitpack_avx2", Isa::kAvx2, Pack<PackAvx2>, Unpack<PackAvx2>};

}  // namespace bnn::kernels
