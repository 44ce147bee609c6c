// Runs samples through the network, batch by batch, and compares what comes out with labels.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/bnn_run/feeds.h"
#include "tools/bnn_run/measure.h"
#include "tools/bnn_run/npy.h"
#include "tools/bnn_run/runner.h"

namespace bnn::run {

struct ScoredClass {
  int64_t index = 0;
  float score = 0;
};

// How the samples of one true class were classified.
struct ClassResult {
  int64_t samples = 0;
  int64_t correct = 0;
  int64_t confused_with = -1;  // the most frequent wrong class, -1 if there is none
  int64_t confused = 0;        // how often that was the answer
};

struct Evaluation {
  int64_t samples = 0;
  int64_t classes = 0;               // 0 where the first output is no list of scores
  std::vector<int64_t> predictions;  // class of each sample; empty where classes is 0
  std::vector<std::vector<ScoredClass>> top_k;
  int64_t correct = 0;  // with labels
  int64_t correct_top5 = 0;
  std::vector<ClassResult> by_class;
  bool has_nan = false;
};

struct EvaluateOptions {
  int64_t limit = 0;   // samples; 0: all
  int64_t repeat = 1;  // timed runs of each batch
  int64_t warmup = 0;  // runs of the first batch before
  int64_t top_k = 0;   // best classes of each sample to keep
  // A writer for each output, or none.
  std::span<NpyWriter> writers;
  // Called with the number of samples done after each batch; may be empty.
  std::function<void(int64_t)> progress;
};

// Classes of the first output: its values for a sample where only one dimension is larger than 1, else 0.
Result<int64_t> NumClasses(const Runner& runner);

// Samples that will be run.
int64_t NumSamples(const std::vector<InputFeed>& feeds, int64_t limit);

// `labels`: empty, or one for each sample of the feeds, each below NumClasses().
Result<Evaluation> Evaluate(Runner& runner, const std::vector<InputFeed>& feeds, std::span<const int64_t> labels,
                            const EvaluateOptions& options, Measurement& measurement);

}  // namespace bnn::run
