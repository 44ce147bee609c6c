#include <fmt/format.h>

#include "tools/bnn_run/array.h"
#include "tools/bnn_run/report.h"
#include "tools/bnn_run/table.h"

namespace bnn::run {
namespace {

double Percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string Memory(int64_t bytes) {
  const auto amount = static_cast<double>(bytes);
  return bytes < (1 << 20) ? fmt::format("{:.1f} KiB", amount / 1024) : fmt::format("{:.1f} MiB", amount / (1 << 20));
}

std::string ClassName(const Report& report, int64_t index) {
  if (index < 0) return "(none: all values are NaN)";
  if (report.class_names.empty()) return std::to_string(index);
  return fmt::format("{} {}", index, report.class_names[static_cast<size_t>(index)]);
}

std::string Score(const Report& report, float score) {
  return report.is_softmax ? fmt::format("{:.2f} %", 100.0 * score) : fmt::format("{:.6g}", score);
}

void AddHeader(const Report& report, std::string& text) {
  text += fmt::format("model     {}\n", report.model);
  for (size_t i = 0; i < report.inputs.size(); ++i) {
    text += fmt::format("input     {} {} {}\n", report.inputs[i].name, ShapeString(report.inputs[i].dims),
                        report.input_notes[i]);
  }
  for (const TensorInfo& output : report.outputs) {
    text += fmt::format("output    {} {}\n", output.name, ShapeString(output.dims));
  }
  text += fmt::format("running   batch {}, {} thread{}, {}\n", report.batch, report.threads,
                      report.threads == 1 ? "" : "s", report.isa);
}

void AddClasses(const Report& report, std::string& text) {
  const Evaluation& evaluation = report.evaluation;
  if (evaluation.classes == 0) {
    text += "\nThe first output is no list of class scores; --output FILE.npy writes it.\n";
    return;
  }
  for (size_t sample = 0; sample < evaluation.top_k.size(); ++sample) {
    text += fmt::format("\n{}\n", report.sample_names[sample]);
    Table table({{"rank", Align::kRight}, {"class"}, {report.is_softmax ? "probability" : "score", Align::kRight}});
    int rank = 0;
    for (const ScoredClass& scored : evaluation.top_k[sample]) {
      table.AddRow({std::to_string(++rank), ClassName(report, scored.index), Score(report, scored.score)});
    }
    text += table.ToString();
  }
}

void AddAccuracy(const Report& report, std::string& text) {
  const Evaluation& evaluation = report.evaluation;
  if (!report.class_names.empty()) {
    Table table({{"class"},
                 {"samples", Align::kRight},
                 {"correct", Align::kRight},
                 {"accuracy", Align::kRight},
                 {"most often taken for"}});
    for (size_t i = 0; i < evaluation.by_class.size(); ++i) {
      const ClassResult& result = evaluation.by_class[i];
      if (result.samples == 0) continue;
      table.AddRow({ClassName(report, static_cast<int64_t>(i)), std::to_string(result.samples),
                    std::to_string(result.correct), fmt::format("{:.1f} %", Percent(result.correct, result.samples)),
                    result.confused == 0
                        ? "-"
                        : fmt::format("{} ({} times)", ClassName(report, result.confused_with), result.confused)});
    }
    text += "\n" + table.ToString() + "\n";
  }
  text += fmt::format("accuracy  {:.2f} % top-1 ({} of {} correct)", Percent(evaluation.correct, evaluation.samples),
                      evaluation.correct, evaluation.samples);
  if (evaluation.classes >= kMinClassesForTop5) {
    text += fmt::format(", {:.2f} % top-5", Percent(evaluation.correct_top5, evaluation.samples));
  }
  text += "\n";
}

void AddPlan(const std::vector<StepInfo>& plan, std::string& text) {
  Table table({{"step", Align::kRight}, {"layer"}, {"op"}, {"kernel"}, {"shape"}, {"weights", Align::kRight}, {"why"}});
  int64_t number = 0;
  for (const StepInfo& step : plan) {
    table.AddRow({std::to_string(number++), step.name, step.op, step.kernel, step.shape,
                  step.weight_bytes > 0 ? Memory(step.weight_bytes) : "-", step.reason});
  }
  text += "\nPlan:\n" + table.ToString() + "\n";
}

}  // namespace

std::string ToText(const Report& report) {
  std::string text;
  AddHeader(report, text);
  if (report.plan) AddPlan(*report.plan, text);
  if (report.profile) AddProfile(report, text);
  switch (report.mode) {
    case Mode::kBenchmark:
      break;
    case Mode::kInput:
      AddClasses(report, text);
      text += "\n";
      break;
    case Mode::kDataset:
      AddAccuracy(report, text);
      break;
  }
  const LatencySummary& latency = report.latency;
  text += fmt::format(
      "latency   min {:.4f}  median {:.4f}  p90 {:.4f}  p99 {:.4f}  mean {:.4f} ms  ({} runs of batch {})\n",
      latency.min, latency.median, latency.p90, latency.p99, latency.mean, report.timed_runs, report.batch);
  text += fmt::format("speed     {:.1f} images/s\n", report.images_per_second);
  text += fmt::format("start-up  {:.2f} ms to load, {:.2f} ms for the first run\n", 1e3 * report.load_seconds,
                      1e3 * report.first_run_seconds);
  const MemoryInfo& memory = report.memory;
  text += fmt::format("memory    peak {} of the process, of which {} are the session's tensors, {} weights\n",
                      Memory(report.peak_memory_bytes), Memory(static_cast<int64_t>(memory.arena_bytes)),
                      Memory(static_cast<int64_t>(memory.weight_bytes)));
  if (report.plan) {
    text += fmt::format("arena     {} bytes; the tensors of some step need {} bytes\n", memory.arena_bytes,
                        memory.live_bytes);
  }
  for (const std::string& file : report.files_written) text += fmt::format("written   {}\n", file);
  return text;
}

}  // namespace bnn::run
