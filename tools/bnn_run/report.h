// Everything that bnn-run found out, to be printed as text or as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"
#include "tools/bnn_run/evaluate.h"
#include "tools/bnn_run/measure.h"
#include "tools/bnn_run/profile.h"

namespace bnn::run {

enum class Mode { kBenchmark, kInput, kDataset };

struct Report {
  Mode mode = Mode::kBenchmark;
  std::string model;  // path
  std::vector<TensorInfo> inputs, outputs;
  std::vector<std::string> input_notes;  // how each input is filled
  int64_t batch = 1, threads = 1;
  std::string isa, cpu_isa;

  Evaluation evaluation;                  // empty for a benchmark
  std::vector<std::string> sample_names;  // of --input
  std::vector<std::string> class_names;
  bool is_softmax = false;

  LatencySummary latency;
  int64_t timed_runs = 0;
  double images_per_second = 0;
  double load_seconds = 0, first_run_seconds = 0;
  int64_t peak_memory_bytes = 0;
  MemoryInfo memory;

  std::optional<Profile> profile;
  std::optional<std::vector<StepInfo>> plan;
  std::vector<std::string> files_written;
};

// From this many classes on, top-5 accuracy says something.
inline constexpr int64_t kMinClassesForTop5 = 10;

// The text that people read.
std::string ToText(const Report& report);

// Appends the profile's part of that text; only for reports with a profile.
void AddProfile(const Report& report, std::string& text);

// One JSON object in one line.
std::string ToJson(const Report& report);

}  // namespace bnn::run
