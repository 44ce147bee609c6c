#include <immintrin.h>

#include "kernels/bitpack/bitpack_table.h"
#include "kernels/bitpack/bitpack_tiles.h"
#include "kernels/bitpack/bitunpack_tiles.h"
#include "kernels/bitpack/choose_avx2.h"
#include "kernels/bitpack/pixel_bits_avx2.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {
namespace {

struct PackAvx2 : Avx2 {
  static constexpr int kRegisterWords = 4;  // 16 thresholds, half of which lie in L1
  static constexpr bool kSkews = false;
  static constexpr int kTileVectors = 10;  // leaves 6 registers for two thresholds, the bits and what is loaded
  // 14 x 14 pixels. Then words wait in L1, which costs less than to leave a plane in the middle and come back: 82
  // instead of 67 % of reading on Zen 4. Of larger images 10 are better, by up to 7 %.
  static constexpr int kWholeVectors = 25;

  // t <= x: the second operand may come straight from memory.
  static BNN_INLINE Int Reached(Float x, Float t) { return _mm256_castps_si256(_mm256_cmp_ps(t, x, _CMP_LE_OQ)); }

  // Four comparisons of 8 channels each to one word. Their lanes are 0 or -1. A blend puts the lower halves of the
  // lanes of one beside the higher halves of the other, a saturating pack narrows two such pairs to bytes without loss,
  // and one vpmovmskb takes the sign of all 32 bytes. What the blends and the pack have mixed is put in order between:
  //
  //   k = comparison, h = 128-bit half, j = lane of the half; bytes from the most significant index to the least
  //   blended and packed   h  k/2  j  k%2        vpshufb   h  k  j        vpermd   k  h  j
  //
  // On Zen 5 four comparisons (pipes 0, 1), three shuffles (1, 2), two blends (any pipe) take 2.33 cycles for 128
  // bytes. Packs instead of the blends would make it four shuffles, 2.67 cycles.
  static BNN_INLINE void StoreAtLeast(uint32_t* word, const Float (&x)[4], const Float (&t)[4]) {
    const Int low = _mm256_blend_epi16(Reached(x[0], t[0]), Reached(x[1], t[1]), 0xAA);
    const Int high = _mm256_blend_epi16(Reached(x[2], t[2]), Reached(x[3], t[3]), 0xAA);
    const Int in_half = _mm256_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15,  //
                                         0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15);
    const Int across = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const Int bytes = _mm256_shuffle_epi8(_mm256_packs_epi16(low, high), in_half);
    *word = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_permutevar8x32_epi32(bytes, across)));
  }

  using PixelBits = PixelBitsAvx2;
  static constexpr bool kSearchesLevels = false;

  struct StreamMask {};
  static BNN_INLINE StreamMask AllOfStream() { return {}; }
  static BNN_INLINE Float LoadStream(const float* from, StreamMask) { return Load(from); }
  static BNN_INLINE Float LoadFour(const float* from, uint32_t lanes) {
    return _mm256_zextps128_ps256(_mm_maskload_ps(from, _mm256_castsi256_si128(LaneMask(lanes))));
  }

  // Bit c of the low 16 bits of each lane and of the high ones: one AND for the comparisons of two channels, whose
  // halves vpblendw has put side by side. Five instructions for two vectors instead of six: 190 GB/s in L1 on Zen 5.
  using PairBits = Int;
  static BNN_INLINE PairBits FirstPair() { return _mm256_set1_epi32(0x10001); }
  static BNN_INLINE PairBits NextPair(PairBits bits) { return _mm256_add_epi32(bits, bits); }
  static BNN_INLINE Int SetPair(Int words, Float x, Float t, Float x16, Float t16, PairBits bits) {
    const Int halves = _mm256_blend_epi16(Reached(x, t), Reached(x16, t16), 0xAA);
    return _mm256_or_si256(words, _mm256_and_si256(halves, bits));
  }
  static BNN_INLINE Int SetLow(Int words, Float x, Float t, PairBits bits) {
    const Int low = _mm256_and_si256(bits, _mm256_set1_epi32(0xFFFF));
    return _mm256_or_si256(words, _mm256_and_si256(Reached(x, t), low));
  }
  static BNN_INLINE void StoreInt(uint32_t* lanes, Int words) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), words);
  }
};

struct UnpackAvx2 : ChooseAvx2 {
  static constexpr int kBlockWords = 8;  // whose values lie in L1
  static constexpr int kUnpackPixels = 4;
  static constexpr int kHeldValues = 8;
  static constexpr bool kUnpacksNarrowRows = true;
  using Lanes8 = ChooseAvx2;

  static BNN_INLINE Int PickWords(Int words, Int pixels) { return _mm256_permutevar8x32_epi32(words, pixels); }
  static constexpr int32_t MarkOf(int channel) { return 31 - channel; }  // moves the bit to the sign
  static BNN_INLINE Float ChooseMarked(Int words, Int marks, Float lo, Float hi) {
    return BySign(_mm256_sllv_epi32(words, marks), lo, hi);
  }
};

}  // namespace

const BitpackKernel kBitpackAvx2 = {"bitpack_avx2", Isa::kAvx2, Pack<PackAvx2>, Unpack<UnpackAvx2>};

}  // namespace bnn::kernels
