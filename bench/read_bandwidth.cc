#include "bench/read_bandwidth.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <vector>

#include "kernels/cpu_features.h"

namespace bnn::bench {
namespace {

constexpr int64_t kUnroll = 256;  // bytes that one turn of a loop reads

// One pass over [data, data + bytes), bytes a multiple of kUnroll. The result depends on every byte, so that the
// compiler keeps the loads; four accumulators keep the latency of the additions from being the limit.
using ReadFn = uint64_t (*)(const unsigned char* data, int64_t bytes);

uint64_t ReadPlain(const unsigned char* data, int64_t bytes) {
  const auto* words = reinterpret_cast<const uint64_t*>(data);
  uint64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (int64_t i = 0; i < bytes / 8; i += 4) {
    s0 += words[i];
    s1 += words[i + 1];
    s2 += words[i + 2];
    s3 += words[i + 3];
  }
  return s0 + s1 + s2 + s3;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) uint64_t ReadAvx2(const unsigned char* data, int64_t bytes) {
  const auto* from = reinterpret_cast<const __m256i*>(data);
  __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
  for (int64_t i = 0; i < bytes / 32; i += 4) {
    s0 = _mm256_add_epi64(s0, _mm256_load_si256(from + i));
    s1 = _mm256_add_epi64(s1, _mm256_load_si256(from + i + 1));
    s2 = _mm256_add_epi64(s2, _mm256_load_si256(from + i + 2));
    s3 = _mm256_add_epi64(s3, _mm256_load_si256(from + i + 3));
  }
  alignas(32) uint64_t lane[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lane),
                     _mm256_add_epi64(_mm256_add_epi64(s0, s1), _mm256_add_epi64(s2, s3)));
  return lane[0] + lane[1] + lane[2] + lane[3];
}

__attribute__((target("avx512f"))) uint64_t ReadAvx512(const unsigned char* data, int64_t bytes) {
  __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
  for (int64_t i = 0; i < bytes; i += 256) {
    s0 = _mm512_add_epi64(s0, _mm512_load_si512(data + i));
    s1 = _mm512_add_epi64(s1, _mm512_load_si512(data + i + 64));
    s2 = _mm512_add_epi64(s2, _mm512_load_si512(data + i + 128));
    s3 = _mm512_add_epi64(s3, _mm512_load_si512(data + i + 192));
  }
  alignas(64) uint64_t lane[8];
  _mm512_store_si512(lane, _mm512_add_epi64(_mm512_add_epi64(s0, s1), _mm512_add_epi64(s2, s3)));
  return lane[0] + lane[1] + lane[2] + lane[3] + lane[4] + lane[5] + lane[6] + lane[7];
}
#endif

ReadFn WidestRead() {
#if defined(__x86_64__)
  if (kernels::IsaSupported(kernels::Isa::kAvx512)) return ReadAvx512;
  if (kernels::IsaSupported(kernels::Isa::kAvx2)) return ReadAvx2;
#endif
  return ReadPlain;
}

double Measure(int64_t bytes) {
  struct alignas(64) Line {
    unsigned char bytes[64] = {1};
  };
  bytes = std::max(kUnroll, bytes / kUnroll * kUnroll);
  const std::vector<Line> lines(static_cast<size_t>(bytes / 64));
  const auto* const data = reinterpret_cast<const unsigned char*>(lines.data());
  const ReadFn read = WidestRead();
  const int64_t passes = std::max<int64_t>(1, (int64_t{32} << 20) / bytes);
  double best = 0;
  // The best of several runs: whatever else the machine does can only slow one down.
  for (int run = 0; run < 15; ++run) {
    uint64_t sink = 0;
    const double begin = ThreadSeconds();
    for (int64_t pass = 0; pass < passes; ++pass) benchmark::DoNotOptimize(sink += read(data, bytes));
    best = std::max(best, static_cast<double>(bytes * passes) / (ThreadSeconds() - begin));
  }
  return best;
}

}  // namespace

double ThreadSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double ReadBandwidth(int64_t bytes) {
  static std::map<int64_t, double> measured;
  const auto [entry, is_new] = measured.try_emplace(bytes, 0.0);
  if (is_new) entry->second = Measure(bytes);
  return entry->second;
}

}  // namespace bnn::bench
