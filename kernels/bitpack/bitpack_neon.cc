#include "kernels/arm/vec_neon.h"
#include "kernels/bitpack/bitpack_table.h"
#include "kernels/bitpack/bitpack_tiles.h"
#include "kernels/bitpack/bitunpack_tiles.h"

namespace bnn::kernels {
namespace {

struct PackNeon : Neon {
#if defined(__aarch64__)
  static constexpr int kRegisterWords = 2;  // 16 of 32 registers hold thresholds
  static constexpr int kTileVectors = 12;
#else
  static constexpr int kRegisterWords = 1;
  static constexpr int kTileVectors = 6;
#endif
  static constexpr bool kSkews = false;
  static constexpr int kWholeVectors = kTileVectors;

  static BNN_INLINE void StoreAtLeast(uint32_t* word, const Float (&x)[8], const Float (&t)[8]) {
    *word = AtLeast(x, t);
  }

  using PixelBits = void;
  static constexpr bool kSearchesLevels = false;

  struct StreamMask {};
  static BNN_INLINE StreamMask AllOfStream() { return {}; }
  static BNN_INLINE Float LoadStream(const float* from, StreamMask) { return Load(from); }
  static BNN_INLINE Float LoadFour(const float* from, uint32_t lanes) { return LoadPart(from, lanes); }

  using PairBits = uint32_t;  // bit c
  static BNN_INLINE PairBits FirstPair() { return 1; }
  static BNN_INLINE PairBits NextPair(PairBits bit) { return bit << 1; }

  // A comparison is all ones or all zeros, of which one selection keeps a bit.
  static BNN_INLINE Int SetBit(Int words, Float x, Float t, uint32_t bit) {
    return vbslq_s32(vdupq_n_u32(bit), vreinterpretq_s32_u32(IsAtLeast(x, t)), words);
  }
  static BNN_INLINE Int SetLow(Int words, Float x, Float t, PairBits bit) { return SetBit(words, x, t, bit); }
  static BNN_INLINE Int SetPair(Int words, Float x, Float t, Float x16, Float t16, PairBits bit) {
    return SetBit(SetBit(words, x, t, bit), x16, t16, bit << 16);
  }
  static BNN_INLINE void StoreInt(uint32_t* lanes, Int words) { vst1q_u32(lanes, vreinterpretq_u32_s32(words)); }
};

struct UnpackNeon : Neon {
  static constexpr int kBlockWords = 1;
  static constexpr int kUnpackPixels = 2;
  static constexpr int kHeldValues = 0;
  static constexpr bool kUnpacksNarrowRows = false;  // there is no such permutation
  using Lanes8 = void;                               // vectors of 4 are whole

  static BNN_INLINE Int Spread(uint32_t word) { return vreinterpretq_s32_u32(vdupq_n_u32(word)); }
  static BNN_INLINE Float Choose(Int spread, int v, Float lo, Float hi) {
    alignas(16) static constexpr uint32_t kBit[4] = {1, 2, 4, 8};
    const uint32x4_t bit = vshlq_u32(vld1q_u32(kBit), vdupq_n_s32(4 * v));
    return vbslq_f32(vtstq_u32(vreinterpretq_u32_s32(spread), bit), hi, lo);
  }
};

}  // namespace

const BitpackKernel kBitpackNeon = {"bitpack_neon", Isa::kNeon, Pack<PackNeon>, Unpack<UnpackNeon>};

}  // namespace bnn::kernels
