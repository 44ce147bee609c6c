#include "bench/limit_probe.h"

#include <benchmark/benchmark.h>

namespace bnn::bench {
namespace {

const LimitProbe* ProbeOf(kernels::Isa isa) {
#if defined(__x86_64__)
  for (const LimitProbe* probe : {&kLimitProbeAvx2, &kLimitProbeAvx512, &kLimitProbeAvx512Vpopcnt}) {
    if (probe->isa == isa) return probe;
  }
#endif
  return nullptr;
}

}  // namespace

const LimitProbe* FindLimitProbe(kernels::Isa isa) { return kernels::IsaSupported(isa) ? ProbeOf(isa) : nullptr; }

void RunLimitProbe(const LimitProbe& probe) {
  uint32_t sink = 0;
  probe.run(kProbeRounds, &sink);
  benchmark::DoNotOptimize(sink);
}

}  // namespace bnn::bench
