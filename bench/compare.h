// One shape: all kernels that can run it, their limits and oneDNN in one contest.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/peers.h"
#include "bench/report.h"
#include "kernels/cpu_features.h"
#include "kernels/limits/limits.h"

namespace bnn::bench {

struct Competitor {
  std::string kernel;
  kernels::Isa isa = kernels::Isa::kReference;
  std::string output;
  std::function<void()> run;
  // Merely reads what a run has to read at least, if that may be what binds it.
  std::function<void(kernels::ReadWay)> read = nullptr;
};

struct Comparison {
  std::string name;  // of the case
  int64_t macs = 0;  // of one run
  std::vector<Competitor> kernels;
  std::unique_ptr<Peer> f32, int8;  // may be absent
};

// Adds what compete(kernel, output) makes of every kernel of a table that takes the shape, with every output, as far as
// the options want that row of the section.
template <class List, class Shape, class Outputs, class Compete>
void AddKernels(const std::string& section, const List& list, const Shape& shape, const Outputs& outputs,
                const Options& options, const Compete& compete, Comparison* comparison) {
  for (int64_t i = 0; i < list.size; ++i) {
    const auto& kernel = *list.begin[i];
    if (!options.WantsIsa(kernel.isa) || kernel.refuse(shape) != nullptr) continue;
    for (const Output output : outputs) {
      if (!options.WantsOutput(output)) continue;
      if (!options.WantsRow(section + "/" + comparison->name + "/" + kernel.name + "/" + NameOf(output))) continue;
      comparison->kernels.push_back(compete(kernel, output));
    }
  }
}

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct KernelResult {
  double seconds = kNone;         // of one run
  double limit = kNone;           // MACs a second of the instruction set's probe; kNone: no probe
  double popcount_share = kNone;  // of `limit`
  double vpopcnt_share = kNone;   // of the limit of AVX-512 VPOPCNTDQ
  double read_share = kNone;      // of the speed of merely reading the kernel's data
  double f32_ratio = kNone;       // how many times faster than oneDNN
  double int8_ratio = kNone;

  // Of the limit that binds: a run can be faster neither than its arithmetic nor than its reading, so its share is the
  // larger one of the two.
  double share() const;
};

struct ComparisonResult {
  std::vector<KernelResult> kernels;  // in the comparison's order
  double f32_seconds = kNone, int8_seconds = kNone;
};

ComparisonResult Compare(const Comparison& comparison, const ContestOptions& options);

// The table of such results: kernels, then the peers.
std::vector<Column> ComparisonColumns();
void AddComparisonRows(const Comparison& comparison, const ComparisonResult& result, Report& report);

}  // namespace bnn::bench
