#include "tools/bnn_run/profile_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace bnn::run {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProcess = 1;
constexpr int kRunTrack = 1, kLimitTrack = 2;

Json Name(const char* kind, int track, const std::string& name) {
  Json event = {{"ph", "M"}, {"name", kind}, {"pid", kProcess}};
  if (track != 0) event["tid"] = track;
  event["args"] = {{"name", name}};
  return event;
}

// Viewers hang an event below another one that encloses it, and refuse events that overlap without that. Times are
// rounded to whole nanoseconds, which is what viewers keep, before durations are taken: so what touches on the clock
// touches in the file, and no step outlasts its run by a rounding.
class TimeLine {
 public:
  explicit TimeLine(double origin) : origin_(origin) {}

  Json Event(const std::string& name, const char* category, int track, double begin, double end, Json args) const {
    const double first = Nanoseconds(begin), last = std::max(first, Nanoseconds(end));
    return {{"ph", "X"},
            {"name", name},
            {"cat", category},
            {"pid", kProcess},
            {"tid", track},
            {"ts", first / 1e3},
            {"dur", (last - first) / 1e3},
            {"args", std::move(args)}};
  }

 private:
  double Nanoseconds(double seconds) const { return std::round(1e9 * (seconds - origin_)); }

  double origin_;
};

Json StepArgs(const LayerProfile& layer, double seconds) {
  const StepInfo& step = layer.step;
  return {{"op", step.op},
          {"kernel", step.kernel},
          {"shape", step.shape},
          {"macs", step.macs},
          {"arithmetic", ArithmeticName(step.arithmetic)},
          {"bytes_read", step.bytes_read},
          {"bytes_written", step.bytes_written},
          {"limit_us", 1e3 * layer.limit_ms},
          {"bound_by", BoundName(layer)},
          {"percent_of_limit", seconds > 0 ? 0.1 * layer.limit_ms / seconds : 0}};
}

void AddRun(const Profile& profile, const RunTimes& run, const TimeLine& line, Json& events) {
  const double end = run.begin + run.seconds;
  events.push_back(line.Event("run", "run", kRunTrack, run.begin, end,
                              {{"limit_us", 1e3 * profile.limit_ms},
                               {"percent_of_limit", run.seconds > 0 ? 0.1 * profile.limit_ms / run.seconds : 0}}));
  double begin = run.begin;
  for (size_t i = 0; i < run.step_seconds.size(); ++i) {
    const double step_end = std::min(begin + run.step_seconds[i], end);
    const LayerProfile& layer = profile.layers[i];
    events.push_back(line.Event(layer.step.name, BoundName(layer), kRunTrack, begin, step_end,
                                StepArgs(layer, run.step_seconds[i])));
    begin = step_end;
  }
}

Json LimitArgs(const bnn_limits& limits) {
  return {{"binary_gmacs_per_second", 1e-9 * limits.binary_macs},
          {"float32_gmacs_per_second", 1e-9 * limits.float32_macs},
          {"int8_gmacs_per_second", 1e-9 * limits.int8_macs}};
}

}  // namespace

std::string ToTrace(const Report& report) {
  const Profile& profile = *report.profile;
  Json events = Json::array();
  events.push_back(Name("process_name", 0, "bnn-run " + report.model));
  events.push_back(Name("thread_name", kRunTrack, "runs"));
  events.push_back(Name("thread_name", kLimitTrack, "limits of the processor, measured"));
  if (!profile.runs.empty()) {
    const double origin = profile.runs.front().begin, end = profile.runs.back().begin + profile.runs.back().seconds;
    const TimeLine line(origin);
    for (const RunTimes& run : profile.runs) AddRun(profile, run, line, events);
    for (const MeasuredSpan& span : profile.limit_spans) {
      if (span.begin < origin || span.end > end) continue;  // of earlier runs, which are not in the trace
      events.push_back(line.Event("limits", "limits", kLimitTrack, span.begin, span.end, LimitArgs(profile.limits)));
    }
  }
  const Json trace = {{"traceEvents", std::move(events)},
                      {"displayTimeUnit", "ns"},
                      {"otherData",
                       {{"model", report.model},
                        {"batch", std::to_string(report.batch)},
                        {"threads", std::to_string(report.threads)},
                        {"isa", report.isa},
                        {"network", fmt::format("at {:.1f} % of its limit", 100 * profile.limit_share)}}}};
  return trace.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bnn::run
