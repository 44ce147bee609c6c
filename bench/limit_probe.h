// The limit that binary kernels are measured against: how many binary multiply-accumulates (MACs) a second this core
// can do when nothing but the arithmetic counts. A probe runs the operations of an inner loop on registers only,
// without any load, store or epilogue, on as many independent sums as hide all latencies.
//
// Each probe is the best sequence known for its instruction set, which its file derives. MACs an operation:
//
//   avx512vpopcnt   512 / 3      xor, vpopcntd, vpaddd
//   avx512          512 / 2.43   no popcount: tables of 16 sums, looked up by the weights for two pixels at once
//   avx2            256 / 2.43   the same in half the width
#pragma once

#include <cstdint>

#include "kernels/cpu_features.h"

namespace bnn::bench {

struct LimitProbe {
  kernels::Isa isa;
  const char* operations;  // what a round does, for people
  int64_t macs_per_round;
  // `*sink` receives what the rounds computed.
  void (*run)(int64_t rounds, uint32_t* sink);
};

// nullptr where no probe is written or the CPU lacks the instructions.
const LimitProbe* FindLimitProbe(kernels::Isa isa);

// A call that takes some microseconds, and the MACs that it does.
inline constexpr int64_t kProbeRounds = 1000;
void RunLimitProbe(const LimitProbe& probe);
inline int64_t MacsOf(const LimitProbe& probe) { return kProbeRounds * probe.macs_per_round; }

#if defined(__x86_64__)
extern const LimitProbe kLimitProbeAvx2;
extern const LimitProbe kLimitProbeAvx512;
extern const LimitProbe kLimitProbeAvx512Vpopcnt;
#endif

}  // namespace bnn::bench
