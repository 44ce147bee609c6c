// Quantization for AVX2 and FMA.
#include "kernels/quantize/quantize_loops.h"
#include "kernels/quantize/quantize_table.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {
namespace {

struct Quantize256 : Avx2 {
  static BNN_INLINE Float Div(Float a, Float b) { return _mm256_div_ps(a, b); }
  static BNN_INLINE Int Round(Float x) { return _mm256_cvtps_epi32(x); }
  static BNN_INLINE Int Sub(Int a, Int b) { return _mm256_sub_epi32(a, b); }

  // Packing works within 128-bit lanes: lane i of the bytes holds dwords i of n[0], n[1], n[2] and n[3].
  static BNN_INLINE Int Ordered(Int bytes) {
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  static BNN_INLINE Int Words(Int a, Int b, int32_t zero_point) {
    return _mm256_add_epi16(_mm256_packs_epi32(a, b), _mm256_set1_epi16(static_cast<int16_t>(zero_point)));
  }
  static BNN_INLINE void StoreBytes(const Int (&n)[4], int32_t zero_point, int8_t* to) {
    const Int bytes = _mm256_packs_epi16(Words(n[0], n[1], zero_point), Words(n[2], n[3], zero_point));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), Ordered(bytes));
  }
  static BNN_INLINE void StoreBytes(const Int (&n)[4], int32_t zero_point, uint8_t* to) {
    const Int bytes = _mm256_packus_epi16(Words(n[0], n[1], zero_point), Words(n[2], n[3], zero_point));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), Ordered(bytes));
  }
  static BNN_INLINE Int LoadBytes(const int8_t* from) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  }
  static BNN_INLINE Int LoadBytes(const uint8_t* from) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  }
};

}  // namespace

const QuantizeKernel kQuantizeAvx2 = {"quantize_avx2", Isa::kAvx2, RunQuantize<Quantize256>,
                                      RunDequantize<Quantize256>};

}  // namespace bnn::kernels
