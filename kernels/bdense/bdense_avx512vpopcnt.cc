// The binary dense layer for AVX-512 VPOPCNTDQ: the inner loop of kernels/x86/popcount_avx512vpopcnt.h (tile, registers
// and ports are argued there) in the loops of kernels/simd/binary_loops.h; a single row in those of bdense_one_row.h.
// "_csa": see kernels/bconv2d/bconv2d_avx512vpopcnt.cc.
#include "kernels/bdense/bdense_one_row.h"
#include "kernels/bdense/bdense_table.h"
#include "kernels/x86/popcount_avx512vpopcnt.h"

namespace bnn::kernels {
namespace {

// The counter of tiles, and for a single row one of streams (kernels/bdense/bdense_one_row.h): per word of input a
// broadcast, and per line of weights a load, and of every plane xor, vpopcntd, vpsubd.
struct CountDenseAvx512Vpopcnt : CountAvx512Vpopcnt {
  template <int kStreams, int kPlanes>
  static BNN_INLINE void CountStreams(const OneRow& row, const uint32_t* weights, int64_t apart, int32_t start,
                                      __m512i (&halves)[kStreams][1][2]) {
    Sum sums[kPlanes][kStreams][2];
    BNN_UNROLL for (int i = 0; i < kPlanes; ++i) {
      BNN_UNROLL for (int s = 0; s < kStreams; ++s) {
        BNN_UNROLL for (int v = 0; v < 2; ++v) sums[i][s][v] = Sum{} + (i == 0 ? start : 0);
      }
    }
    const uint32_t* in[kPlanes];
    BNN_UNROLL for (int i = 0; i < kPlanes; ++i) in[i] = row.in + i * row.plane_step;
    const uint32_t* other = weights + apart;
    const int64_t words = row.words;
    const auto count = [&]<bool kPrefetch>() BNN_INLINE_LAMBDA {
      for (int64_t w = 0; w < words; ++w) {
        __m512i x[kPlanes];
        BNN_UNROLL for (int i = 0; i < kPlanes; ++i) x[i] = Broadcast(in[i][w]);
        BNN_UNROLL for (int s = 0; s < kStreams; ++s) {
          const uint32_t* const from = (s == 0 ? weights : other) + w * kChannelBlock;
          if constexpr (kPrefetch) PrefetchWeights(from + kWeightsAhead);
          BNN_UNROLL for (int v = 0; v < 2; ++v) {
            const __m512i line = _mm512_load_si512(from + v * 16);
            BNN_UNROLL for (int i = 0; i < kPlanes; ++i) SubtractDifferences(x[i], line, sums[i][s][v]);
          }
        }
      }
    };
    row.tuning.prefetches_weights ? count.template operator()<true>() : count.template operator()<false>();
    BNN_UNROLL for (int s = 0; s < kStreams; ++s) {
      BNN_UNROLL for (int v = 0; v < 2; ++v) {
        Sum sum = sums[kPlanes - 1][s][v];
        BNN_UNROLL for (int i = kPlanes - 2; i >= 0; --i) sum = (sum + sum) + sums[i][s][v];
        halves[s][0][v] = reinterpret_cast<__m512i>(sum);
      }
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
                                           RunBDenseRowOrTiles<CountDenseAvx512Vpopcnt, Tuning{}>};

const BDenseKernel kBDenseAvx512VpopcntCsa = {"bdense_avx512vpopcnt_csa",
                                              Isa::kAvx512Vpopcnt,
                                              RefuseBlockedBDense,
                                              BlockedBDenseWords,
                                              PackBlockedBDense,
                                              UnpackBlockedBDense,
                                              RunBDenseRowOrTiles<CountDenseAvx512Vpopcnt, kCarrySaving>,
                                              RefuseToSaveCarries};

}  // namespace bnn::kernels
