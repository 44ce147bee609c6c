// The inner loop of binary convolution and of the binary dense layer for AVX-512 VPOPCNTDQ. ISA files only.
//
// One block is 32 input bits of one pixel against 16 output channels: xor, vpopcntd, vpaddd on one register. Lanes are
// output channels, so a lane's sum is one output's popcount and nothing is ever summed across lanes.
//
// Tile: 7 pixels x 32 output channels = 14 sums. Per input word the tile takes 2 loads of weights, each used for 7
// pixels, and 7 broadcasts of an activation word, each used for 2 vectors of channels: 9 loads for 14 blocks = 42
// vector operations. A core with two 512-bit pipes needs 21 cycles for the operations, one with four at least 10.5, and
// either loads 2 vectors a cycle: the loads vanish behind the arithmetic. Fewer pixels would load more per block; 7
// divides the widths 7, 14, 28, 56 and 112 that networks have.
//
// Registers (32): 14 sums, 2 weights, 1 broadcast word (used twice at once), 2 temporaries = 19. Nothing spills, and
// out-of-order execution has free registers to overlap two words. Each sum is a chain of one addition (1 cycle) a word,
// 14 chains: latency never shows.
//
// Order: taps outside, words inside, the tile innermost. Sums never leave registers, weights are read straight through.
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"
#include "kernels/x86/vec_avx512.h"

namespace bnn::kernels {
namespace {

struct CountAvx512Vpopcnt {
  using Vector = Avx512;
  static constexpr int kMaxPixels = 7;

  // 16 sums. The loop carries them as vectors of 32-bit integers, not as __m512i (which compilers define as 64-bit
  // ones): the conversions back and forth make gcc 12 copy every sum once a word.
  using Sum = int32_t __attribute__((vector_size(64)));

  // One block: sum += popcount(x ^ weights) in every lane.
  static BNN_INLINE void AddDifferences(__m512i x, __m512i weights, Sum& sum) {
    sum += reinterpret_cast<Sum>(_mm512_popcnt_epi32(_mm512_xor_si512(x, weights)));
  }

  // counts[p][v] = the number of differing bits between the window of pixel p and the weights of the block, channels
  // 16 * v + (0 to 15).
  template <int kPixels>
  static BNN_INLINE void Count(const TapWalk& walk, const uint32_t* in, int64_t pixel_step, const uint32_t* weights,
                               __m512i (&counts)[kPixels][2]) {
    Sum sums[kPixels][2];
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) sums[p][0] = sums[p][1] = Sum{};
    for (int64_t row = 0; row < walk.rows; ++row) {
      for (int64_t col = 0; col < walk.cols; ++col) {
        const uint32_t* run = in + row * walk.row_step + col * walk.col_step;
        const uint32_t* pixel[kPixels];
        BNN_UNROLL for (int p = 0; p < kPixels; ++p) pixel[p] = run + p * pixel_step;
        for (int64_t w = 0; w < walk.words; ++w) {
          const __m512i weights_lo = _mm512_load_si512(weights);
          const __m512i weights_hi = _mm512_load_si512(weights + 16);
          BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
            const __m512i x = _mm512_set1_epi32(static_cast<int32_t>(pixel[p][w]));
            AddDifferences(x, weights_lo, sums[p][0]);
            AddDifferences(x, weights_hi, sums[p][1]);
          }
          weights += 32;
        }
      }
    }
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      counts[p][0] = reinterpret_cast<__m512i>(sums[p][0]);
      counts[p][1] = reinterpret_cast<__m512i>(sums[p][1]);
    }
  }
};

}  // namespace
}  // namespace bnn::kernels
