#include "bench/popcount_limit.h"

#include <time.h>

namespace bnn::bench {
namespace {

using Probe = int64_t (*)(int64_t rounds, uint32_t* sink);

Probe ProbeOf(kernels::Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case kernels::Isa::kAvx2:
      return ProbeAvx2;
    case kernels::Isa::kAvx512Vpopcnt:
      return ProbeAvx512Vpopcnt;
#else
    case kernels::Isa::kAvx2:
    case kernels::Isa::kAvx512Vpopcnt:
#endif
    case kernels::Isa::kAvx512:
    case kernels::Isa::kNeon:
    case kernels::Isa::kReference:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double PopcountLimit(kernels::Isa isa) {
  const Probe probe = ProbeOf(isa);
  if (probe == nullptr || !kernels::IsaSupported(isa)) return 0;
  constexpr int64_t kRounds = 200000;  // about 1 ms
  double best = 0;
  volatile uint32_t keep = 0;
  for (int i = 0; i < 10; ++i) {
    uint32_t sink = 0;
    const double begin = ThreadSeconds();
    const int64_t macs = probe(kRounds, &sink);
    const double rate = static_cast<double>(macs) / (ThreadSeconds() - begin);
    keep = sink;
    if (rate > best) best = rate;
  }
  static_cast<void>(keep);
  return best;
}

}  // namespace bnn::bench
