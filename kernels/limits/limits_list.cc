#include "kernels/limits/limits.h"
#include "kernels/limits/limits_table.h"

namespace bnn::kernels {
namespace {

constexpr const LimitProbes* kProbes[] = {
#if defined(__x86_64__)
    &kLimitsAvx512Vpopcnt, &kLimitsAvx512Vnni, &kLimitsAvx512, &kLimitsAvxVnni, &kLimitsAvx2,
#elif defined(__aarch64__) || defined(__arm__)
#if defined(BNN_ARM_EXTENSIONS)
    &kLimitsSve,
    &kLimitsNeonSha3,
#endif
    &kLimitsNeon,
#endif
    &kLimitsRef,
};

bool Runs(const LimitProbes& probes, Isa max_isa) {
  return probes.isa <= max_isa && IsaSupported(probes.isa) && (!probes.needs_vnni || HasVnni(probes.isa));
}

const ArithmeticProbe& ProbeOf(const LimitProbes& probes, Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::kNone:
    case Arithmetic::kBinary:
      return probes.binary;
    case Arithmetic::kFloat32:
      return probes.float32;
    case Arithmetic::kInt8:
      return probes.int8;
  }
  return probes.binary;
}

}  // namespace

LimitProbesList AllLimitProbes() { return {kProbes, static_cast<int64_t>(sizeof(kProbes) / sizeof(kProbes[0]))}; }

const ArithmeticProbe& FindProbe(Arithmetic arithmetic, Isa max_isa) {
  for (const LimitProbes* probes : kProbes) {
    const ArithmeticProbe& probe = ProbeOf(*probes, arithmetic);
    if (probe.operations != nullptr && Runs(*probes, max_isa)) return probe;
  }
  return ProbeOf(kLimitsRef, arithmetic);
}

void RunProbe(const ArithmeticProbe& probe, int64_t rounds) {
  uint32_t sink = 0;
  probe.run(rounds, &sink);
  __asm__ volatile("" : : "r"(sink));
}

void ReadAll(Isa isa, const void* data, int64_t bytes, ReadWay way) {
  for (const LimitProbes* probes : kProbes) {
    if (probes->read == nullptr || !Runs(*probes, isa)) continue;
    const auto* const begin = static_cast<const unsigned char*>(data);
    const uint64_t all = probes->read(begin, bytes / kMemoryStep * kMemoryStep, way);
    __asm__ volatile("" : : "r"(all));
    return;
  }
}

void WriteAll(Isa isa, void* data, int64_t bytes) {
  for (const LimitProbes* probes : kProbes) {
    if (probes->write == nullptr || !Runs(*probes, isa)) continue;
    probes->write(static_cast<unsigned char*>(data), bytes / kMemoryStep * kMemoryStep);
    return;
  }
}

}  // namespace bnn::kernels
