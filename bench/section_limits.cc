// What this core can do at most, by instruction set.
#include <vector>

#include "bench/limit_probe.h"
#include "bench/sections.h"
#include "bench/timing.h"

namespace bnn::bench {

void RunLimitSection(const Options& options, Report& report) {
  report.BeginSection("limits", "binary multiply-accumulates of the best known inner loop on registers only",
                      {{"isa", "isa", 14},
                       {"operations", "operations", 68},
                       {"gmac_per_s", "GMAC/s", 7, 0},
                       {"vpopcnt_percent", "vpopcnt %", 9, 1}});
  std::vector<const LimitProbe*> probes;
  std::vector<int> places;
  int vpopcnt = -1;
  Contest contest(options.contest);
  for (const kernels::Isa isa : kernels::kAllIsas) {
    const LimitProbe* const probe = FindLimitProbe(isa);
    if (probe == nullptr) continue;
    probes.push_back(probe);
    places.push_back(contest.Add([probe] { RunLimitProbe(*probe); }));
    if (isa == kernels::Isa::kAvx512Vpopcnt) vpopcnt = places.back();
  }
  contest.Run();
  for (size_t i = 0; i < probes.size(); ++i) {
    const auto macs = static_cast<double>(MacsOf(*probes[i]));
    Cell share;
    if (vpopcnt >= 0) {
      const auto vpopcnt_macs = static_cast<double>(MacsOf(*FindLimitProbe(kernels::Isa::kAvx512Vpopcnt)));
      share = 100 * contest.Speedup(places[i], vpopcnt) * macs / vpopcnt_macs;
    }
    report.AddRow(
        {kernels::IsaName(probes[i]->isa), probes[i]->operations, macs / contest.Seconds(places[i]) * 1e-9, share});
  }
}

}  // namespace bnn::bench
