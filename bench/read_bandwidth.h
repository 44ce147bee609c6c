// How fast this core reads memory: the limit that kernels which only stream through data are measured against.
#pragma once

#include <cstdint>

namespace bnn::bench {

// CPU time of the calling thread: what it would take alone on its core, whatever else the machine does.
double ThreadSeconds();

// Bytes a second of CPU time at which one core reads `bytes` bytes over and over with the widest loads that it has.
// With a working set of a few hundred KB this is the bandwidth of L2. Measured once for each size, then remembered.
double ReadBandwidth(int64_t bytes);

}  // namespace bnn::bench
