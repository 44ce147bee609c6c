#include "engine/cpu_list.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <map>

#ifdef __linux__
#include <sched.h>
#endif

namespace bnn::engine {
namespace {

#ifdef __linux__
static_assert(kMaxCpus == CPU_SETSIZE);
#endif

// Reads a number at `next` and moves behind it; -1 where there is none below kMaxCpus.
int ReadNumber(const char** next, const char* end) {
  int value = -1;
  const auto [behind, error] = std::from_chars(*next, end, value);
  if (error != std::errc() || value < 0 || value >= kMaxCpus) return -1;
  *next = behind;
  return value;
}

}  // namespace

Result<CpuList> ParseCpuList(const std::string& text) {
  const auto wrong = [&] {
    return InvalidArgument("cpus: found '" + text + "', expected CPU numbers from 0 to " +
                           std::to_string(kMaxCpus - 1) + " and ranges of them, as in '0,4-7'");
  };
  CpuList cpus;
  const char* next = text.data();
  const char* const end = next + text.size();
  while (true) {
    const int first = ReadNumber(&next, end);
    int last = first;
    if (first >= 0 && next != end && *next == '-') last = ReadNumber(&++next, end);
    if (first < 0 || last < first) return wrong();
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    if (next == end) break;
    if (*next++ != ',') return wrong();
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

CpuList AllowedCpus() {
  CpuList cpus;
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
#endif
  return cpus;
}

CpuList FastestCpus(const CpuList& allowed, int threads, const std::string& root) {
  std::map<int, CpuList, std::greater<>> classes;  // by capacity
  for (const int cpu : allowed) {
    std::ifstream file(root + "/cpu" + std::to_string(cpu) + "/cpu_capacity");
    int capacity = 0;
    if (!(file >> capacity)) return {};
    classes[capacity].push_back(cpu);
  }
  CpuList fastest;
  for (const auto& [capacity, cpus] : classes) {
    if (static_cast<int>(fastest.size()) >= threads) break;
    fastest.insert(fastest.end(), cpus.begin(), cpus.end());
  }
  if (fastest.size() == allowed.size()) return {};
  std::sort(fastest.begin(), fastest.end());
  return fastest;
}

Result<CpuList> ChooseCpus(const std::string& option, int threads) {
  const CpuList allowed = AllowedCpus();
  if (option.empty()) return FastestCpus(allowed, threads);
  BNN_ASSIGN_OR_RETURN(CpuList cpus, ParseCpuList(option));
  for (const int cpu : cpus) {
    if (std::binary_search(allowed.begin(), allowed.end(), cpu)) continue;
    return InvalidArgument("cpus: found " + std::to_string(cpu) +
                           ", which is not there or which this thread may not use");
  }
  return cpus;
}

bool StayOn(const CpuList& cpus) {
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;  // 0: the calling thread
#else
  return cpus.empty();
#endif
}

}  // namespace bnn::engine
