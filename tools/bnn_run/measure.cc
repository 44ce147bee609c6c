#include "tools/bnn_run/measure.h"

#include <numeric>
#include <random>

namespace bnn::run {
namespace {

constexpr double kBenchmarkSeconds = 2.0;
constexpr int64_t kMinRuns = 10, kMaxRuns = 1000;

double Rate(int64_t macs, double ms) { return ms > 0 ? static_cast<double>(macs) / (ms * 1e6) : 0; }

}  // namespace

Status Measurement::TimedRun(Runner& runner, int64_t samples) {
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

Profile Measurement::MakeProfile(const Runner& runner) const {
  Profile profile;
  profile.run_ms = 1e3 * Quantile(run_seconds_, 0.5);
  profile.overhead_ms = 1e3 * Quantile(overhead_seconds_, 0.5);
  int64_t total_macs = 0;
  for (size_t i = 0; i < step_seconds_.size(); ++i) {
    const StepInfo& step = runner.plan()[i];
    const int64_t macs = step.macs;
    const double ms = 1e3 * Quantile(step_seconds_[i], 0.5);
    profile.layers.push_back({step, ms, Rate(macs, ms), profile.run_ms > 0 ? ms / profile.run_ms : 0});
    profile.layers_ms += ms;
    total_macs += macs;
  }
  profile.gmacs_per_second = Rate(total_macs, profile.run_ms);
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
    return runs >= kMaxRuns || (runs >= kMinRuns && measurement.total_seconds() >= kBenchmarkSeconds);
  };
  while (!enough()) BNN_RETURN_IF_ERROR(measurement.TimedRun(runner, runner.batch()));
  return OkStatus();
}

}  // namespace bnn::run
