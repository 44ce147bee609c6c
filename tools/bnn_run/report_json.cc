#include <nlohmann/json.hpp>

#include "tools/bnn_run/profile_json.h"
#include "tools/bnn_run/report.h"

namespace bnn::run {
namespace {

using Json = nlohmann::ordered_json;

const char* ModeName(Mode mode) {
  switch (mode) {
    case Mode::kBenchmark:
      return "benchmark";
    case Mode::kInput:
      return "input";
    case Mode::kDataset:
      return "dataset";
  }
  return "?";
}

Json Tensors(const std::vector<TensorInfo>& infos) {
  Json list = Json::array();
  for (const TensorInfo& info : infos) list.push_back({{"name", info.name}, {"shape", info.dims}});
  return list;
}

Json Plan(const std::vector<StepInfo>& plan) {
  Json steps = Json::array();
  for (const StepInfo& step : plan) {
    Json row = StepFields(step);
    row["weight_bytes"] = step.weight_bytes;
    row["reason"] = step.reason;
    steps.push_back(std::move(row));
  }
  return steps;
}

// null or the name of a class.
Json NameOf(const Report& report, int64_t index) {
  if (index < 0 || report.class_names.empty()) return nullptr;
  return report.class_names[static_cast<size_t>(index)];
}

Json TopK(const Report& report) {
  Json samples = Json::array();
  for (const auto& best : report.evaluation.top_k) {
    Json classes = Json::array();
    for (const ScoredClass& scored : best) {
      Json entry = {{"class", scored.index}, {"score", scored.score}};
      if (!report.class_names.empty()) entry["name"] = NameOf(report, scored.index);
      classes.push_back(std::move(entry));
    }
    samples.push_back(std::move(classes));
  }
  return samples;
}

Json ByClass(const Report& report) {
  Json classes = Json::array();
  for (size_t i = 0; i < report.evaluation.by_class.size(); ++i) {
    const ClassResult& result = report.evaluation.by_class[i];
    Json entry = {{"class", i}, {"samples", result.samples}, {"correct", result.correct}};
    if (!report.class_names.empty()) entry["name"] = NameOf(report, static_cast<int64_t>(i));
    if (result.confused > 0) {
      entry["confused_with"] = result.confused_with;
      entry["confused"] = result.confused;
    }
    classes.push_back(std::move(entry));
  }
  return classes;
}

}  // namespace

std::string ToJson(const Report& report) {
  const Evaluation& evaluation = report.evaluation;
  const LatencySummary& latency = report.latency;
  Json json = {{"mode", ModeName(report.mode)}, {"model", report.model}, {"batch", report.batch},
               {"threads", report.threads},     {"isa", report.isa},     {"cpu_isa", report.cpu_isa},
               {"samples", evaluation.samples}, {"correct", nullptr}};
  if (report.mode == Mode::kDataset) {
    json["correct"] = evaluation.correct;
    json["accuracy"] = static_cast<double>(evaluation.correct) / static_cast<double>(evaluation.samples);
    if (evaluation.classes >= kMinClassesForTop5) json["correct_top5"] = evaluation.correct_top5;
  }
  json["predictions"] = evaluation.predictions;
  if (report.mode == Mode::kInput) {
    json["is_probability"] = report.is_softmax;
    json["top_k"] = TopK(report);
  }
  if (report.mode == Mode::kDataset && !report.class_names.empty()) json["by_class"] = ByClass(report);
  json["latency_ms"] = {{"min", latency.min},
                        {"median", latency.median},
                        {"p90", latency.p90},
                        {"p99", latency.p99},
                        {"mean", latency.mean}};
  json["timed_runs"] = report.timed_runs;
  json["images_per_second"] = report.images_per_second;
  json["load_ms"] = 1e3 * report.load_seconds;
  json["first_run_ms"] = 1e3 * report.first_run_seconds;
  json["peak_memory_bytes"] = report.peak_memory_bytes;
  json["session_memory_bytes"] = report.memory.arena_bytes;
  json["live_tensor_bytes"] = report.memory.live_bytes;
  json["weight_bytes"] = report.memory.weight_bytes;
  json["inputs"] = Tensors(report.inputs);
  json["outputs"] = Tensors(report.outputs);
  if (report.profile) json.update(ProfileFields(*report.profile));
  if (report.plan) json["plan"] = Plan(*report.plan);
  if (!report.files_written.empty()) json["files_written"] = report.files_written;
  // File names and class names may hold bytes that are no UTF-8: those become U+FFFD.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bnn::run
