#include <immintrin.h>

#include "kernels/bitpack/bitpack_table.h"
#include "kernels/bitpack/bitpack_tiles.h"
#include "kernels/bitpack/bitunpack_tiles.h"
#include "kernels/bitpack/choose_avx2.h"
#include "kernels/bitpack/pixel_bits_avx2.h"
#include "kernels/x86/vec_avx2.h"
#include "kernels/x86/vec_avx512.h"

namespace bnn::kernels {
namespace {

// SetBit: sets `bit` of the words in the lanes where x >= t.
struct SetBitZmm : Avx512 {
  static BNN_INLINE Int SetBit(Int words, Float x, Float t, Int bit) {
    return _mm512_mask_or_epi32(words, _mm512_cmp_ps_mask(t, x, _CMP_LE_OQ), words, bit);
  }
};

struct SetBitYmm : Avx2 {
  static BNN_INLINE Int SetBit(Int words, Float x, Float t, Int bit) {
    const Int reached = _mm256_castps_si256(_mm256_cmp_ps(t, x, _CMP_LE_OQ));
    return _mm256_ternarylogic_epi32(words, reached, bit, 0xF8);  // words | (reached & bit)
  }
};

// The bits of channels c and c + 16 are doubled in every lane from channel to channel, which takes less than fetching
// them.
template <class V>
struct DoubledBits : V {
  using Int = typename V::Int;
  using Float = typename V::Float;

  struct PairBits {
    Int low, high;
  };
  static BNN_INLINE PairBits FirstPair() { return {V::SplatInt(1), V::SplatInt(0x10000)}; }
  static BNN_INLINE PairBits NextPair(const PairBits& bits) {
    return {V::Add(bits.low, bits.low), V::Add(bits.high, bits.high)};
  }
  static BNN_INLINE Int SetLow(Int words, Float x, Float t, const PairBits& bits) {
    return V::SetBit(words, x, t, bits.low);
  }
  static BNN_INLINE Int SetPair(Int words, Float x, Float t, Float x16, Float t16, const PairBits& bits) {
    return V::SetBit(V::SetBit(words, x, t, bits.low), x16, t16, bits.high);
  }
};

// A comparison writes its 16 results into a mask register, which already is half of a word of bits.
struct PackAvx512 : DoubledBits<SetBitZmm> {
  static constexpr int kRegisterWords = 4;  // 8 thresholds; 128 channels in one piece
  static constexpr bool kSkews = false;
  static constexpr int kTileVectors = 13;  // 14 x 14 pixels are one tile
  static constexpr int kWholeVectors = kTileVectors;

  // t <= x, because the second operand may come straight from memory. Two stores of 16 bits: joining the masks first
  // (kunpckwd, or a shift and an OR) takes longer than a second store.
  static BNN_INLINE void StoreAtLeast(uint32_t* word, const Float (&x)[2], const Float (&t)[2]) {
    BNN_UNROLL for (int v = 0; v < 2; ++v) { StoreMask(word, v, _mm512_cmp_ps_mask(t[v], x[v], _CMP_LE_OQ)); }
  }

  using PixelBits = PixelBitsAvx2;
  static constexpr bool kSearchesLevels = true;
  static BNN_INLINE Float LoadOrNan(const float* from, uint32_t lanes) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(__builtin_nanf("")), static_cast<__mmask16>(lanes), from);
  }
  static BNN_INLINE void StoreMask(uint32_t* word, int v, Mask mask) {
    const auto half = static_cast<uint16_t>(mask);
    __builtin_memcpy(reinterpret_cast<char*>(word) + 2 * v, &half, 2);
  }

  // With a mask of all lanes that the compiler does not know to be one.
  using StreamMask = __mmask16;
  static BNN_INLINE StreamMask AllOfStream() {
    StreamMask all = 0xFFFF;
    asm("" : "+k"(all));
    return all;
  }
  static BNN_INLINE Float LoadStream(const float* from, StreamMask all) { return _mm512_maskz_loadu_ps(all, from); }
  static BNN_INLINE Float LoadFour(const float* from, uint32_t lanes) {
    return _mm512_zextps128_ps512(_mm_maskz_loadu_ps(static_cast<__mmask8>(lanes), from));
  }

  static BNN_INLINE void StoreInt(uint32_t* lanes, Int words) { _mm512_storeu_si512(lanes, words); }
};

// Planes of pixels by halves of the vectors, for CPUs that split those anyway. There a comparison of 16 floats that
// writes a mask register and the OR under the mask take 1.65 cycles (Zen 4), and two comparisons of 8 floats that write
// a vector, each with an AND-OR in one, 1.24. With all the 32 registers of AVX-512.
struct PlanesYmm : DoubledBits<SetBitYmm> {
  static constexpr bool kSkews = true;
  static constexpr int kTileVectors = 25;  // 14 x 14 pixels are one tile
  static constexpr int kWholeVectors = kTileVectors;

  struct StreamMask {};
  static BNN_INLINE StreamMask AllOfStream() { return {}; }
  static BNN_INLINE Float LoadStream(const float* from, StreamMask) { return Load(from); }
  static BNN_INLINE Float LoadPart(const float* from, uint32_t lanes) {
    return _mm256_maskz_loadu_ps(static_cast<__mmask8>(lanes), from);
  }
  static BNN_INLINE Float LoadFour(const float* from, uint32_t lanes) {
    return _mm256_zextps128_ps256(_mm_maskz_loadu_ps(static_cast<__mmask8>(lanes), from));
  }

  static BNN_INLINE void StoreInt(uint32_t* lanes, Int words) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), words);
  }

  template <int kBy>
  static BNN_INLINE Int LanesFrom(Int here, Int next) {
    return _mm256_alignr_epi32(next, here, kBy);
  }
  static BNN_INLINE Int SelectBits(Int bits, Int a, Int b) { return _mm256_ternarylogic_epi32(bits, a, b, 0xCA); }
};

struct UnpackAvx512 : Avx512 {
  static constexpr int kBlockWords = 4;  // 16 values
  static constexpr int kUnpackPixels = 2;
  static constexpr int kHeldValues = 16;
  static constexpr bool kUnpacksNarrowRows = true;
  using Lanes8 = void;

  static BNN_INLINE Int Spread(uint32_t word) { return _mm512_set1_epi32(static_cast<int32_t>(word)); }
  // Faster than moving halves of the word from general to mask registers, of which there is one a cycle.
  static BNN_INLINE Float Choose(Int spread, int v, Float lo, Float hi) {
    const Int low_half = _mm512_setr_epi32(1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8,
                                           1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15);
    const Int bits = v == 0 ? low_half : _mm512_slli_epi32(low_half, 16);
    return _mm512_mask_blend_ps(_mm512_test_epi32_mask(spread, bits), lo, hi);
  }

  static BNN_INLINE Int PickWords(Int words, Int pixels) {
    return _mm512_maskz_permutexvar_epi32(0xFFFF, pixels, words);
  }
  static constexpr int32_t MarkOf(int channel) { return static_cast<int32_t>(uint32_t{1} << channel); }
  static BNN_INLINE Float ChooseMarked(Int words, Int marks, Float lo, Float hi) {
    return _mm512_mask_blend_ps(_mm512_test_epi32_mask(words, marks), lo, hi);
  }
};

// Where stores are half as fast, one pixel after the other is better than several side by side for longer: unpacking
// 250 channels on Zen 4 73 instead of 60 % of reading, 232 channels 94 and 80.
struct UnpackSplit : UnpackAvx512 {
  static constexpr int kBlockWords = 8;
  using Lanes8 = ChooseAvx2;
};

}  // namespace

const BitpackKernel kBitpackAvx512 = {"bitpack_avx512", Isa::kAvx512, Pack<PackAvx512>, Unpack<UnpackAvx512>};
const BitpackKernel kBitpackAvx512Ymm = {"bitpack_avx512_ymm", Isa::kAvx512, Pack<PackAvx512, PlanesYmm>,
                                         Unpack<UnpackSplit>, RefuseHalfVectors};

}  // namespace bnn::kernels
