// Measures the limits of the processor again and again between the runs of a network, so that both see the same clock
// rates and the same load by other programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"
#include "tools/bnn_run/profile.h"

namespace bnn::run {

// Seconds on the clock that all times of a profile are on.
double Now();

// The middle value of every field, each taken by itself. `measured` is not empty; all are of the same working sets.
bnn_limits MedianLimits(const std::vector<bnn_limits>& measured);

class LimitMeter {
 public:
  struct Options {
    int32_t threads = 1;
    std::string max_isa;
    int64_t max_bytes = 0;  // the largest working set that matters
  };
  explicit LimitMeter(Options options) : options_(std::move(options)) {}

  // True before the first measurement, and when the last one is so long ago that the next one keeps measuring to about
  // a fifth of the time.
  bool IsDue() const;
  Status Measure();
  bool has_enough() const;  // for a median
  // Adds measurements until there are enough.
  Status Complete();

  const std::vector<bnn_limits>& measured() const { return measured_; }
  const std::vector<MeasuredSpan>& spans() const { return spans_; }

 private:
  Options options_;
  std::vector<bnn_limits> measured_;
  std::vector<MeasuredSpan> spans_;
};

}  // namespace bnn::run
