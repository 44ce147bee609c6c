// The dot products of bytes of CPUs without AVX-512 (Alder Lake), in 256 bits.
#include <immintrin.h>

#include "kernels/limits/limits_table.h"
#include "kernels/limits/vector_probes.h"

namespace bnn::kernels {
namespace {

struct Vectors {
  using Bytes = __m256i;
  static BNN_INLINE Bytes Zero() { return _mm256_setzero_si256(); }
  static BNN_INLINE Bytes Splat8(int8_t x) { return _mm256_set1_epi8(x); }
  static BNN_INLINE Bytes Dot8(Bytes sums, Bytes a, Bytes b) { return _mm256_dpbusd_avx_epi32(sums, a, b); }
};

constexpr ArithmeticProbe kInt8 = {"vpdpbusd, 256 bit", kSums * 32, RunInt8Probe<Vectors>};

}  // namespace

extern const LimitProbes kLimitsAvxVnni = {
    "limits_avxvnni", Isa::kAvx2, /*needs_vnni=*/true, /*binary=*/{}, /*float32=*/{}, kInt8, nullptr, nullptr};

}  // namespace bnn::kernels
