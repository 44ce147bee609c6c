#include "tools/bnn_run/profile.h"

#include <algorithm>
#include <chrono>

#include "tools/bnn_run/statistics.h"

namespace bnn::run {
namespace {

constexpr size_t kTimelineRuns = 24;

double Rate(int64_t macs, double ms) { return ms > 0 ? static_cast<double>(macs) / (ms * 1e6) : 0; }
double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

std::vector<RunTimes> LastRuns(const ProfileSource& source) {
  std::vector<RunTimes> runs;
  const size_t count = source.run_seconds.size();
  for (size_t run = count - std::min(count, kTimelineRuns); run < count; ++run) {
    RunTimes times{source.run_begins[run], source.run_seconds[run], {}};
    for (const std::vector<double>& step : source.step_seconds) times.step_seconds.push_back(step[run]);
    runs.push_back(std::move(times));
  }
  return runs;
}

}  // namespace

Result<Profile> MakeProfile(const ProfileSource& source, const bnn_limits& limits) {
  Profile profile;
  profile.run_ms = 1e3 * Quantile(source.run_seconds, 0.5);
  profile.overhead_ms = 1e3 * Quantile(source.overhead_seconds, 0.5);
  profile.limits = limits;
  int64_t total_macs = 0;
  for (size_t i = 0; i < source.step_seconds.size(); ++i) {
    LayerProfile layer;
    layer.step = source.plan[i];
    layer.ms = 1e3 * Quantile(source.step_seconds[i], 0.5);
    layer.gmacs_per_second = Rate(layer.step.macs, layer.ms);
    layer.share = Ratio(layer.ms, profile.run_ms);
    BNN_ASSIGN_OR_RETURN(const bnn_step_limit limit, FindStepLimit(limits, layer.step));
    layer.limit_ms = 1e3 * limit.seconds;
    layer.limit_share = Ratio(layer.limit_ms, layer.ms);
    layer.is_bound_by_data = limit.data_seconds > limit.arithmetic_seconds;
    profile.layers_ms += layer.ms;
    profile.limit_ms += layer.limit_ms;
    total_macs += layer.step.macs;
    profile.layers.push_back(std::move(layer));
  }
  profile.gmacs_per_second = Rate(total_macs, profile.run_ms);
  profile.limit_share = Ratio(profile.limit_ms, profile.run_ms);
  profile.clock_ms = 1e3 * ClockSeconds() * static_cast<double>(profile.layers.size() + 1);
  profile.runs = LastRuns(source);
  return profile;
}

const char* ArithmeticName(bnn_arithmetic arithmetic) {
  switch (arithmetic) {
    case BNN_ARITHMETIC_NONE:
      return "-";
    case BNN_ARITHMETIC_BINARY:
      return "binary";
    case BNN_ARITHMETIC_FLOAT32:
      return "float32";
    case BNN_ARITHMETIC_INT8:
      return "int8";
  }
  return "-";
}

const char* BoundName(const LayerProfile& layer) {
  return layer.is_bound_by_data || layer.step.macs == 0 ? "data" : ArithmeticName(layer.step.arithmetic);
}

double ClockSeconds() {
  using Clock = std::chrono::steady_clock;
  constexpr int kReadings = 1000;
  std::vector<double> samples;
  for (int sample = 0; sample < 5; ++sample) {
    const Clock::time_point begin = Clock::now();
    Clock::time_point end = begin;
    for (int i = 0; i < kReadings; ++i) end = Clock::now();
    samples.push_back(std::chrono::duration<double>(end - begin).count() / kReadings);
  }
  return Quantile(samples, 0.5);
}

}  // namespace bnn::run
