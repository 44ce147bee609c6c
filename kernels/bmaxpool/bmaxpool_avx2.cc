#include <immintrin.h>

#include "kernels/bmaxpool/bmaxpool_rows.h"
#include "kernels/bmaxpool/bmaxpool_table.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {
namespace {

struct PoolAvx2 {
  using Int = __m256i;
  static constexpr int kLanes = 8;

  static BNN_INLINE Int Zero() { return _mm256_setzero_si256(); }
  static BNN_INLINE Int Or(Int a, Int b) { return _mm256_or_si256(a, b); }
  static BNN_INLINE Int Xor(Int a, Int b) { return _mm256_xor_si256(a, b); }
  static BNN_INLINE Int Choose(Int mask, Int yes, Int no) {
    return _mm256_or_si256(_mm256_and_si256(mask, yes), _mm256_andnot_si256(mask, no));
  }
  static BNN_INLINE Int LoadWordsPart(const uint32_t* words, uint32_t lanes) {
    return _mm256_maskload_epi32(reinterpret_cast<const int*>(words), Avx2::LaneMask(lanes));
  }
  static BNN_INLINE void StoreWords(uint32_t* words, Int x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), x);
  }
  static BNN_INLINE void StoreWordsPart(uint32_t* words, uint32_t lanes, Int x) {
    _mm256_maskstore_epi32(reinterpret_cast<int*>(words), Avx2::LaneMask(lanes), x);
  }

  // There is no permutation of two sources: both are permuted by the index modulo 8, and a blend takes from b where the
  // index is 8 or more.
  struct Selection {
    Int index, from_b;
  };
  static BNN_INLINE Selection SelectionOf(const int32_t* index) {
    const Int lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index));
    return {lanes, _mm256_cmpgt_epi32(lanes, _mm256_set1_epi32(kLanes - 1))};
  }
  static BNN_INLINE Int Select(Int a, Int b, const Selection& selection) {
    return _mm256_blendv_epi8(_mm256_permutevar8x32_epi32(a, selection.index),
                              _mm256_permutevar8x32_epi32(b, selection.index), selection.from_b);
  }
};

}  // namespace

const BMaxPoolKernel kBMaxPoolAvx2 = {"bmaxpool_avx2", Isa::kAvx2, Pool<PoolAvx2>};

}  // namespace bnn::kernels
