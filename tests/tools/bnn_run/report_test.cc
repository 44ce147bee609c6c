#include "tools/bnn_run/report.h"

#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace bnn::run {
namespace {

Report DatasetReport() {
  Report report;
  report.mode = Mode::kDataset;
  report.model = "m.bnn";
  report.inputs = {{"x", {2, 1, 4, 4}, 128, BNN_LAYOUT_NCHW, {}, {}}};
  report.outputs = {{"y", {2, 3}, 24, BNN_LAYOUT_NONE, {}, {}}};
  report.input_notes = {"NCHW"};
  report.batch = 2;
  report.isa = report.cpu_isa = "avx2";
  report.evaluation = {.samples = 4,
                       .classes = 3,
                       .predictions = {0, 1, 1, 2},
                       .top_k = {},
                       .correct = 3,
                       .correct_top5 = 4,
                       .by_class = {{2, 1, 1, 1}, {1, 1, -1, 0}, {1, 1, -1, 0}}};
  report.class_names = {"cat", "dog", "owl"};
  report.latency = {1, 2, 3, 4, 2.5};
  report.timed_runs = 2;
  report.images_per_second = 800;
  report.load_seconds = 0.004;
  report.first_run_seconds = 0.002;
  report.peak_memory_bytes = 1 << 21;
  return report;
}

TEST_CASE("JSON of a dataset run is one line with the promised fields") {
  const std::string text = ToJson(DatasetReport());
  CHECK(text.find('\n') == std::string::npos);
  const auto json = nlohmann::json::parse(text);
  CHECK(json["samples"] == 4);
  CHECK(json["correct"] == 3);
  CHECK(json["predictions"] == nlohmann::json{0, 1, 1, 2});
  CHECK(json["latency_ms"]["min"] == 1);
  CHECK(json["latency_ms"]["median"] == 2);
  CHECK(json["latency_ms"]["p90"] == 3);
  CHECK(json["latency_ms"]["p99"] == 4);
  CHECK(json["load_ms"] == 4);
  CHECK(json["first_run_ms"] == 2);
  CHECK(json["peak_memory_bytes"] == 1 << 21);
  CHECK(json["batch"] == 2);
  CHECK(json["by_class"][0]["confused_with"] == 1);
  CHECK(json["outputs"][0]["shape"] == nlohmann::json{2, 3});
  CHECK_FALSE(json.contains("layers"));
  CHECK_FALSE(json.contains("plan"));
}

TEST_CASE("JSON of a benchmark has the same fields, and survives NaN and bad UTF-8") {
  Report report = DatasetReport();
  report.mode = Mode::kBenchmark;
  report.evaluation = {};
  report.model = "caf\xe9.bnn";
  report.plan = std::vector<StepInfo>{{"l", "dense", "k", "s", "because", 10, false, 40}};
  Profile profile;
  profile.layers.push_back({report.plan->front(), 0.5, 0.02, 0.25});
  report.profile = profile;
  auto json = nlohmann::json::parse(ToJson(report));
  CHECK(json["correct"].is_null());
  CHECK(json["samples"] == 0);
  CHECK(json["predictions"].empty());
  CHECK(json["layers"][0]["ms"] == 0.5);
  CHECK(json["layers"][0]["op"] == "dense");
  CHECK(json["plan"][0]["reason"] == "because");

  report.mode = Mode::kInput;
  report.evaluation.samples = 1;
  report.evaluation.predictions = {1};
  report.evaluation.top_k = {{{1, std::numeric_limits<float>::quiet_NaN()}}};
  json = nlohmann::json::parse(ToJson(report));
  CHECK(json["top_k"][0][0]["score"].is_null());
  CHECK(json["top_k"][0][0]["name"] == "dog");
}

TEST_CASE("text shows accuracy, the classes' confusions and latency") {
  const std::string text = ToText(DatasetReport());
  for (const char* part : {"75.00 % top-1 (3 of 4 correct)", "0 cat", "50.0 %", "1 dog (1 times)", "median 2.0000",
                           "800.0 images/s", "2.0 MiB", "2 runs of batch 2"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.find("top-5") == std::string::npos);  // of 3 classes it says nothing
}

TEST_CASE("scores are probabilities only after a softmax") {
  Report report = DatasetReport();
  report.mode = Mode::kInput;
  report.evaluation.top_k = {{{2, 0.875F}, {0, 0.125F}}};
  report.sample_names = {"a.png"};
  CHECK(ToText(report).find("a.png") != std::string::npos);
  CHECK(ToText(report).find("0.875") != std::string::npos);
  report.is_softmax = true;
  CHECK(ToText(report).find("87.50 %") != std::string::npos);
}

}  // namespace
}  // namespace bnn::run
