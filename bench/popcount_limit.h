// The limit that binary kernels are measured against: how many binary multiply-accumulates a second this core can do
// when nothing but the arithmetic counts. The probes run the operations of an inner loop on registers only, without any
// load, store or epilogue, on as many independent sums as hide all latencies.
#pragma once

#include <cstdint>

#include "kernels/cpu_features.h"

namespace bnn::bench {

// Binary multiply-accumulates a second of the inner loop of that instruction set, or 0 where none is known (the
// reference). Measured anew at every call (about 10 ms), because the clock of a shared machine drifts: call it right
// beside what is compared with it. Time is this thread's CPU time.
double PopcountLimit(kernels::Isa isa);

// The CPU time that this thread has used.
double ThreadSeconds();

// The probes, one file an instruction set. Each does `rounds` rounds and returns the multiply-accumulates that it did;
// `*sink` receives what it computed.
int64_t ProbeAvx2(int64_t rounds, uint32_t* sink);
int64_t ProbeAvx512Vpopcnt(int64_t rounds, uint32_t* sink);

}  // namespace bnn::bench
