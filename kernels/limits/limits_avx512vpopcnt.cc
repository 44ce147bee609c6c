// xor + vpopcntd + vpaddd on registers, into 14 independent sums, in the pipeline of the kernels: one block after the
// other took 1.50 to 1.54 cycles a block on Zen 4, this takes 1.50. Keep also makes the compiler believe that the input
// changed, so that it repeats work on the same register.
#include "kernels/limits/limits_table.h"
#include "kernels/simd/inline.h"
#include "kernels/x86/popcount_avx512vpopcnt.h"

namespace bnn::kernels {
namespace {

constexpr int kSums = 14;

void RunBinary(int64_t rounds, uint32_t* sink) {
  using Counter = CountAvx512Vpopcnt;
  using Sum = Counter::Sum;
  const Sum weights = Sum{} + 0x5A5A1234;
  Sum in = Sum{} + 0x13579BDF;
  Sum sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
    Counter::CountInPipeline<kSums>(
        [&](int) BNN_INLINE_LAMBDA {
          Counter::Keep(in);
          return in ^ weights;
        },
        [&](int i, Sum count) BNN_INLINE_LAMBDA {
          sums[i] += count;
          Counter::Keep(sums[i]);
        });
  }
  BNN_UNROLL for (int i = 0; i < kSums; ++i) { *sink += static_cast<uint32_t>(sums[i][i]); }
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
