#include "tools/bnn_run/measure.h"

#include <numeric>
#include <random>

namespace bnn::run {
namespace {

constexpr double kBenchmarkSeconds = 2.0;
constexpr int64_t kMinRuns = 10, kMaxRuns = 1000;

}  // namespace

// The run that follows a measurement finds its data pushed out of the caches, so that it does not count.
Status Measurement::MeasureLimitsIfDue(Runner& runner) {
  if (!limit_meter_ || !limit_meter_->IsDue()) return OkStatus();
  BNN_RETURN_IF_ERROR(limit_meter_->Measure());
  return runner.Run().status();
}

Status Measurement::TimedRun(Runner& runner, int64_t samples) {
  BNN_RETURN_IF_ERROR(MeasureLimitsIfDue(runner));
  run_begins_.push_back(Now());
  BNN_ASSIGN_OR_RETURN(const double seconds, runner.Run());
  const std::span<const double> steps = runner.step_seconds();
  step_seconds_.resize(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) step_seconds_[i].push_back(steps[i]);
  overhead_seconds_.push_back(seconds - std::accumulate(steps.begin(), steps.end(), 0.0));
  run_seconds_.push_back(seconds);
  total_seconds_ += seconds;
  samples_ += samples;
  return OkStatus();
}

double Measurement::SamplesPerSecond() const {
  return total_seconds_ > 0 ? static_cast<double>(samples_) / total_seconds_ : 0;
}

Result<Profile> Measurement::MakeProfile(const Runner& runner) {
  BNN_RETURN_IF_ERROR(limit_meter_->Complete());
  BNN_ASSIGN_OR_RETURN(Profile profile,
                       run::MakeProfile({runner.plan(), run_begins_, run_seconds_, overhead_seconds_, step_seconds_},
                                        MedianLimits(limit_meter_->measured())));
  profile.limit_spans = limit_meter_->spans();
  return profile;
}

Status FillRandom(Runner& runner, const PreprocessFlags& flags) {
  std::mt19937 random(1);
  for (size_t i = 0; i < runner.input_infos().size(); ++i) {
    BNN_ASSIGN_OR_RETURN(const Preprocessor preprocessor, Preprocessor::Create(runner.input_infos()[i], flags));
    const std::span<float> input = runner.input(i);
    if (!preprocessor.is_image()) {
      std::normal_distribution<float> normal;
      for (float& value : input) value = normal(random);
      continue;
    }
    Array pixels;
    pixels.shape = runner.input_infos()[i].dims;
    pixels.shape[0] = runner.batch();
    pixels.data.resize(input.size());
    for (std::byte& pixel : pixels.data) pixel = static_cast<std::byte>(random() & 0xff);
    preprocessor.Fill({&pixels, runner.batch(), Feed::Order::kSame}, 0, runner.batch(), input);
  }
  return OkStatus();
}

Status Benchmark(Runner& runner, int64_t warmup, int64_t repeat, Measurement& measurement) {
  for (int64_t i = 0; i < warmup; ++i) {
    BNN_ASSIGN_OR_RETURN([[maybe_unused]] const double seconds, runner.Run());
  }
  const auto enough = [&] {
    const int64_t runs = measurement.num_runs();
    if (repeat > 0) return runs >= repeat;
    // Limits that are measured between the runs need their time, too.
    if (!measurement.has_enough_limits()) return false;
    return runs >= kMaxRuns || (runs >= kMinRuns && measurement.total_seconds() >= kBenchmarkSeconds);
  };
  while (!enough()) BNN_RETURN_IF_ERROR(measurement.TimedRun(runner, runner.batch()));
  return OkStatus();
}

}  // namespace bnn::run
