// Summary of measured times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bnn::run {

// The value below which the share q (0..1) of the values lies, interpolated linearly between the two neighbours in
// sorted order: q = 0 is the smallest, 1 the largest, 0.5 the median. 0 for no values.
double Quantile(std::span<const double> values, double q);

struct LatencySummary {  // milliseconds
  double min = 0, median = 0, p90 = 0, p99 = 0, mean = 0;
};
LatencySummary Summarize(std::span<const double> seconds);

// The most memory that this process has had resident at any time so far.
int64_t PeakMemoryBytes();

}  // namespace bnn::run
