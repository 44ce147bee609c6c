// What this core can do at most, by instruction set.
#include <vector>

#include "bench/sections.h"
#include "bench/timing.h"
#include "kernels/limits/limits.h"

namespace bnn::bench {

void RunLimitSection(const Options& options, Report& report) {
  report.BeginSection("limits", "binary multiply-accumulates of the best known inner loop on registers only",
                      {{"isa", "isa", 14},
                       {"operations", "operations", 68},
                       {"gmac_per_s", "GMAC/s", 7, 0},
                       {"vpopcnt_percent", "vpopcnt %", 9, 1}});
  std::vector<kernels::Isa> isas;
  std::vector<int> places;
  int vpopcnt = -1;
  const auto probe_of = [](kernels::Isa isa) -> const kernels::ArithmeticProbe& {
    return kernels::FindProbe(kernels::Arithmetic::kBinary, isa);
  };
  Contest contest(options.contest);
  for (const kernels::Isa isa : kernels::kAllIsas) {
    if (isa == kernels::Isa::kReference || !kernels::IsaSupported(isa)) continue;
    isas.push_back(isa);
    places.push_back(contest.Add([&probe = probe_of(isa)] { RunProbe(probe); }));
    if (isa == kernels::Isa::kAvx512Vpopcnt) vpopcnt = places.back();
  }
  contest.Run();
  for (size_t i = 0; i < isas.size(); ++i) {
    const kernels::ArithmeticProbe& probe = probe_of(isas[i]);
    const auto macs = static_cast<double>(MacsOf(probe));
    Cell share;
    if (vpopcnt >= 0) {
      const auto vpopcnt_macs = static_cast<double>(MacsOf(probe_of(kernels::Isa::kAvx512Vpopcnt)));
      share = 100 * contest.Speedup(places[i], vpopcnt) * macs / vpopcnt_macs;
    }
    report.AddRow({kernels::IsaName(isas[i]), probe.operations, macs / contest.Seconds(places[i]) * 1e-9, share});
  }
}

}  // namespace bnn::bench
