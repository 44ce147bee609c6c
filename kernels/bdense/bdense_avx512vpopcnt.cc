// The binary dense layer for AVX-512 VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512vpopcnt.h (tile, registers
// and ports are argued there) in the loops of kernels/simd/binary_loops.h; a single row in those of bdense_one_row.h.
#include "kernels/bdense/bdense_one_row.h"
#include "kernels/bdense/bdense_table.h"
#include "kernels/x86/popcount_avx512vpopcnt.h"

namespace bnn::kernels {
namespace {

// The counter of tiles, and for a single row one of streams (kernels/bdense/bdense_one_row.h): per word of input a
// broadcast, and per line of weights a load, xor, vpopcntd, vpsubd. The prefetches, a kilobyte ahead, do nothing for
// weights in L2 and bring those in L3 a tenth faster.
struct CountDenseAvx512Vpopcnt : CountAvx512Vpopcnt {
  template <int kStreams>
  static BNN_INLINE void CountStreams(int64_t words, const uint32_t* in, const uint32_t* weights, int64_t apart,
                                      int32_t start, __m512i (&halves)[kStreams][1][2]) {
    Sum sums[kStreams][2];
    BNN_UNROLL for (int s = 0; s < kStreams; ++s) { BNN_UNROLL for (int v = 0; v < 2; ++v) sums[s][v] = Sum{} + start; }
    const uint32_t* other = weights + apart;
    for (int64_t w = 0; w < words; ++w) {
      const __m512i x = Broadcast(in[w]);
      BNN_UNROLL for (int s = 0; s < kStreams; ++s) {
        const uint32_t* const from = (s == 0 ? weights : other) + w * kChannelBlock;
        PrefetchWeights(from);
        BNN_UNROLL for (int v = 0; v < 2; ++v) SubtractDifferences(x, _mm512_load_si512(from + v * 16), sums[s][v]);
      }
    }
    BNN_UNROLL for (int s = 0; s < kStreams; ++s) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) halves[s][0][v] = reinterpret_cast<__m512i>(sums[s][v]);
    }
  }
};

}  // namespace

const BDenseKernel kBDenseAvx512Vpopcnt = {"bdense_avx512vpopcnt",
                                           Isa::kAvx512Vpopcnt,
                                           RefuseBlockedBDense,
                                           BlockedBDenseWords,
                                           PackBlockedBDense,
                                           UnpackBlockedBDense,
                                           RunBDenseRowOrTiles<CountDenseAvx512Vpopcnt>};

}  // namespace bnn::kernels
