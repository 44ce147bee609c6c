// Times of runs, and of layers where the runner profiles.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/bnn_run/limit_meter.h"
#include "tools/bnn_run/preprocess.h"
#include "tools/bnn_run/profile.h"
#include "tools/bnn_run/runner.h"
#include "tools/bnn_run/statistics.h"

namespace bnn::run {

class Measurement {
 public:
  // From now on the limits of the processor are measured between the runs, for Profile.
  void EnableLimits(LimitMeter::Options options) { limit_meter_.emplace(std::move(options)); }

  // Runs and remembers. `samples`: how many of the batch are real.
  Status TimedRun(Runner& runner, int64_t samples);

  LatencySummary Latency() const { return Summarize(run_seconds_); }
  int64_t num_runs() const { return static_cast<int64_t>(run_seconds_.size()); }
  double SamplesPerSecond() const;
  double total_seconds() const { return total_seconds_; }
  bool has_enough_limits() const { return !limit_meter_ || limit_meter_->has_enough(); }

  // Only with limits, after the last run.
  Result<Profile> MakeProfile(const Runner& runner);

 private:
  Status MeasureLimitsIfDue(Runner& runner);

  std::optional<LimitMeter> limit_meter_;
  std::vector<double> run_begins_;
  std::vector<double> run_seconds_;
  std::vector<double> overhead_seconds_;
  std::vector<std::vector<double>> step_seconds_;  // [step][run]
  double total_seconds_ = 0;
  int64_t samples_ = 0;
};

// Fills the inputs with random data: pixels 0..255 through the input's mean and scale for images, else normally
// distributed values. The same data in each process.
Status FillRandom(Runner& runner, const PreprocessFlags& flags);

// `warmup` runs that do not count, then `repeat` that do; 0: as many as fit into about two seconds, 10 to 1000.
Status Benchmark(Runner& runner, int64_t warmup, int64_t repeat, Measurement& measurement);

}  // namespace bnn::run
