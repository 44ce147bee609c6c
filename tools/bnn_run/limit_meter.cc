#include "tools/bnn_run/limit_meter.h"

#include <algorithm>
#include <chrono>

#include "tools/bnn_run/statistics.h"

namespace bnn::run {
namespace {

constexpr double kMinGapSeconds = 0.05;
constexpr double kGapPerMeasurement = 4;  // times as long as the measurement took
constexpr size_t kEnough = 5;

}  // namespace

double Now() {
  using std::chrono::steady_clock;
  return std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count();
}

bnn_limits MedianLimits(const std::vector<bnn_limits>& measured) {
  const auto median = [&](auto field) {
    std::vector<double> values;
    for (const bnn_limits& limits : measured) values.push_back(field(limits));
    return Quantile(values, 0.5);
  };
  bnn_limits result = measured.front();
  result.binary_macs = median([](const bnn_limits& limits) { return limits.binary_macs; });
  result.float32_macs = median([](const bnn_limits& limits) { return limits.float32_macs; });
  result.handover_seconds = median([](const bnn_limits& limits) { return limits.handover_seconds; });
  result.int8_macs = median([](const bnn_limits& limits) { return limits.int8_macs; });
  for (int32_t i = 0; i < result.num_bandwidths; ++i) {
    result.bandwidths[i].read = median([i](const bnn_limits& limits) { return limits.bandwidths[i].read; });
    result.bandwidths[i].write = median([i](const bnn_limits& limits) { return limits.bandwidths[i].write; });
  }
  return result;
}

bool LimitMeter::IsDue() const {
  if (spans_.empty()) return true;
  const MeasuredSpan& last = spans_.back();
  return Now() - last.end >= std::max(kMinGapSeconds, kGapPerMeasurement * (last.end - last.begin));
}

Status LimitMeter::Measure() {
  MeasuredSpan span;
  span.begin = Now();
  BNN_ASSIGN_OR_RETURN(const bnn_limits limits, MeasureLimits(options_.threads, options_.max_isa, options_.max_bytes));
  span.end = Now();
  measured_.push_back(limits);
  spans_.push_back(span);
  return OkStatus();
}

bool LimitMeter::has_enough() const { return measured_.size() >= kEnough; }

Status LimitMeter::Complete() {
  while (!has_enough()) BNN_RETURN_IF_ERROR(Measure());
  return OkStatus();
}

}  // namespace bnn::run
