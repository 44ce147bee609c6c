// Words of bits in vectors of 512 bits, counted by AVX-512 VPOPCNTDQ. ISA files only.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/balance.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

struct WordsAvx512Vpopcnt {
  // 16 sums. The loops carry them as vectors of 32-bit integers, not as __m512i (which compilers define as 64-bit
  // ones): the conversions back and forth make gcc 12 copy every sum once a word.
  using Sum = int32_t __attribute__((vector_size(64)));

  // In assembly, because clang 14 takes the form for floats where it does not see what the vector is for, and with that
  // one (vbroadcastss) 1x1 over 256 channels takes 214 cycles a tile on Zen 4 instead of 183.
  static BNN_INLINE __m512i Broadcast(const uint32_t& word) {
    __m512i vector;
    __asm__("vpbroadcastd %1, %0" : "=v"(vector) : "m"(word));
    return vector;
  }

  static BNN_INLINE Sum Popcount(Sum x) {
    return reinterpret_cast<Sum>(_mm512_popcnt_epi32(reinterpret_cast<__m512i>(x)));
  }

  // Keeps the instructions that compute vectors in the order of these calls.
  static BNN_INLINE void Keep(Sum& vector) { __asm__ volatile("" : "+v"(vector)); }

  static BNN_INLINE Sum Difference(__m512i x, __m512i weights) {
    return reinterpret_cast<Sum>(_mm512_xor_si512(x, weights));
  }

  // For held_pixels.h: the words of a pixel in all lanes; a vector of weights, or what becomes of it, by word. AddUp()
  // leaves the half accumulators of balance.h in the first one.
  template <int kWords>
  struct HeldPixel {
    __m512i words[kWords];

    BNN_INLINE void Load(const uint32_t* in) {
      BNN_UNROLL for (int k = 0; k < kWords; ++k) {
        words[k] = Broadcast(in[k]);
        __asm__ volatile("" : "+v"(words[k]));
      }
    }
  };
  template <int kWords>
  struct VectorWords {
    Sum words[kWords];
  };
  template <int kWords>
  static BNN_INLINE void LoadVector(const uint32_t* weights, VectorWords<kWords>& vector) {
    BNN_UNROLL for (int k = 0; k < kWords; ++k) {
      vector.words[k] = reinterpret_cast<Sum>(_mm512_load_si512(weights + k * 16));
      Keep(vector.words[k]);
    }
  }
  template <int kWords>
  static BNN_INLINE void Differ(const HeldPixel<kWords>& pixel, const VectorWords<kWords>& weights,
                                VectorWords<kWords>& to) {
    BNN_UNROLL for (int k = 0; k < kWords; ++k) {
      to.words[k] = Difference(pixel.words[k], reinterpret_cast<__m512i>(weights.words[k]));
      Keep(to.words[k]);
    }
  }
  template <int kWords>
  static BNN_INLINE void CountEach(VectorWords<kWords>& vector) {
    BNN_UNROLL for (int k = 0; k < kWords; ++k) {
      vector.words[k] = Popcount(vector.words[k]);
      Keep(vector.words[k]);
    }
  }
  template <int kWords>
  static BNN_INLINE void AddUp(VectorWords<kWords>& vector) {
    Sum& sum = vector.words[0];
    BNN_UNROLL for (int k = 1; k < kWords; ++k) {
      if (k < AddedWords(kWords)) {
        sum += vector.words[k];
      } else {
        sum -= vector.words[k];
      }
    }
    Keep(sum);
  }
};

}  // namespace
}  // namespace bnn::kernels
