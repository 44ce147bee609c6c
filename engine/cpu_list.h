// The CPUs that threads of a session run on.
//
// A step is cut into equal parts and waits for the slowest. Where cores differ (big.LITTLE), a part on a slow core
// makes the fast ones wait: four fast cores are faster than all eight. So threads of ours stay on the fastest cores of
// which there are enough, unless the caller names others.
#pragma once

#include <string>
#include <vector>

#include "bnn/status.h"

namespace bnn::engine {

using CpuList = std::vector<int>;  // numbers of the system, ascending, each once

inline constexpr int kMaxCpus = 1024;  // as cpu_set_t holds

// "4-7", "0,2,5-6": how Linux writes lists of CPUs.
Result<CpuList> ParseCpuList(const std::string& text);

// Those that this thread may use; empty where the system does not say.
CpuList AllowedCpus();

// The fastest of `allowed`: as few classes of equal capacity as have `threads` CPUs together. Empty, for no preference,
// where those are all, or the system does not tell capacities. Linux does in `root`/cpuN/cpu_capacity.
CpuList FastestCpus(const CpuList& allowed, int threads, const std::string& root = "/sys/devices/system/cpu");

// What a caller asks for: the listed ones, each of which this thread may use; for "" the fastest for `threads`.
Result<CpuList> ChooseCpus(const std::string& option, int threads);

// Lets the calling thread run on these CPUs only. False where the system refuses.
bool StayOn(const CpuList& cpus);

}  // namespace bnn::engine
