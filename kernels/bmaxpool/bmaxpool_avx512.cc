#include <immintrin.h>

#include "kernels/bmaxpool/bmaxpool_rows.h"
#include "kernels/bmaxpool/bmaxpool_table.h"

namespace bnn::kernels {
namespace {

struct PoolAvx512 {
  using Int = __m512i;
  using Selection = __m512i;
  static constexpr int kLanes = 16;

  static BNN_INLINE Int Zero() { return _mm512_setzero_si512(); }
  static BNN_INLINE Int Or(Int a, Int b) { return _mm512_or_si512(a, b); }
  static BNN_INLINE Int Xor(Int a, Int b) { return _mm512_xor_si512(a, b); }
  static BNN_INLINE Int Choose(Int mask, Int yes, Int no) { return _mm512_ternarylogic_epi32(mask, yes, no, 0xCA); }
  static BNN_INLINE Int LoadWordsPart(const uint32_t* words, uint32_t lanes) {
    return _mm512_maskz_loadu_epi32(static_cast<__mmask16>(lanes), words);
  }
  static BNN_INLINE void StoreWords(uint32_t* words, Int x) { _mm512_storeu_si512(words, x); }
  static BNN_INLINE void StoreWordsPart(uint32_t* words, uint32_t lanes, Int x) {
    _mm512_mask_storeu_epi32(words, static_cast<__mmask16>(lanes), x);
  }
  static BNN_INLINE Selection SelectionOf(const int32_t* index) { return _mm512_loadu_si512(index); }
  static BNN_INLINE Int Select(Int a, Int b, Selection selection) { return _mm512_permutex2var_epi32(a, selection, b); }
};

}  // namespace

const BMaxPoolKernel kBMaxPoolAvx512 = {"bmaxpool_avx512", Isa::kAvx512, Pool<PoolAvx512>};

}  // namespace bnn::kernels
