#include "bench/memory_probe.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <benchmark/benchmark.h>

#include <cstring>

namespace bnn::bench {
namespace {

// One pass over `bytes` bytes, a multiple of kStep. The result depends on every byte, so that the compiler keeps the
// loads, and goes through enough accumulators that the latency of combining them hides behind two loads a cycle.
//
// Beyond the first-level cache a single stream of loads is not the fastest way to read. Both halves at once, with
// prefetches 2 KB ahead, reached the most in L2 and L3 alike on Zen 5 (205 and 130 GB/s; one stream 200 and 122).
using ReadFn = uint64_t (*)(const unsigned char* data, int64_t bytes);
constexpr int64_t kStep = 256;
constexpr int64_t kAhead = 2048;
constexpr int64_t kFirstLevelBytes = 32 << 10;

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
  const int64_t half = bytes / 2;
  const bool prefetch = bytes > kFirstLevelBytes;
  __m256i sums[8];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (int64_t i = 0; i < half; i += kStep / 2) {
    const auto* low = reinterpret_cast<const __m256i*>(data + i);
    const auto* high = reinterpret_cast<const __m256i*>(data + half + i);
    if (prefetch) {
      for (int64_t line = 0; line < kStep / 2; line += 64) {
        _mm_prefetch(reinterpret_cast<const char*>(low) + kAhead + line, _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(high) + kAhead + line, _MM_HINT_T0);
      }
    }
#pragma GCC unroll 4
    for (int s = 0; s < 4; ++s) {
      sums[s] = _mm256_or_si256(sums[s], _mm256_load_si256(low + s));
      sums[s + 4] = _mm256_or_si256(sums[s + 4], _mm256_load_si256(high + s));
    }
  }
  for (int s = 1; s < 8; ++s) sums[0] = _mm256_or_si256(sums[0], sums[s]);
  return static_cast<uint64_t>(_mm256_movemask_epi8(sums[0]));
}

__attribute__((target("avx512f"))) uint64_t ReadAvx512(const unsigned char* data, int64_t bytes) {
  const int64_t half = bytes / 2;
  const bool prefetch = bytes > kFirstLevelBytes;
  __m512i sums[4];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  for (int64_t i = 0; i < half; i += kStep / 2) {
    const unsigned char* const low = data + i;
    const unsigned char* const high = data + half + i;
#pragma GCC unroll 2
    for (int s = 0; s < 2; ++s) {
      if (prefetch) {
        _mm_prefetch(reinterpret_cast<const char*>(low) + kAhead + 64 * s, _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(high) + kAhead + 64 * s, _MM_HINT_T0);
      }
      sums[s] = _mm512_or_si512(sums[s], _mm512_load_si512(low + 64 * s));
      sums[s + 2] = _mm512_or_si512(sums[s + 2], _mm512_load_si512(high + 64 * s));
    }
  }
  for (int s = 1; s < 4; ++s) sums[0] = _mm512_or_si512(sums[0], sums[s]);
  return _mm512_test_epi32_mask(sums[0], sums[0]);
}
#endif

// One pass of stores over `bytes` bytes, a multiple of kStep. The barriers keep the compiler from calling memset.
using WriteFn = void (*)(unsigned char* data, int64_t bytes);

void WritePlain(unsigned char* data, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 8) {
    std::memset(data + i, 0, 8);
    benchmark::ClobberMemory();
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void WriteAvx2(unsigned char* data, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 128) {
#pragma GCC unroll 4
    for (int s = 0; s < 4; ++s) _mm256_store_si256(reinterpret_cast<__m256i*>(data + i) + s, _mm256_setzero_si256());
    benchmark::ClobberMemory();
  }
}

__attribute__((target("avx512f"))) void WriteAvx512(unsigned char* data, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 256) {
#pragma GCC unroll 4
    for (int s = 0; s < 4; ++s) _mm512_store_si512(data + i + 64 * s, _mm512_setzero_si512());
    benchmark::ClobberMemory();
  }
}
#endif

ReadFn ReadOf(kernels::Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case kernels::Isa::kAvx2:
      return ReadAvx2;
    case kernels::Isa::kAvx512:
    case kernels::Isa::kAvx512Vpopcnt:
      return ReadAvx512;
#else
    case kernels::Isa::kAvx2:
    case kernels::Isa::kAvx512:
    case kernels::Isa::kAvx512Vpopcnt:
#endif
    case kernels::Isa::kNeon:  // compilers make 128-bit loads of the plain one
    case kernels::Isa::kReference:
      return ReadPlain;
  }
  return ReadPlain;
}

WriteFn WriteOf(kernels::Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case kernels::Isa::kAvx2:
      return WriteAvx2;
    case kernels::Isa::kAvx512:
    case kernels::Isa::kAvx512Vpopcnt:
      return WriteAvx512;
#else
    case kernels::Isa::kAvx2:
    case kernels::Isa::kAvx512:
    case kernels::Isa::kAvx512Vpopcnt:
#endif
    case kernels::Isa::kNeon:
    case kernels::Isa::kReference:
      return WritePlain;
  }
  return WritePlain;
}

}  // namespace

void ReadAll(kernels::Isa isa, const void* data, int64_t bytes) {
  benchmark::DoNotOptimize(ReadOf(isa)(static_cast<const unsigned char*>(data), bytes / kStep * kStep));
}

void WriteAll(kernels::Isa isa, void* data, int64_t bytes) {
  WriteOf(isa)(static_cast<unsigned char*>(data), bytes / kStep * kStep);
}

}  // namespace bnn::bench
