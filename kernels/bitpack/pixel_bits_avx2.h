// From the bits of pixels one behind the other to a word for each, 8 pixels at a time. ISA files only.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// Of pixel l the bits begin in byte l * channels / 8. Either half of the vector takes the four bytes from there on for
// each of its four pixels, out of 16 that begin with its first pixel, and moves them down by the rest of the division.
// They hold all of them: 25 channels and a rest of 7 are 32 bits.
class PixelBitsAvx2 {
 public:
  static constexpr int kPixels = 8;
  static constexpr int kReadsBytes = 32;  // at most

  // Up to 25.
  explicit PixelBitsAvx2(int channels) : second_half_(channels / 2) {
    alignas(32) uint8_t bytes[32];
    alignas(32) int32_t shifts[8];
    for (int l = 0; l < kPixels; ++l) {
      const int first = l * channels / 8 - (l < 4 ? 0 : second_half_);
      for (int i = 0; i < 4; ++i) bytes[4 * l + i] = static_cast<uint8_t>(first + i);
      shifts[l] = l * channels % 8;
    }
    bytes_ = _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
    shifts_ = _mm256_load_si256(reinterpret_cast<const __m256i*>(shifts));
    used_ = _mm256_set1_epi32(static_cast<int32_t>((uint32_t{1} << channels) - 1));
  }

  BNN_INLINE void Store(const char* from, uint32_t* to) const {
    const __m256i halves = _mm256_inserti128_si256(_mm256_castsi128_si256(Load(from)), Load(from + second_half_), 1);
    const __m256i words = _mm256_srlv_epi32(_mm256_shuffle_epi8(halves, bytes_), shifts_);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_and_si256(words, used_));
  }

 private:
  static BNN_INLINE __m128i Load(const char* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }

  __m256i bytes_, shifts_, used_;
  int second_half_;
};

}  // namespace
}  // namespace bnn::kernels
