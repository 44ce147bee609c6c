// The part of the text report about the profile.
#include <fmt/format.h>

#include "tools/bnn_run/report.h"
#include "tools/bnn_run/table.h"

namespace bnn::run {
namespace {

std::string Milliseconds(double ms) { return fmt::format("{:.4f}", ms); }
std::string Percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string Rate(double value) { return value > 0 ? fmt::format("{:.1f}", value) : std::string("-"); }

std::string WorkingSet(int64_t bytes) {
  return bytes < (1 << 20) ? fmt::format("{} KiB", bytes >> 10) : fmt::format("{} MiB", bytes >> 20);
}

std::string LayerTable(const Profile& profile) {
  Table table({{"layer"},
               {"op"},
               {"kernel"},
               {"shape"},
               {"ms", Align::kRight},
               {"share", Align::kRight},
               {"GMAC/s", Align::kRight},
               {"limit ms", Align::kRight},
               {"of limit", Align::kRight},
               {"bound by"}});
  const auto share = [&](double ms) { return Percent(profile.run_ms > 0 ? ms / profile.run_ms : 0); };
  for (const LayerProfile& layer : profile.layers) {
    table.AddRow({layer.step.name, layer.step.op, layer.step.kernel, layer.step.shape, Milliseconds(layer.ms),
                  share(layer.ms), Rate(layer.gmacs_per_second), Milliseconds(layer.limit_ms),
                  Percent(layer.limit_share), BoundName(layer)});
  }
  table.AddLine();
  const double layers_share = profile.layers_ms > 0 ? profile.limit_ms / profile.layers_ms : 0;
  table.AddRow({"all layers", "", "", "", Milliseconds(profile.layers_ms), share(profile.layers_ms), "",
                Milliseconds(profile.limit_ms), Percent(layers_share), ""});
  table.AddRow(
      {"between layers", "", "", "", Milliseconds(profile.overhead_ms), share(profile.overhead_ms), "", "", "", ""});
  table.AddRow({"run", "", "", "", Milliseconds(profile.run_ms), "100.0 %", Rate(profile.gmacs_per_second),
                Milliseconds(profile.limit_ms), Percent(profile.limit_share), ""});
  return table.ToString();
}

std::string LimitTables(const Profile& profile) {
  const bnn_limits& limits = profile.limits;
  Table arithmetic({{"arithmetic"}, {"GMAC/s", Align::kRight}, {"best inner loop, on registers only"}});
  arithmetic.AddRow({"binary", Rate(1e-9 * limits.binary_macs), limits.binary_operations});
  arithmetic.AddRow({"float32", Rate(1e-9 * limits.float32_macs), limits.float32_operations});
  arithmetic.AddRow({"int8", Rate(1e-9 * limits.int8_macs), limits.int8_operations});
  Table memory({{"working set", Align::kRight}, {"read GB/s", Align::kRight}, {"write GB/s", Align::kRight}});
  for (int32_t i = 0; i < limits.num_bandwidths; ++i) {
    const bnn_bandwidth& bandwidth = limits.bandwidths[i];
    memory.AddRow({WorkingSet(bandwidth.bytes), Rate(1e-9 * bandwidth.read), Rate(1e-9 * bandwidth.write)});
  }
  return arithmetic.ToString() + "\n" + memory.ToString();
}

}  // namespace

void AddProfile(const Report& report, std::string& text) {
  const Profile& profile = *report.profile;
  text += fmt::format("\nTime of each layer (median of {} runs) and the least that this processor needs for it:\n",
                      report.timed_runs);
  text += LayerTable(profile);
  text += fmt::format("\nLimits of this processor with {} thread{} (medians of {} measurements among the runs):\n",
                      report.threads, report.threads == 1 ? "" : "s", profile.limit_spans.size());
  text += LimitTables(profile);
  if (report.threads > 1) {
    text += fmt::format("\nthreads   giving a step to all threads and waiting for them takes {:.2f} us\n",
                        1e6 * profile.limits.handover_seconds);
  }
  text += fmt::format(
      "\ntiming    the layers' medians add up to {:.4f} ms, the median run took {:.4f} ms; reading the clock takes "
      "{:.4f} ms of it\n",
      profile.layers_ms, profile.run_ms, profile.clock_ms);
  text += fmt::format("limit     network at {:.1f} % of its limit: {:.4f} of {:.4f} ms\n", 100 * profile.limit_share,
                      profile.limit_ms, profile.run_ms);
}

}  // namespace bnn::run
