#include "tools/bnn_run/app.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "tools/bnn_run/classify.h"
#include "tools/bnn_run/feeds.h"
#include "tools/bnn_run/profile_html.h"
#include "tools/bnn_run/profile_trace.h"
#include "tools/bnn_run/progress.h"

namespace bnn::run {
namespace {

// FILE.npy, or FILE.0.npy, FILE.1.npy, ... for several outputs.
std::string OutputPath(const std::string& path, size_t index, size_t count) {
  if (count == 1) return path;
  const std::filesystem::path file(path);
  std::filesystem::path numbered = file;
  numbered.replace_extension();
  numbered += fmt::format(".{}{}", index, file.extension().string());
  return numbered.string();
}

Result<std::vector<NpyWriter>> CreateWriters(const Runner& runner, const std::string& path, int64_t samples,
                                             std::vector<std::string>& files) {
  std::vector<NpyWriter> writers;
  const std::vector<TensorInfo>& outputs = runner.output_infos();
  for (size_t i = 0; i < outputs.size(); ++i) {
    BNN_RETURN_IF_ERROR(runner.OutputSampleSize(i).status());
    std::vector<int64_t> shape = outputs[i].dims;
    shape[0] = samples;
    files.push_back(OutputPath(path, i, outputs.size()));
    BNN_ASSIGN_OR_RETURN(NpyWriter writer, NpyWriter::Create(files.back(), shape));
    writers.push_back(std::move(writer));
  }
  return writers;
}

Status CheckClassNames(const Options& options, int64_t classes, size_t names) {
  if (options.class_names.empty() || static_cast<int64_t>(names) == classes) return OkStatus();
  return InvalidArgument(
      fmt::format("{}: {} class names, but the model has {} classes", options.class_names, names, classes));
}

Status WriteText(const std::string& path, const std::string& text) {
  const auto fail = [&] { return IoError(fmt::format("{}: {}", path, std::strerror(errno))); };
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return fail();
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const Status status = written ? OkStatus() : fail();
  return std::fclose(file) == 0 || !written ? status : fail();
}

// The working set of the largest step: no larger one needs a limit. A working set that exceeds all caches stands for
// those that exceed it.
int64_t LargestStep(const std::vector<StepInfo>& plan) {
  constexpr int64_t kLeast = int64_t{2} << 20, kMost = int64_t{64} << 20;
  int64_t bytes = kLeast;
  for (const StepInfo& step : plan) bytes = std::max(bytes, step.bytes_read + step.bytes_written);
  return std::min(bytes, kMost);
}

// The table and the file of --profile.
Status FinishProfile(const Options& options, const Runner& runner, Measurement& measurement, Report& report) {
  BNN_ASSIGN_OR_RETURN(report.profile, measurement.MakeProfile(runner));
  switch (options.profile_format) {
    case ProfileFormat::kTable:
      return OkStatus();
    case ProfileFormat::kTrace:
      BNN_RETURN_IF_ERROR(WriteText(options.profile_output, ToTrace(report)));
      break;
    case ProfileFormat::kHtml:
      BNN_RETURN_IF_ERROR(WriteText(options.profile_output, ToHtml(report)));
      break;
  }
  report.files_written.push_back(options.profile_output);
  return OkStatus();
}

// --input and --dataset.
Status RunOnData(const Options& options, Runner& runner, Measurement& measurement, Report& report) {
  const bool is_dataset = !options.dataset.empty();
  report.mode = is_dataset ? Mode::kDataset : Mode::kInput;
  if (is_dataset && runner.input_infos().size() != 1) {
    return Unsupported(fmt::format("--dataset is for models with one input; this one has {}: use --input NAME=FILE",
                                   runner.input_infos().size()));
  }
  BNN_ASSIGN_OR_RETURN(const int64_t classes, NumClasses(runner));
  if (!options.class_names.empty()) {
    BNN_ASSIGN_OR_RETURN(report.class_names, ReadClassNames(options.class_names));
    BNN_RETURN_IF_ERROR(CheckClassNames(options, classes, report.class_names.size()));
  }
  const std::vector<std::string> files = is_dataset ? std::vector{options.dataset[0]} : options.inputs;
  BNN_ASSIGN_OR_RETURN(const std::vector<InputFeed> feeds, LoadFeeds(runner.input_infos(), options.preprocess, files));
  std::vector<int64_t> labels;
  if (is_dataset) {
    if (classes == 0) {
      return Unsupported(fmt::format("output '{}' is no list of class scores, so --dataset cannot measure accuracy",
                                     runner.output_infos()[0].name));
    }
    BNN_ASSIGN_OR_RETURN(labels, ReadLabels(options.dataset[1], feeds[0].samples(), classes));
  }

  const int64_t samples = NumSamples(feeds, options.limit);
  std::vector<NpyWriter> writers;
  if (!options.output.empty()) {
    BNN_ASSIGN_OR_RETURN(writers, CreateWriters(runner, options.output, samples, report.files_written));
  }
  ProgressBar bar(samples, options.progress);
  EvaluateOptions evaluate{.limit = options.limit,
                           .repeat = std::max<int64_t>(options.repeat, 1),
                           .warmup = options.warmup,
                           .top_k = is_dataset ? 0 : options.top_k,
                           .writers = writers,
                           .progress = [&bar](int64_t done) { bar.Update(done); }};
  BNN_ASSIGN_OR_RETURN(report.evaluation, Evaluate(runner, feeds, labels, evaluate, measurement));
  for (int64_t i = 0; !is_dataset && i < samples; ++i) report.sample_names.push_back(feeds[0].SampleName(i));
  for (NpyWriter& writer : writers) BNN_RETURN_IF_ERROR(writer.Close());
  return OkStatus();
}

}  // namespace

Result<Report> RunTool(const Options& options) {
  BNN_ASSIGN_OR_RETURN(Runner runner, Runner::Load({options.model, options.batch, options.height, options.width,
                                                    static_cast<int32_t>(options.threads), options.max_isa,
                                                    options.cpus, options.profile}));
  Report report;
  report.model = options.model;
  report.inputs = runner.input_infos();
  report.outputs = runner.output_infos();
  report.batch = runner.batch();
  report.threads = options.threads;
  report.cpu_isa = bnn_cpu_isa();
  report.isa = options.max_isa.empty() ? report.cpu_isa : options.max_isa;
  report.is_softmax = EndsInSoftmax(runner.plan());
  for (const TensorInfo& input : report.inputs) {
    BNN_ASSIGN_OR_RETURN(const Preprocessor preprocessor, Preprocessor::Create(input, options.preprocess));
    report.input_notes.push_back(preprocessor.Describe());
  }

  Measurement measurement;
  if (options.profile) {
    measurement.EnableLimits({static_cast<int32_t>(options.threads), options.max_isa, LargestStep(runner.plan())});
  }
  if (options.inputs.empty() && options.dataset.empty()) {
    BNN_RETURN_IF_ERROR(FillRandom(runner, options.preprocess));
    BNN_RETURN_IF_ERROR(Benchmark(runner, options.warmup, options.repeat, measurement));
  } else {
    BNN_RETURN_IF_ERROR(RunOnData(options, runner, measurement, report));
  }
  if (report.evaluation.has_nan) fmt::print(stderr, "bnn-run: warning: outputs hold NaN\n");

  report.latency = measurement.Latency();
  report.timed_runs = measurement.num_runs();
  report.images_per_second = measurement.SamplesPerSecond();
  report.load_seconds = runner.load_seconds();
  report.first_run_seconds = runner.first_run_seconds();
  if (options.plan) report.plan = runner.plan();
  report.memory = runner.memory();
  report.peak_memory_bytes = PeakMemoryBytes();
  if (options.profile) BNN_RETURN_IF_ERROR(FinishProfile(options, runner, measurement, report));
  return report;
}

}  // namespace bnn::run
