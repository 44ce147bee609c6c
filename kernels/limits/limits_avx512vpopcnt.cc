// xor + vpopcntd + vpaddd on registers, into 14 independent sums as in kernels/x86/popcount_avx512vpopcnt.h, whose
// pipeline of blocks it has, too: one block after the other took 1.50 to 1.54 cycles a block on Zen 4, this takes 1.50.
// The empty assembly makes the compiler believe that the input changed, so that it repeats work on the same register,
// and keeps the instructions in order.
#include <immintrin.h>

#include "kernels/limits/limits_table.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

using Sum = uint32_t __attribute__((vector_size(64)));

constexpr int kSums = 14;
constexpr int kPopcountBehind = 2;
constexpr int kAddBehind = 4;

BNN_INLINE void Keep(Sum& vector) { __asm__ volatile("" : "+v"(vector)); }

void RunBinary(int64_t rounds, uint32_t* sink) {
  const Sum weights = Sum{} + 0x5A5A1234;
  Sum in = Sum{} + 0x13579BDF;
  Sum sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
    Sum blocks[kSums];
    BNN_UNROLL for (int i = 0; i < kSums + kAddBehind; ++i) {
      if (const int b = i - kAddBehind; b >= 0) {
        sums[b] += blocks[b];
        Keep(sums[b]);
      }
      if (const int b = i - kPopcountBehind; b >= 0 && b < kSums) {
        blocks[b] = reinterpret_cast<Sum>(_mm512_popcnt_epi32(reinterpret_cast<__m512i>(blocks[b])));
        Keep(blocks[b]);
      }
      if (i < kSums) {
        Keep(in);
        blocks[i] = in ^ weights;
        Keep(blocks[i]);
      }
    }
  }
  BNN_UNROLL for (int i = 0; i < kSums; ++i)* sink += sums[i][i];
}

}  // namespace

extern const LimitProbes kLimitsAvx512Vpopcnt = {
    "limits_avx512vpopcnt",
    Isa::kAvx512Vpopcnt,
    /*needs_vnni=*/false,
    {"xor, vpopcntd, vpaddd", kSums * 512, RunBinary},
    /*float32=*/{},
    /*int8=*/{},
    /*read=*/nullptr,
    /*write=*/nullptr,
};

}  // namespace bnn::kernels
