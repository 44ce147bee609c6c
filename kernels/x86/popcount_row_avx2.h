// The inner loop of the binary dense layer for AVX2 and a single row. ISA files only.
//
// One row uses every weight once, so the size of the weights counts, and tables of activations
// (kernels/x86/popcount_avx2.h) have no second pixel to count for. This loop reads the blocked order as it is.
//
// AVX2 has no popcount. A 16-entry table in a register gives the popcount of every nibble (vpshufb), so one block, 32
// input bits of one pixel against 8 output channels, is
//
//   xor | and 0x0F, shuffle | shift right 4, and 0x0F, shuffle | add the two lookups | add to the byte sums    8
//   operations
//
// Widening bytes to the 32-bit lane would cost 3 more a block, so it is delayed: a lookup adds at most 8 to a byte, so
// 31 blocks fit into it (31 * 8 = 248 <= 255). Then vpmaddubsw and vpmaddwd with ones sum the 4 bytes of each lane.
//
// Tile: 2 pixels x 32 output channels = 8 byte sums. Registers (16): 8 sums, table, nibble mask, a broadcast word,
// 3 temporaries = 14; the weights are memory operands of the xor. Per input word 8 weight loads and 2 broadcasts stand
// against 64 operations, so loads are no matter and a larger tile would gain nothing. The 32-bit sums are touched once
// in 31 words and live in L1. vpshufb (2 of 8 operations) runs on 2 ports of Intel's and AMD's cores of the last
// decade; the limit is the number of vector operations a cycle.
#pragma once

#include <cstdint>

#include "kernels/simd/counter.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {
namespace {

struct CountRowAvx2 : PlainCounter {
  using Vector = Avx2;
  static constexpr int kMaxPixels = 2;

  static constexpr int64_t kWordsPerByteSum = 31;

  // The popcount of every byte.
  static BNN_INLINE __m256i BytePopcounts(__m256i x) {
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                           0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i nibble = _mm256_set1_epi8(0x0F);
    const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, nibble));
    const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi32(x, 4), nibble));
    return _mm256_add_epi8(low, high);
  }

  // The sum of the 4 bytes of every 32-bit lane.
  static BNN_INLINE __m256i SumBytes(__m256i bytes) {
    const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  }

  // Adds `words` (at most kWordsPerByteSum) words of the run that starts at `in`.
  template <int kPixels>
  static BNN_INLINE void AddWords(int64_t words, const uint32_t* in, int64_t pixel_step, const uint32_t* weights,
                                  __m256i (&bytes)[kPixels][4]) {
    for (int64_t w = 0; w < words; ++w) {
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
        const __m256i x = _mm256_set1_epi32(static_cast<int32_t>(in[p * pixel_step + w]));
        BNN_UNROLL for (int v = 0; v < 4; ++v) {
          const __m256i weight = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + w * 32 + v * 8));
          bytes[p][v] = _mm256_add_epi8(bytes[p][v], BytePopcounts(_mm256_xor_si256(x, weight)));
        }
      }
    }
  }

  // halves -= the byte sums; the byte sums start again at 0.
  template <int kPixels>
  static BNN_INLINE void Widen(__m256i (&bytes)[kPixels][4], __m256i (&halves)[kPixels][4]) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 4; ++v) {
        halves[p][v] = _mm256_sub_epi32(halves[p][v], SumBytes(bytes[p][v]));
        bytes[p][v] = _mm256_setzero_si256();
      }
    }
  }

  // halves[p][v] -= the number of differing bits between the window of pixel p and the weights of the block, channels
  // 8 * v + (0 to 7).
  template <int kPixels>
  static BNN_INLINE void Count(const Input<kPixels>& input, const uint32_t* weights, int64_t,
                               __m256i (&blocks)[1][kPixels][4]) {
    __m256i(&halves)[kPixels][4] = blocks[0];
    const TapWalk& walk = *input.walk;
    const uint32_t* const in = input.in;
    const int64_t pixel_step = input.pixel_step;
    __m256i bytes[kPixels][4];
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < 4; ++v) bytes[p][v] = _mm256_setzero_si256();
    }
    int64_t room = kWordsPerByteSum;
    for (int64_t row = 0; row < walk.rows; ++row) {
      for (int64_t col = 0; col < walk.cols; ++col) {
        const uint32_t* run = in + row * walk.row_step + col * walk.col_step;
        for (int64_t left = walk.words; left > 0;) {
          const int64_t words = left < room ? left : room;
          AddWords<kPixels>(words, run, pixel_step, weights, bytes);
          run += words;
          weights += words * 32;
          left -= words;
          room -= words;
          if (room == 0) {
            Widen<kPixels>(bytes, halves);
            room = kWordsPerByteSum;
          }
        }
      }
    }
    Widen<kPixels>(bytes, halves);
  }
};

}  // namespace
}  // namespace bnn::kernels
