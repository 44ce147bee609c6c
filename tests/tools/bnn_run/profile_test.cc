// The profile of runs whose times are given, and the files that are made of it.
#include "tools/bnn_run/profile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/bnn_run/limit_meter.h"
#include "tools/bnn_run/profile_html.h"
#include "tools/bnn_run/profile_trace.h"

namespace bnn::run {
namespace {

// A billion binary, a tenth of that float multiply-adds a second; a gigabyte a second.
bnn_limits KnownLimits() {
  bnn_limits limits = BNN_LIMITS_INIT;
  limits.binary_macs = 1e9;
  limits.float32_macs = 1e8;
  limits.int8_macs = 2e8;
  limits.binary_operations = "xor";
  limits.float32_operations = "fma";
  limits.int8_operations = "dot";
  limits.num_bandwidths = 1;
  limits.bandwidths[0] = {16 << 10, 1e9, 1e9};
  return limits;
}

StepInfo Step(const std::string& name, bnn_arithmetic arithmetic, int64_t macs, int64_t bytes_read) {
  StepInfo step;
  step.name = name;
  step.op = "op";
  step.kernel = "kernel";
  step.shape = "shape";
  step.macs = macs;
  step.is_binary = arithmetic == BNN_ARITHMETIC_BINARY;
  step.bytes_read = bytes_read;
  step.bytes_written = 1;
  step.arithmetic = arithmetic;
  return step;
}

// Three runs of a binary step of 1 ms at its limit, a float one and a copy.
struct Runs {
  std::vector<StepInfo> plan = {Step("conv", BNN_ARITHMETIC_BINARY, 1000000, 1000),
                                Step("</script><b>fc", BNN_ARITHMETIC_FLOAT32, 100000, 2000),
                                Step("copy", BNN_ARITHMETIC_NONE, 0, 500000)};
  std::vector<double> begins = {10, 20, 30};
  std::vector<double> seconds = {0.0071, 0.0081, 0.0101};
  std::vector<double> overheads = {0.0001, 0.0001, 0.0001};
  std::vector<std::vector<double>> steps = {{0.001, 0.002, 0.004}, {0.004, 0.004, 0.004}, {0.002, 0.002, 0.002}};

  Profile Make() const {
    auto profile = MakeProfile({plan, begins, seconds, overheads, steps}, KnownLimits());
    REQUIRE_MESSAGE(profile.ok(), profile.status().message());
    profile->limit_spans = {{5, 6}, {25, 25.5}};
    return *profile;
  }
};

Report ReportOf(const Profile& profile) {
  Report report;
  report.model = "net.bnn";
  report.isa = report.cpu_isa = "avx2";
  report.timed_runs = 3;
  report.profile = profile;
  return report;
}

TEST_CASE("each layer's limit, its share and the network's") {
  const Profile profile = Runs().Make();
  REQUIRE(profile.layers.size() == 3);
  CHECK(profile.layers[0].ms == doctest::Approx(2));
  CHECK(profile.layers[0].limit_ms == doctest::Approx(1));
  CHECK(profile.layers[0].limit_share == doctest::Approx(0.5));
  CHECK(profile.layers[1].limit_ms == doctest::Approx(1));
  CHECK(profile.layers[2].limit_ms == doctest::Approx(0.5));
  CHECK(std::string(BoundName(profile.layers[0])) == "binary");
  CHECK(std::string(BoundName(profile.layers[1])) == "float32");
  CHECK(std::string(BoundName(profile.layers[2])) == "data");
  CHECK(profile.layers_ms == doctest::Approx(8));
  CHECK(profile.run_ms == doctest::Approx(8.1));
  CHECK(profile.overhead_ms == doctest::Approx(0.1));
  CHECK(profile.limit_ms == doctest::Approx(2.5));
  CHECK(profile.limit_share == doctest::Approx(2.5 / 8.1));
  CHECK(profile.clock_ms > 0);
  CHECK(profile.clock_ms < 1);
}

TEST_CASE("a layer whose bytes take longer than its arithmetic is bound by them") {
  Runs runs;
  runs.plan[0].bytes_read = 3000000;
  const Profile profile = runs.Make();
  CHECK(std::string(BoundName(profile.layers[0])) == "data");
  CHECK(profile.layers[0].limit_ms == doctest::Approx(3));
}

TEST_CASE("limits are the medians of their measurements, field by field") {
  std::vector<bnn_limits> measured(3, KnownLimits());
  measured[0].binary_macs = 5e9;
  measured[2].binary_macs = 2e9;
  measured[1].bandwidths[0].read = 7e9;
  measured[2].bandwidths[0].read = 8e9;
  measured[2].bandwidths[0].write = 0.5e9;
  const bnn_limits median = MedianLimits(measured);
  CHECK(median.binary_macs == 2e9);
  CHECK(median.float32_macs == 1e8);
  CHECK(median.bandwidths[0].read == 7e9);
  CHECK(median.bandwidths[0].write == 1e9);
  CHECK(std::string(median.binary_operations) == "xor");
}

TEST_CASE("the meter measures when it is due, and often enough for a median") {
  LimitMeter meter({1, "", 16 << 10});
  CHECK(meter.IsDue());
  CHECK_FALSE(meter.has_enough());
  REQUIRE(meter.Measure().ok());
  REQUIRE(meter.Complete().ok());
  CHECK(meter.has_enough());
  REQUIRE(meter.measured().size() == meter.spans().size());
  for (size_t i = 0; i < meter.spans().size(); ++i) {
    CHECK(meter.measured()[i].binary_macs > 0);
    CHECK(meter.spans()[i].end > meter.spans()[i].begin);
    if (i > 0) CHECK(meter.spans()[i].begin >= meter.spans()[i - 1].end);
  }
  CHECK(LimitMeter({1, "no-such-isa", 0}).Measure().message().find("no-such-isa") != std::string::npos);
}

TEST_CASE("the text names the network's share, each layer's limit and the limits of the processor") {
  std::string text;
  AddProfile(ReportOf(Runs().Make()), text);
  for (const char* part :
       {"network at 30.9 % of its limit: 2.5000 of 8.1000 ms", "of limit", "50.0 %", "bound by", "data", "16 KiB",
        "fma", "medians of 2 measurements", "add up to 8.0000 ms", "between layers"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("the JSON has all of it") {
  const auto json = nlohmann::json::parse(ToJson(ReportOf(Runs().Make())));
  CHECK(json["limit_share"].get<double>() == doctest::Approx(2.5 / 8.1));
  CHECK(json["limit_ms"].get<double>() == doctest::Approx(2.5));
  CHECK(json["layers_ms"].get<double>() == doctest::Approx(8));
  CHECK(json["clock_ms"] > 0);
  CHECK(json["layers"][0]["limit_share"].get<double>() == doctest::Approx(0.5));
  CHECK(json["layers"][0]["arithmetic"] == "binary");
  CHECK(json["layers"][1]["bound_by"] == "float32");
  CHECK(json["layers"][2]["bytes_read"] == 500000);
  CHECK(json["limits"]["binary"]["gmacs_per_second"] == 1);
  CHECK(json["limits"]["float32"]["operations"] == "fma");
  CHECK(json["limits"]["bandwidths"][0]["bytes"] == 16 << 10);
  CHECK(json["limits"]["bandwidths"][0]["read_gb_per_second"] == 1);
  CHECK(json["limits"]["measurements"] == 2);
}

// What Perfetto asks of complete events: the fields, and on each track each event inside the one that encloses it.
void CheckEvents(const nlohmann::json& events) {
  std::map<int, std::vector<double>> open;  // ends, by track
  double before = -1;
  std::map<int, double> last;
  for (const auto& event : events) {
    REQUIRE(event["pid"].is_number_integer());
    if (event["ph"] == "M") {
      CHECK(event["args"]["name"].is_string());
      continue;
    }
    REQUIRE(event["ph"] == "X");
    CHECK(event["name"].is_string());
    CHECK(event["cat"].is_string());
    const int track = event["tid"];
    const double begin = event["ts"], duration = event["dur"], end = begin + duration;
    CHECK(begin >= (last.contains(track) ? last[track] : before));
    CHECK(duration >= 0);
    last[track] = begin;
    auto& ends = open[track];
    while (!ends.empty() && ends.back() <= begin + 1e-6) ends.pop_back();
    if (!ends.empty()) CHECK(end <= ends.back() + 1e-6);
    ends.push_back(end);
  }
}

TEST_CASE("the trace holds every step of every run, inside its run") {
  const auto trace = nlohmann::json::parse(ToTrace(ReportOf(Runs().Make())));
  CHECK(trace["displayTimeUnit"] == "ns");
  const auto& events = trace["traceEvents"];
  CheckEvents(events);
  std::map<std::string, int> count;
  for (const auto& event : events) {
    if (event["ph"] == "X") ++count[event["name"].get<std::string>()];
  }
  // The first measurement of the limits was before the first run.
  CHECK(count ==
        std::map<std::string, int>{{"run", 3}, {"conv", 3}, {"</script><b>fc", 3}, {"copy", 3}, {"limits", 1}});
  const auto conv =
      std::find_if(events.begin(), events.end(), [](const auto& event) { return event["name"] == "conv"; });
  CHECK((*conv)["ts"] == 0);
  CHECK((*conv)["dur"] == 1000);
  CHECK((*conv)["args"]["percent_of_limit"].get<double>() == doctest::Approx(100));
  CHECK((*conv)["args"]["macs"] == 1000000);
  CHECK((*conv)["args"]["kernel"] == "kernel");
}

TEST_CASE("steps that together last longer than their run by the clock's grain stay inside it") {
  Runs runs;
  runs.begins = {1.0000000001, 2, 3};
  for (double& seconds : runs.seconds) seconds = 0.0069999999;  // shorter than the sum
  CheckEvents(nlohmann::json::parse(ToTrace(ReportOf(runs.Make())))["traceEvents"]);
}

TEST_CASE("the page holds the report, asks for nothing else, and is not broken by names") {
  const Report report = ReportOf(Runs().Make());
  const std::string page = ToHtml(report);
  CHECK(page.starts_with("<!DOCTYPE html>"));
  const std::string open = "<script type=\"application/json\" id=\"report\">", close = "</script>";
  const size_t begin = page.find(open);
  REQUIRE(begin != std::string::npos);
  const size_t data = begin + open.size();
  const auto json = nlohmann::json::parse(page.substr(data, page.find(close, data) - data));
  CHECK(json == nlohmann::json::parse(ToJson(report)));
  CHECK(json["layers"][1]["name"] == "</script><b>fc");
  for (const char* part : {"src=", "href=", "@import", "url(", "fetch(", "placeholder"}) {
    CAPTURE(part);
    CHECK(page.find(part) == std::string::npos);
  }
}

}  // namespace
}  // namespace bnn::run
