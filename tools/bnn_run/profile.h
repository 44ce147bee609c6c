// Where the time of a network goes, step by step, and how far each step is from what the processor could do.
#pragma once

#include <cstdint>
#include <vector>

#include "bnn/bnn.hpp"

namespace bnn::run {

struct LayerProfile {
  StepInfo step;
  double ms = 0;                // median over the runs
  double gmacs_per_second = 0;  // 0 where the step has no multiply-adds
  double share = 0;             // of the run
  double limit_ms = 0;          // the least that the processor needs (bnn_find_step_limit)
  double limit_share = 0;       // limit_ms / ms
  bool is_bound_by_data = false;
};

// One run on the clock of Now().
struct RunTimes {
  double begin = 0, seconds = 0;
  std::vector<double> step_seconds;  // the steps follow each other without a gap
};

// When the limits were measured.
struct MeasuredSpan {
  double begin = 0, end = 0;
};

struct Profile {
  std::vector<LayerProfile> layers;
  double layers_ms = 0;    // sum of the layers' medians
  double run_ms = 0;       // median of whole runs
  double overhead_ms = 0;  // median of what a run took beyond its layers
  double clock_ms = 0;     // what reading the clock around each layer adds to a run
  double gmacs_per_second = 0;

  bnn_limits limits = BNN_LIMITS_INIT;    // medians
  std::vector<MeasuredSpan> limit_spans;  // of the measurements behind the medians
  double limit_ms = 0;                    // sum over the layers
  double limit_share = 0;                 // of the network: limit_ms / run_ms

  std::vector<RunTimes> runs;  // the last ones, for the time line
};

// What a profile is made of. step_seconds: [step][run].
struct ProfileSource {
  const std::vector<StepInfo>& plan;
  const std::vector<double>& run_begins;
  const std::vector<double>& run_seconds;
  const std::vector<double>& overhead_seconds;
  const std::vector<std::vector<double>>& step_seconds;
};

Result<Profile> MakeProfile(const ProfileSource& source, const bnn_limits& limits);

// "binary", "float32", "int8", or "-".
const char* ArithmeticName(bnn_arithmetic arithmetic);

// What binds a layer: the name of its arithmetic, or "data".
const char* BoundName(const LayerProfile& layer);

// Seconds that one reading of the clock takes.
double ClockSeconds();

}  // namespace bnn::run
