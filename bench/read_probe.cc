#include "bench/read_probe.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <benchmark/benchmark.h>

#include "kernels/cpu_features.h"

namespace bnn::bench {
namespace {

// One pass; bytes is a multiple of 256. The result depends on every byte, so that the compiler keeps the loads, and
// goes through enough accumulators that the latency of combining them is hidden behind two loads a cycle.
using ReadFn = uint64_t (*)(const unsigned char* data, int64_t bytes);

uint64_t ReadPlain(const unsigned char* data, int64_t bytes) {
  const auto* words = reinterpret_cast<const uint64_t*>(data);
  uint64_t sums[4] = {};
  for (int64_t i = 0; i < bytes / 8; i += 4) {
    for (int s = 0; s < 4; ++s) sums[s] |= words[i + s];
  }
  return sums[0] | sums[1] | sums[2] | sums[3];
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) uint64_t ReadAvx2(const unsigned char* data, int64_t bytes) {
  const auto* from = reinterpret_cast<const __m256i*>(data);
  __m256i sums[8];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (int64_t i = 0; i < bytes / 32; i += 8) {
#pragma GCC unroll 8
    for (int s = 0; s < 8; ++s) sums[s] = _mm256_or_si256(sums[s], _mm256_load_si256(from + i + s));
  }
  for (int s = 1; s < 8; ++s) sums[0] = _mm256_or_si256(sums[0], sums[s]);
  return static_cast<uint64_t>(_mm256_movemask_epi8(sums[0]));
}

__attribute__((target("avx512f"))) uint64_t ReadAvx512(const unsigned char* data, int64_t bytes) {
  __m512i sums[8];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  int64_t i = 0;
  for (; i + 512 <= bytes; i += 512) {
#pragma GCC unroll 8
    for (int s = 0; s < 8; ++s) sums[s] = _mm512_or_si512(sums[s], _mm512_load_si512(data + i + 64 * s));
  }
  for (; i < bytes; i += 64) sums[0] = _mm512_or_si512(sums[0], _mm512_load_si512(data + i));
  for (int s = 1; s < 8; ++s) sums[0] = _mm512_or_si512(sums[0], sums[s]);
  return _mm512_test_epi32_mask(sums[0], sums[0]);
}
#endif

ReadFn WidestRead() {
#if defined(__x86_64__)
  if (kernels::IsaSupported(kernels::Isa::kAvx512)) return ReadAvx512;
  if (kernels::IsaSupported(kernels::Isa::kAvx2)) return ReadAvx2;
#endif
  return ReadPlain;
}

}  // namespace

void ReadAll(const void* data, int64_t bytes) {
  static const ReadFn read = WidestRead();
  benchmark::DoNotOptimize(read(static_cast<const unsigned char*>(data), bytes / 256 * 256));
}

}  // namespace bnn::bench
