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
// compiler keeps the loads; four accumulators keep the additions from being the limit.
using ReadFn = uint64_t (*)(const unsigned char* data, int64_t bytes);

uint64_t ReadPlain(const unsigned char* data, int64_t bytes) {
  const auto* words = reinterpret_cast<const uint64_t*>(data);
  uint64_t sum[4] = {};
  for (int64_t i = 0; i < bytes / 8; i += 4) {
    for (int64_t j = 0; j < 4; ++j) sum[j] += words[i + j];
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) uint64_t ReadAvx2(const unsigned char* data, int64_t bytes) {
  __m256i sum[4] = {};
  for (int64_t i = 0; i < bytes; i += 128) {
    for (int j = 0; j < 4; ++j) {
      const auto* from = reinterpret_cast<const __m256i*>(data + i) + j;
      sum[j] = _mm256_add_epi64(sum[j], _mm256_load_si256(from));
    }
  }
  const __m256i total = _mm256_add_epi64(_mm256_add_epi64(sum[0], sum[1]), _mm256_add_epi64(sum[2], sum[3]));
  alignas(32) uint64_t lane[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lane), total);
  return lane[0] + lane[1] + lane[2] + lane[3];
}

__attribute__((target("avx512f"))) uint64_t ReadAvx512(const unsigned char* data, int64_t bytes) {
  __m512i sum[4] = {};
  for (int64_t i = 0; i < bytes; i += 256) {
    for (int j = 0; j < 4; ++j) sum[j] = _mm512_add_epi64(sum[j], _mm512_load_si512(data + i + 64 * j));
  }
  const __m512i total = _mm512_add_epi64(_mm512_add_epi64(sum[0], sum[1]), _mm512_add_epi64(sum[2], sum[3]));
  alignas(64) uint64_t lane[8];
  _mm512_store_si512(lane, total);
  uint64_t result = 0;
  for (const uint64_t value : lane) result += value;
  return result;
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
