// Quantization for AVX-512 F and BW.
#include "kernels/quantize/quantize_loops.h"
#include "kernels/quantize/quantize_table.h"
#include "kernels/x86/vec_avx512.h"

namespace bnn::kernels {
namespace {

// Masks of all lanes cost nothing: gcc 12 warns of its own header's unmasked forms.
constexpr __mmask16 kAll = 0xFFFF;

struct Quantize512 : Avx512 {
  static BNN_INLINE Float Div(Float a, Float b) { return _mm512_div_ps(a, b); }
  static BNN_INLINE Int Round(Float x) { return _mm512_maskz_cvtps_epi32(kAll, x); }

  // Packing works within 128-bit lanes: lane i of the bytes holds dwords i of n[0], n[1], n[2] and n[3].
  static BNN_INLINE Int Ordered(Int bytes) {
    const Int order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_maskz_permutexvar_epi32(kAll, order, bytes);
  }
  static BNN_INLINE Int Words(Int a, Int b, int32_t zero_point) {
    return _mm512_add_epi16(_mm512_packs_epi32(a, b), _mm512_set1_epi16(static_cast<int16_t>(zero_point)));
  }
  static BNN_INLINE void StoreBytes(const Int (&n)[4], int32_t zero_point, int8_t* to) {
    const Int bytes = _mm512_packs_epi16(Words(n[0], n[1], zero_point), Words(n[2], n[3], zero_point));
    _mm512_storeu_si512(to, Ordered(bytes));
  }
  static BNN_INLINE void StoreBytes(const Int (&n)[4], int32_t zero_point, uint8_t* to) {
    const Int bytes = _mm512_packus_epi16(Words(n[0], n[1], zero_point), Words(n[2], n[3], zero_point));
    _mm512_storeu_si512(to, Ordered(bytes));
  }
  static BNN_INLINE Int LoadBytes(const int8_t* from) {
    return _mm512_maskz_cvtepi8_epi32(kAll, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static BNN_INLINE Int LoadBytes(const uint8_t* from) {
    return _mm512_maskz_cvtepu8_epi32(kAll, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
};

}  // namespace

const QuantizeKernel kQuantizeAvx512 = {"quantize_avx512", Isa::kAvx512, RunQuantize<Quantize512>,
                                        RunDequantize<Quantize512>};

}  // namespace bnn::kernels
