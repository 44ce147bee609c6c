#include "bench/compare.h"

#include <cmath>
#include <iterator>

#include "bench/timing.h"
#include "kernels/limits/limits.h"

namespace bnn::bench {
namespace {

constexpr int kAbsent = -1;

// The numbers of a kernel and of what it is measured against, in a contest.
struct Places {
  int kernel = kAbsent;
  int probe = kAbsent;
  int vpopcnt_probe = kAbsent;
  int read[std::size(kernels::kReadWays)] = {kAbsent, kAbsent};
};

const kernels::ArithmeticProbe& ProbeOf(kernels::Isa isa) {
  return kernels::FindProbe(kernels::Arithmetic::kBinary, isa);
}

// Only instruction sets that the CPU has are limits; plain C++ is none.
int AddProbe(kernels::Isa isa, Contest& contest) {
  if (isa == kernels::Isa::kReference || !kernels::IsaSupported(isa)) return kAbsent;
  return contest.Add([isa] { RunProbe(ProbeOf(isa)); });
}

// A kernel stands right behind its limits.
Places AddKernel(const Competitor& competitor, Contest& contest) {
  Places places;
  places.vpopcnt_probe = AddProbe(kernels::Isa::kAvx512Vpopcnt, contest);
  places.probe =
      competitor.isa == kernels::Isa::kAvx512Vpopcnt ? places.vpopcnt_probe : AddProbe(competitor.isa, contest);
  for (size_t i = 0; competitor.read != nullptr && i < std::size(kernels::kReadWays); ++i) {
    places.read[i] = contest.Add([&competitor, i] { competitor.read(kernels::kReadWays[i]); });
  }
  places.kernel = contest.Add(competitor.run);
  return places;
}

int AddPeer(const std::unique_ptr<Peer>& peer, Contest& contest) {
  return peer == nullptr ? kAbsent : contest.Add([&peer] { peer->Run(); });
}

double SecondsOf(const Contest& contest, int contender) {
  return contender == kAbsent ? kNone : contest.Seconds(contender);
}

double SpeedupOf(const Contest& contest, int contender, int other) {
  return other == kAbsent ? kNone : contest.Speedup(contender, other);
}

// A kernel's MACs a second relative to a probe's.
double ShareOf(const Contest& contest, const Places& places, int64_t macs, kernels::Isa isa, int probe_place) {
  if (probe_place == kAbsent) return kNone;
  const auto probe_macs = static_cast<double>(MacsOf(ProbeOf(isa)));
  return contest.Speedup(places.kernel, probe_place) * static_cast<double>(macs) / probe_macs;
}

KernelResult ResultOf(const Contest& contest, const Places& places, const Competitor& competitor, int64_t macs) {
  KernelResult result;
  result.seconds = contest.Seconds(places.kernel);
  if (places.probe != kAbsent) {
    result.limit = static_cast<double>(MacsOf(ProbeOf(competitor.isa))) / contest.Seconds(places.probe);
  }
  result.popcount_share = ShareOf(contest, places, macs, competitor.isa, places.probe);
  result.vpopcnt_share = ShareOf(contest, places, macs, kernels::Isa::kAvx512Vpopcnt, places.vpopcnt_probe);
  if (competitor.read != nullptr) {
    result.read_share = contest.Speedup(places.kernel, contest.Faster(places.read[0], places.read[1]));
  }
  return result;
}

}  // namespace

double KernelResult::share() const { return std::fmax(popcount_share, read_share); }  // ignores what is absent

ComparisonResult Compare(const Comparison& comparison, const ContestOptions& options) {
  Contest contest(options);
  const int f32 = AddPeer(comparison.f32, contest);
  const int int8 = AddPeer(comparison.int8, contest);
  std::vector<Places> places;
  for (const Competitor& competitor : comparison.kernels) places.push_back(AddKernel(competitor, contest));
  contest.Run();

  ComparisonResult result;
  result.f32_seconds = SecondsOf(contest, f32);
  result.int8_seconds = SecondsOf(contest, int8);
  for (size_t i = 0; i < places.size(); ++i) {
    KernelResult kernel = ResultOf(contest, places[i], comparison.kernels[i], comparison.macs);
    kernel.f32_ratio = SpeedupOf(contest, places[i].kernel, f32);
    kernel.int8_ratio = SpeedupOf(contest, places[i].kernel, int8);
    result.kernels.push_back(kernel);
  }
  return result;
}

std::vector<Column> ComparisonColumns() {
  return {{"case", "case", 24},
          {"kernel", "kernel", 43},
          {"output", "output", 8},
          {"us", "us", 8, 2},
          {"gmac_per_s", "GMAC/s", 7, 0},
          {"limit_gmac_per_s", "limit", 6, 0},
          {"share_percent", "share %", 7, 1},
          {"vpopcnt_percent", "vpopcnt %", 9, 1},
          {"read_percent", "read %", 6, 1},
          {"times_onednn_f32", "x f32", 6, 1},
          {"times_onednn_int8", "x int8", 6, 1}};
}

void AddComparisonRows(const Comparison& comparison, const ComparisonResult& result, Report& report) {
  const auto rate = [&](double seconds) { return static_cast<double>(comparison.macs) / seconds * 1e-9; };
  for (size_t i = 0; i < result.kernels.size(); ++i) {
    const Competitor& competitor = comparison.kernels[i];
    const KernelResult& kernel = result.kernels[i];
    report.AddRow({comparison.name, competitor.kernel, competitor.output, kernel.seconds * 1e6, rate(kernel.seconds),
                   kernel.limit * 1e-9, kernel.share() * 100, kernel.vpopcnt_share * 100, kernel.read_share * 100,
                   kernel.f32_ratio, kernel.int8_ratio});
  }
  const auto add_peer = [&](const std::unique_ptr<Peer>& peer, double seconds) {
    if (peer == nullptr) return;
    report.AddRow({comparison.name, peer->name(), "", seconds * 1e6, rate(seconds), {}, {}, {}, {}, {}, {}});
  };
  add_peer(comparison.f32, result.f32_seconds);
  add_peer(comparison.int8, result.int8_seconds);
}

}  // namespace bnn::bench
