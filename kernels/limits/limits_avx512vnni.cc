// One instruction multiplies 64 pairs of bytes and adds the products by fours to 32-bit sums.
#include <immintrin.h>

#include "kernels/limits/limits_table.h"
#include "kernels/limits/vector_probes.h"

namespace bnn::kernels {
namespace {

struct Vectors {
  using Bytes = __m512i;
  static BNN_INLINE Bytes Zero() { return _mm512_setzero_si512(); }
  static BNN_INLINE Bytes Splat8(int8_t x) { return _mm512_set1_epi8(x); }
  static BNN_INLINE Bytes Dot8(Bytes sums, Bytes a, Bytes b) { return _mm512_dpbusd_epi32(sums, a, b); }
};

constexpr ArithmeticProbe kInt8 = {"vpdpbusd, 512 bit", kSums * 64, RunInt8Probe<Vectors>};

}  // namespace

extern const LimitProbes kLimitsAvx512Vnni = {
    "limits_avx512vnni", Isa::kAvx512, /*needs_vnni=*/true, /*binary=*/{}, /*float32=*/{}, kInt8, nullptr, nullptr};

}  // namespace bnn::kernels
