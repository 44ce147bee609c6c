#include "tools/bnn_run/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <limits>

namespace bnn::run {
namespace {

constexpr const char* kDescription =
    "Runs a .bnn model: measures its speed, classifies images, or measures its accuracy.\n\n"
    "Without --input and --dataset it measures the speed on random data. MODEL comes first.";

constexpr const char* kFooter = R"(
INPUT FILES
  Arrays: .npy (versions 1-3) and idx (MNIST's format), plain or gzip-compressed. Pictures: PNG and JPEG. The content
  decides, not the name. A picture is made gray or RGB as the model needs (alpha is dropped) and stretched to the
  model's size with a triangle filter (bilinear, averaging where it shrinks); the aspect ratio is not kept.
  An array may be [N,H,W,C], [N,C,H,W], for one channel [N,H,W], or exactly the model's input; without N it is one
  sample. It is put into the order of the model's input.

VALUES
  uint8 values are pixels: x = (p - mean) * scale, with mean and scale as stored in the model. --mean and --scale take
  their place: one number, or one a channel separated by commas. A scale may be a fraction: "1/255" computes
  (p - mean) * 1 / 255 with a true division, so that x is exactly the float32 that p / 255 gives elsewhere.
  Values of all other types go to the model as they are, unless --mean or --scale is given.

OUTPUT
  The class of a sample is the index of the largest value of the first output, the first one on a tie. Values are
  printed as probabilities only if the model ends in a softmax, else as raw scores. Latency is the time of one run of
  the network over one batch, without reading and converting the input. The last batch of a dataset is filled up with
  zeros. A model that was exported with a fixed batch runs at any --batch too.
  --json prints one object to stdout: model, batch, threads, isa, samples, correct (null without labels), predictions,
  latency_ms {min, median, p90, p99, mean}, images_per_second, load_ms (to read and compile the model), first_run_ms,
  peak_memory_bytes, session_memory_bytes, live_tensor_bytes (what tensors need at once, the least that
  session_memory_bytes could be), weight_bytes, inputs, outputs; with --input top_k,
  with --profile layers, run_ms, layers_ms, overhead_ms, clock_ms, limit_ms, limit_share and limits, with --plan plan.

PROFILE
  The limit of a layer is the least time that this processor needs for it: its multiply-adds at the speed of the best
  known inner loop on registers alone (binary: popcount; float32: fused multiply-adds; int8: dot products of bytes), or
  reading or writing its bytes once at the speed of the cache level in which they fit together, whatever takes longest.
  "of limit" is that time divided by the measured one. Speeds are measured with the same number of threads between the
  runs, so that both see the same clock rates; all figures are medians. The limit of the network is the sum over its
  layers, divided by the median time of whole runs. The memory that --profile uses for that counts in "peak".

EXIT CODES
  0 success; 1 a file, the model or the data is at fault (one line on stderr); 2 a wrong command line.

EXAMPLES
  bnn-run model.bnn --profile                              speed on random data, a table of the layers
  bnn-run model.bnn --profile=html                         the same, and a page for the browser
  bnn-run model.bnn --input cat.jpg --labels names.txt     the five best classes of a photograph
  bnn-run model.bnn --dataset images.idx.gz labels.idx.gz --scale 1/255 --batch 16 --threads 2
  bnn-run model.bnn --input x.npy --output y.npy --json    raw outputs to a file, the rest as JSON
  bnn-run model.bnn --input left=l.npy right=r.npy         a model with two inputs
)";

// The value of a flag that is given without one.
constexpr const char* kBareFlag = "true";

// What is not stored as it is given.
struct Texts {
  std::string mean, scale, layout, resolution, profile;
  bool no_progress = false;
};

void Define(CLI::App& app, Options& options, Texts& texts) {
  const auto positive = CLI::Range(int64_t{1}, std::numeric_limits<int64_t>::max()).description("");
  app.add_option("MODEL", options.model, "The .bnn file, made by bnn-convert")->required();

  app.add_option("--input", options.inputs,
                 "Files to classify: .npy, idx, PNG or JPEG. NAME=FILE for each input of a model with several")
      ->type_name("FILE")
      ->group("Data");
  app.add_option("--dataset", options.dataset, "Images and their labels (integers, [N]) as idx or .npy: accuracy")
      ->type_name("IMAGES LABELS")
      ->expected(2)
      ->group("Data");
  app.add_option("--labels", options.class_names,
                 "Names of the classes, one a line; with --dataset also accuracy by class")
      ->type_name("NAMES.txt")
      ->group("Data");
  app.add_option("--limit", options.limit, "Use only the first N samples")
      ->check(positive)
      ->type_name("N")
      ->group("Data");
  app.add_option("--mean", texts.mean, "Subtracted from each value (per channel: a,b,c)")
      ->type_name("X[,Y,Z]")
      ->group("Data");
  app.add_option("--scale", texts.scale, "Then multiplied; a number or a fraction such as 1/255")
      ->type_name("X[,Y,Z]")
      ->group("Data");
  app.add_option("--layout", texts.layout, "Order of the model's input, where the model does not say or is wrong")
      ->check(CLI::IsMember({"nchw", "nhwc"}, CLI::ignore_case).description(""))
      ->type_name("nchw|nhwc")
      ->group("Data");

  app.add_option("--top-k", options.top_k, "Classes to print for each --input sample")
      ->check(positive)
      ->capture_default_str()
      ->type_name("K")
      ->group("Results");
  app.add_option(
         "--output", options.output,
         "Write the raw outputs of all samples as float32 [N,...]. Of several outputs, number I goes to FILE.I.npy")
      ->type_name("FILE.npy")
      ->group("Results");
  app.add_flag("--profile", texts.profile,
               "Time of each layer beside the least that this processor needs for it: a table; with =trace also a file "
               "for ui.perfetto.dev, with =html a page with time line and roofline plot")
      ->check(CLI::IsMember({"table", "trace", "html", kBareFlag}).description(""))
      ->type_name("[=table|trace|html]")
      ->group("Results");
  app.add_option("--profile-output", options.profile_output,
                 "The file of --profile=trace or =html. Default: MODEL's name with .trace.json or .profile.html, in "
                 "the current folder")
      ->type_name("FILE")
      ->group("Results");
  app.add_flag("--plan", options.plan, "Each step of the compiled model, its kernel and why")->group("Results");
  app.add_flag("--json", options.json, "One JSON object on stdout instead of text")->group("Results");
  app.add_flag("--no-progress", texts.no_progress, "No progress bar (there is none where stderr is no terminal)")
      ->group("Results");

  app.add_option("--threads", options.threads, "Threads of one run")
      ->check(CLI::Range(1, 1024).description(""))
      ->capture_default_str()
      ->type_name("N")
      ->group("Running");
  app.add_option("--cpus", options.cpus,
                 "CPUs to run on, as 4-7 or 0,2. Default: where cores differ, threads beside the first stay on the "
                 "fastest of which there are enough")
      ->type_name("LIST")
      ->group("Running");
  app.add_option("--batch", options.batch, "Samples of one run. Default: the batch that the model fixed, else 1")
      ->check(CLI::Range(1, 1 << 20).description(""))
      ->type_name("N")
      ->group("Running");
  app.add_option("--resolution", texts.resolution,
                 "Height and width of the images, where the network allows others than the model's")
      ->type_name("HxW")
      ->group("Running");
  app.add_option("--repeat", options.repeat,
                 "Timed runs; with data, of each batch. Default: about two seconds on random data (10 to 1000 runs), "
                 "1 with data")
      ->check(positive)
      ->type_name("N")
      ->group("Running");
  app.add_option("--warmup", options.warmup, "Runs before the timed ones")
      ->check(CLI::Range(0, 1 << 30).description(""))
      ->capture_default_str()
      ->type_name("N")
      ->group("Running");
  app.add_option(
         "--max-isa", options.max_isa,
         "Best instruction set that kernels may use: reference, avx2, avx512, avx512vpopcnt, neon, neonsha3, sve")
      ->type_name("NAME")
      ->envname("BNN_MAX_ISA")
      ->group("Running");
}

void FinishProfile(Options& options, const Texts& texts) {
  options.profile = !texts.profile.empty();
  if (texts.profile == "trace") options.profile_format = ProfileFormat::kTrace;
  if (texts.profile == "html") options.profile_format = ProfileFormat::kHtml;
  const std::string name = std::filesystem::path(options.model).stem().string();
  switch (options.profile_format) {
    case ProfileFormat::kTable:
      if (options.profile_output.empty()) return;
      throw CLI::ValidationError("--profile-output needs --profile=trace or --profile=html");
    case ProfileFormat::kTrace:
      if (options.profile_output.empty()) options.profile_output = name + ".trace.json";
      return;
    case ProfileFormat::kHtml:
      if (options.profile_output.empty()) options.profile_output = name + ".profile.html";
      return;
  }
}

// "224x320", or "224" for a square.
void ParseResolution(const std::string& text, Options& options) {
  constexpr int64_t kMost = 1 << 24;
  const char* const end = text.data() + text.size();
  const auto number = [&](const char* begin, int64_t& value) {
    const auto [next, error] = std::from_chars(begin, end, value);
    return error == std::errc() && value >= 1 && value <= kMost ? next : nullptr;
  };
  const char* next = number(text.data(), options.height);
  options.width = options.height;
  if (next != nullptr && next != end) next = *next == 'x' ? number(next + 1, options.width) : nullptr;
  if (next != end) throw CLI::ValidationError("--resolution", "found '" + text + "', expected HEIGHTxWIDTH");
}

// What CLI11 cannot check: throws its errors, so that all usage errors look alike.
void Finish(Options& options, const Texts& texts) {
  options.progress = !texts.no_progress;
  FinishProfile(options, texts);
  if (!texts.mean.empty()) {
    auto mean = ParseNumbers(texts.mean);
    if (!mean.ok()) throw CLI::ValidationError("--mean", mean.status().message());
    options.preprocess.mean = *std::move(mean);
  }
  if (!texts.scale.empty()) {
    auto scale = ParseScale(texts.scale);
    if (!scale.ok()) throw CLI::ValidationError("--scale", scale.status().message());
    options.preprocess.scale = *std::move(scale);
  }
  if (!texts.resolution.empty()) ParseResolution(texts.resolution, options);
  if (!texts.layout.empty()) {
    options.preprocess.layout = CLI::detail::to_lower(texts.layout) == "nchw" ? BNN_LAYOUT_NCHW : BNN_LAYOUT_NHWC;
  }
  if (!options.inputs.empty() && !options.dataset.empty()) {
    throw CLI::ValidationError("--input and --dataset exclude each other");
  }
  const bool has_data = !options.inputs.empty() || !options.dataset.empty();
  if (!options.output.empty() && !has_data) throw CLI::ValidationError("--output needs --input or --dataset");
  if (!options.class_names.empty() && !has_data) throw CLI::ValidationError("--labels needs --input or --dataset");
  if (options.limit != 0 && !has_data) throw CLI::ValidationError("--limit needs --input or --dataset");
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  Texts texts;
  CLI::App app(kDescription, "bnn-run");
  app.set_version_flag("--version", fmt::format("bnn-run {}", bnn_version()));
  app.footer(kFooter);
  app.get_formatter()->column_width(28);
  try {
    Define(app, options, texts);
    app.parse(argc, argv);
    Finish(options, texts);
  } catch (const CLI::Success& done) {  // --help, --version
    app.exit(done, std::cout, std::cerr);
    return kExitOk;
  } catch (const CLI::Error& error) {
    std::cerr << "bnn-run: " << error.what() << " (see bnn-run --help)\n";
    return kExitUsage;
  }
  return options;
}

}  // namespace bnn::run
