#include "tools/bnn_run/evaluate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tools/bnn_run/classify.h"

namespace bnn::run {
namespace {

// Answers of one true class: how often each class was predicted.
using Counts = std::map<int64_t, int64_t>;

std::vector<ClassResult> Summarize(const std::vector<Counts>& counts) {
  std::vector<ClassResult> results;
  for (size_t truth = 0; truth < counts.size(); ++truth) {
    ClassResult result;
    for (const auto& [predicted, count] : counts[truth]) {
      result.samples += count;
      if (predicted == static_cast<int64_t>(truth)) {
        result.correct = count;
      } else if (count > result.confused) {
        result.confused = count;
        result.confused_with = predicted;
      }
    }
    results.push_back(result);
  }
  return results;
}

// Takes the scores of one sample after the other.
class Scorer {
 public:
  Scorer(int64_t classes, std::span<const int64_t> labels, int64_t top_k, Evaluation& evaluation)
      : labels_(labels), top_k_(top_k), evaluation_(evaluation) {
    if (!labels.empty()) counts_.resize(static_cast<size_t>(classes));
  }

  void Add(std::span<const float> scores) {
    const size_t sample = evaluation_.predictions.size();
    const int64_t predicted = ArgMax(scores);
    evaluation_.predictions.push_back(predicted);
    evaluation_.has_nan |= std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
    if (top_k_ > 0) {
      std::vector<ScoredClass> best;
      for (const int64_t index : TopK(scores, top_k_)) best.push_back({index, scores[static_cast<size_t>(index)]});
      evaluation_.top_k.push_back(std::move(best));
    }
    if (labels_.empty()) return;
    const int64_t truth = labels_[sample];
    ++counts_[static_cast<size_t>(truth)][predicted];
    evaluation_.correct += predicted == truth ? 1 : 0;
    const std::vector<int64_t> best5 = TopK(scores, 5);
    evaluation_.correct_top5 += std::count(best5.begin(), best5.end(), truth);
  }

  void Finish() { evaluation_.by_class = Summarize(counts_); }

 private:
  std::span<const int64_t> labels_;
  int64_t top_k_;
  Evaluation& evaluation_;
  std::vector<Counts> counts_;  // [true class]
};

Status WriteOutputs(const Runner& runner, int64_t count, std::span<NpyWriter> writers) {
  for (size_t i = 0; i < writers.size(); ++i) {
    BNN_ASSIGN_OR_RETURN(const int64_t sample_size, runner.OutputSampleSize(i));
    BNN_RETURN_IF_ERROR(writers[i].Append(runner.output(i).first(static_cast<size_t>(count * sample_size))));
  }
  return OkStatus();
}

}  // namespace

Result<int64_t> NumClasses(const Runner& runner) {
  BNN_ASSIGN_OR_RETURN(const int64_t values, runner.OutputSampleSize(0));
  const std::vector<int64_t>& dims = runner.output_infos()[0].dims;
  return std::count_if(dims.begin() + 1, dims.end(), [](int64_t dim) { return dim > 1; }) <= 1 ? values : 0;
}

int64_t NumSamples(const std::vector<InputFeed>& feeds, int64_t limit) {
  return limit > 0 ? std::min(limit, feeds[0].samples()) : feeds[0].samples();
}

Result<Evaluation> Evaluate(Runner& runner, const std::vector<InputFeed>& feeds, std::span<const int64_t> labels,
                            const EvaluateOptions& options, Measurement& measurement) {
  Evaluation evaluation;
  evaluation.samples = NumSamples(feeds, options.limit);
  BNN_ASSIGN_OR_RETURN(evaluation.classes, NumClasses(runner));
  Scorer scorer(evaluation.classes, labels, options.top_k, evaluation);
  for (int64_t first = 0; first < evaluation.samples; first += runner.batch()) {
    const int64_t count = std::min(runner.batch(), evaluation.samples - first);
    for (size_t i = 0; i < feeds.size(); ++i) feeds[i].Fill(first, count, runner.input(i));
    if (first == 0) {
      for (int64_t i = 0; i < options.warmup; ++i) {
        BNN_ASSIGN_OR_RETURN([[maybe_unused]] const double seconds, runner.Run());
      }
    }
    for (int64_t i = 0; i < options.repeat; ++i) BNN_RETURN_IF_ERROR(measurement.TimedRun(runner, count));
    if (evaluation.classes > 0) {
      const auto classes = static_cast<size_t>(evaluation.classes);
      for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
        scorer.Add(runner.output(0).subspan(i * classes, classes));
      }
    }
    BNN_RETURN_IF_ERROR(WriteOutputs(runner, count, options.writers));
    if (options.progress) options.progress(first + count);
  }
  scorer.Finish();
  return evaluation;
}

}  // namespace bnn::run
