// The real bnn-run program on small models whose results are known exactly: pixels and weights are small integers, so
// that no sum rounds.
#include <doctest/doctest.h>
#include <sched.h>
#include <stb/stb_image_write.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "formats/writer.h"
#include "tests/formats/model_builder.h"
#include "tests/tools/bnn_run/test_files.h"
#include "tools/bnn_run/npy.h"

namespace bnn::run {
namespace {

constexpr int64_t kChannels = 3, kHeight = 2, kWidth = 2, kClasses = 11, kSamples = 23;
constexpr int64_t kPixels = kHeight * kWidth, kValues = kChannels * kPixels;

// [class][value of the NCHW input]
float Weight(int64_t k, int64_t i) { return static_cast<float>((k * 7 + i * 5) % 9 - 4); }

enum class Ending { kScores, kSoftmax };

// Dense over a [3,2,2] NCHW image.
std::string MakeModel(const std::string& name, Ending ending = Ending::kScores,
                      const formats::Preprocessing& preprocessing = {}) {
  formats::ModelBuilder b;
  const int x = b.Input({kChannels, kHeight, kWidth});
  b.model().inputs[0].layout = formats::ImageLayout::kNchw;
  b.model().inputs[0].preprocessing = preprocessing;
  std::vector<float> weights, bias;
  for (int64_t k = 0; k < kClasses; ++k) {
    for (int64_t i = 0; i < kValues; ++i) weights.push_back(Weight(k, i));
    bias.push_back(static_cast<float>(k));
  }
  formats::Dense dense;
  dense.weights = b.Floats({kClasses, kValues}, weights);
  dense.bias = b.Floats({kClasses}, bias);
  int y = b.Node("fc", dense, {x});
  if (ending == Ending::kSoftmax) y = b.Node("probability", formats::Softmax{}, {y});
  b.Output(y);
  b.model().producer = "test";
  b.model().source_batch = 1;
  const std::string path = test::ScratchPath(name);
  const Status status = formats::WriteModelFile(b.model(), path);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return path;
}

// Pixel of sample n in [N,H,W,C] order.
int Pixel(int64_t n, int64_t i) { return static_cast<int>((n * 37 + i * 101 + n * i * 13) % 256); }

std::string ImageBytes() {
  std::string bytes;
  for (int64_t n = 0; n < kSamples; ++n) {
    for (int64_t i = 0; i < kValues; ++i) bytes += static_cast<char>(Pixel(n, i));
  }
  return bytes;
}

// The raw outputs of all samples where x = (pixel - mean) * scale.
std::vector<float> ExpectedOutputs(float mean = 0, float scale = 1) {
  std::vector<float> outputs;
  for (int64_t n = 0; n < kSamples; ++n) {
    for (int64_t k = 0; k < kClasses; ++k) {
      double sum = static_cast<double>(k);
      for (int64_t p = 0; p < kPixels; ++p) {
        for (int64_t c = 0; c < kChannels; ++c) {
          const float x = (static_cast<float>(Pixel(n, p * kChannels + c)) - mean) * scale;
          sum += static_cast<double>(x) * static_cast<double>(Weight(k, c * kPixels + p));
        }
      }
      outputs.push_back(static_cast<float>(sum));
    }
  }
  return outputs;
}

std::vector<int64_t> ExpectedClasses(const std::vector<float>& outputs) {
  std::vector<int64_t> classes;
  for (size_t n = 0; n < outputs.size(); n += kClasses) {
    const auto begin = outputs.begin() + static_cast<std::ptrdiff_t>(n);
    classes.push_back(std::max_element(begin, begin + kClasses) - begin);
  }
  return classes;
}

struct Dataset {
  std::string images, labels;
  std::vector<int64_t> predictions;
  int64_t correct = 0;
};

// The true classes, but every fourth label is wrong.
Dataset MakeDataset() {
  Dataset dataset;
  dataset.predictions = ExpectedClasses(ExpectedOutputs());
  std::string labels;
  for (size_t n = 0; n < dataset.predictions.size(); ++n) {
    const bool right = n % 4 != 0;
    labels += static_cast<char>(right ? dataset.predictions[n] : (dataset.predictions[n] + 1) % kClasses);
    dataset.correct += right ? 1 : 0;
  }
  dataset.images = test::WriteFile("images.npy", test::Npy(test::NpyHeaderText("|u1", "(23, 2, 2, 3)"), ImageBytes()));
  dataset.labels = test::WriteFile("labels.idx.gz", test::Gzip(test::Idx(8, {kSamples}, labels)));
  return dataset;
}

struct Outcome {
  int exit_code = -1;
  std::string out, err;

  nlohmann::json Json() const {
    REQUIRE_MESSAGE(exit_code == 0, err);
    CHECK(std::count(out.begin(), out.end(), '\n') == 1);
    return nlohmann::json::parse(out);
  }
};

Outcome Run(const std::string& arguments) {
  const std::string out = test::ScratchPath("stdout.txt"), err = test::ScratchPath("stderr.txt");
  const std::string command = "'" BNN_RUN_PROGRAM "' " + arguments + " >'" + out + "' 2>'" + err + "'";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, test::ReadWholeFile(out), test::ReadWholeFile(err)};
}

std::vector<float> ReadFloats(const std::string& path, const std::vector<int64_t>& shape) {
  const auto array = ReadNpy(path);
  REQUIRE_MESSAGE(array.ok(), array.status().message());
  CHECK(array->dtype == DType::kF32);
  CHECK(array->shape == shape);
  std::vector<float> values(static_cast<size_t>(array->size()));
  CopyAsFloat(*array, 0, values);
  return values;
}

// An error: exit code 1, one line on stderr that holds `part`, nothing on stdout.
void CheckFails(const std::string& arguments, const std::string& part) {
  CAPTURE(arguments);
  for (const char* json : {"", " --json"}) {
    const Outcome outcome = Run(arguments + json);
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.starts_with("bnn-run: "));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find(part) != std::string::npos);
  }
}

TEST_CASE("a dataset gives the same exact results at any batch and with any number of threads") {
  const std::string model = MakeModel("scores.bnn");
  const Dataset data = MakeDataset();
  const std::string output = test::ScratchPath("outputs.npy");
  for (const char* flags : {"", "--batch 4", "--batch 23", "--batch 64", "--threads 2 --batch 5", "--repeat 3"}) {
    CAPTURE(flags);
    const Outcome outcome =
        Run(model + " --json " + flags + " --output " + output + " --dataset " + data.images + " " + data.labels);
    const auto json = outcome.Json();
    CHECK(outcome.err.empty());
    CHECK(json["samples"] == kSamples);
    CHECK(json["correct"] == data.correct);
    CHECK(json["predictions"] == data.predictions);
    CHECK(json["latency_ms"]["min"] > 0);
    CHECK(json["latency_ms"]["median"] >= json["latency_ms"]["min"]);
    CHECK(json["latency_ms"]["p99"] >= json["latency_ms"]["p90"]);
    CHECK(json["load_ms"] > 0);
    CHECK(json["first_run_ms"] > 0);
    CHECK(json["peak_memory_bytes"] > 1 << 20);
    CHECK(ReadFloats(output, {kSamples, kClasses}) == ExpectedOutputs());
  }
}

TEST_CASE("--cpus takes CPUs that are there") {
  const std::string model = MakeModel("cpus.bnn");
  const Outcome refused = Run(model + " --repeat 1 --cpus 1-");
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("cpus: found '1-'") != std::string::npos);
  cpu_set_t allowed;
  REQUIRE(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &allowed)) ++cpu;
  CHECK(Run(model + " --json --repeat 1 --threads 2 --cpus " + std::to_string(cpu)).exit_code == 0);
}

TEST_CASE("--limit takes the first samples") {
  const Dataset data = MakeDataset();
  const auto json =
      Run(MakeModel("scores.bnn") + " --json --batch 4 --limit 6 --dataset " + data.images + " " + data.labels).Json();
  CHECK(json["samples"] == 6);
  CHECK(json["predictions"] == std::vector<int64_t>(data.predictions.begin(), data.predictions.begin() + 6));
  CHECK(json["correct"] == 4);
}

TEST_CASE("preprocessing comes from the model, and flags take its place") {
  const std::string model = MakeModel("preprocessed.bnn", Ending::kScores, {{128.0F}, {0.5F}});
  const Dataset data = MakeDataset();
  const std::string output = test::ScratchPath("outputs.npy");
  const std::string command = model + " --json --output " + output + " --input " + data.images;
  CHECK(Run(command).Json()["samples"] == kSamples);
  CHECK(ReadFloats(output, {kSamples, kClasses}) == ExpectedOutputs(128, 0.5F));
  CHECK(Run(command + " --mean 0 --scale 2").Json()["samples"] == kSamples);
  CHECK(ReadFloats(output, {kSamples, kClasses}) == ExpectedOutputs(0, 2));
  CHECK(Run(command + " --mean=-16").Json()["samples"] == kSamples);
  CHECK(ReadFloats(output, {kSamples, kClasses}) == ExpectedOutputs(-16, 0.5F));
}

TEST_CASE("without data it measures speed, layer by layer") {
  const std::string model = MakeModel("softmax.bnn", Ending::kSoftmax);
  const auto json = Run(model + " --json --repeat 20 --batch 3 --threads 2 --profile --plan").Json();
  CHECK(json["correct"].is_null());
  CHECK(json["predictions"].empty());
  CHECK(json["batch"] == 3);
  CHECK(json["threads"] == 2);
  CHECK(json["timed_runs"] == 20);
  CHECK(json["images_per_second"] > 0);
  REQUIRE(json["layers"].size() == json["plan"].size());
  REQUIRE_FALSE(json["layers"].empty());
  double sum = 0;
  for (const auto& layer : json["layers"]) sum += layer["ms"].get<double>();
  CHECK(sum > 0);
  CHECK(json["overhead_ms"] >= 0);
  for (const auto& step : json["plan"]) CHECK_FALSE(step["kernel"].get<std::string>().empty());
  double limit = 0;
  for (const auto& layer : json["layers"]) limit += layer["limit_ms"].get<double>();
  CHECK(limit > 0);
  CHECK(json["limit_ms"].get<double>() == doctest::Approx(limit));
  CHECK(json["limit_share"] > 0);
  CHECK(json["layers"][0]["arithmetic"] == "float32");
  CHECK(json["layers"][0]["bytes_read"] >= 3 * kValues * 4 + kClasses * kValues * 4);
  CHECK(json["layers"][0]["bytes_written"] == 3 * kClasses * 4);
  for (const char* kind : {"binary", "float32", "int8"}) CHECK(json["limits"][kind]["gmacs_per_second"] > 0);
  CHECK(json["limits"]["measurements"] >= 5);

  const Outcome text = Run(model + " --repeat 3 --profile --plan");
  CHECK(text.exit_code == 0);
  for (const char* part :
       {"Plan:", "GMAC/s", "between layers", "network at ", "bound by", "latency", "images/s", "peak"}) {
    CAPTURE(part);
    CHECK(text.out.find(part) != std::string::npos);
  }
}

TEST_CASE("--profile writes a trace or a page") {
  const std::string model = MakeModel("scores.bnn");
  const std::string trace = test::ScratchPath("trace.json"), page = test::ScratchPath("page.html");
  const auto json = Run(model + " --json --repeat 30 --profile=trace --profile-output " + trace).Json();
  CHECK(json["files_written"] == std::vector<std::string>{trace});
  const auto events = nlohmann::json::parse(test::ReadWholeFile(trace))["traceEvents"];
  const auto is_step = [](const auto& event) { return event["name"] == "fc"; };
  CHECK(std::count_if(events.begin(), events.end(), is_step) == 24);  // of the last runs

  const Outcome outcome = Run(model + " --repeat 3 --profile=html --profile-output " + page);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out.find("written   " + page) != std::string::npos);
  CHECK(test::ReadWholeFile(page).find("\"name\":\"fc\"") != std::string::npos);
  // Between the batches of a dataset the limits are measured, too, and change no result.
  const Dataset data = MakeDataset();
  const auto scored = Run(model + " --json --batch 4 --profile --dataset " + data.images + " " + data.labels).Json();
  CHECK(scored["predictions"] == data.predictions);
  CHECK(scored["limits"]["measurements"] >= 5);
  CheckFails(model + " --repeat 1 --profile=html --profile-output " + test::ScratchPath("no/page.html"),
             "no/page.html");
  CheckFails(model + " --repeat 1 --profile=trace --profile-output /dev/full", "/dev/full");
}

TEST_CASE("--plan shows each step's kernel, and why better ones were refused") {
  formats::ModelBuilder b;
  const int bits = b.Binarize("sign", b.Input({64}));
  formats::BDense dense;
  dense.weights = b.Bits({3, 64}, [](int64_t row, int64_t i) { return (row + i) % 2 == 0; });
  b.Output(b.Node("fc", dense, {bits}));
  const std::string model = test::ScratchPath("binary.bnn");
  REQUIRE(formats::WriteModelFile(b.model(), model).ok());

  const auto json = Run(model + " --json --repeat 1 --plan --max-isa reference").Json();
  REQUIRE(json["plan"].size() == 2);
  CHECK(json["plan"][0]["kernel"] == "bitpack_ref");
  CHECK(json["plan"][1]["kernel"] == "bdense_ref");
  const std::string text = Run(model + " --repeat 1 --plan --max-isa reference").out;
  for (const auto& step : json["plan"]) {
    const std::string reason = step["reason"];
    CAPTURE(reason);
    CHECK(text.find(reason) != std::string::npos);
#if defined(__x86_64__)
    CHECK(reason.find("_avx2: above the maximal instruction set") != std::string::npos);
#endif
  }
}

TEST_CASE("--resolution runs the network at another size") {
  formats::ModelBuilder b;
  const int x = b.Input({2, 2, kChannels});
  b.model().inputs[0].layout = formats::ImageLayout::kNhwc;
  b.Output(b.Affine("scale", x, {2}, {1}));
  const std::string model = test::ScratchPath("map.bnn");
  REQUIRE(formats::WriteModelFile(b.model(), model).ok());
  const auto json = Run(model + " --json --repeat 1 --batch 2 --resolution 5x7").Json();
  CHECK(json["inputs"][0]["shape"] == nlohmann::json({2, 5, 7, kChannels}));
  CHECK(json["outputs"][0]["shape"] == nlohmann::json({2, 5, 7, kChannels}));
  CHECK(json["session_memory_bytes"] >= json["live_tensor_bytes"]);
  CHECK(json["weight_bytes"] == 0);
  CHECK(Run(model + " --repeat 1 --resolution 5x7 --plan").out.find("arena     ") != std::string::npos);
  CheckFails(MakeModel("scores.bnn") + " --resolution 5x7", "node 'fc' (Dense) cannot be resized");
}

TEST_CASE("pictures are classified with names, and probabilities only after a softmax") {
  std::vector<unsigned char> pixels;
  for (int64_t i = 0; i < kValues; ++i) pixels.push_back(static_cast<unsigned char>(Pixel(3, i)));
  const std::string picture = test::ScratchPath("picture.png");
  REQUIRE(stbi_write_png(picture.c_str(), kWidth, kHeight, kChannels, pixels.data(), 0) != 0);
  std::string names;
  for (int64_t k = 0; k < kClasses; ++k) names += "name" + std::to_string(k) + "\n";
  const std::string labels = test::WriteFile("names.txt", names);
  const int64_t best = ExpectedClasses(ExpectedOutputs())[3];

  const std::string arguments = " --input " + picture + " --labels " + labels + " --top-k 3";
  const auto json = Run(MakeModel("scores.bnn") + arguments + " --json").Json();
  CHECK(json["predictions"] == std::vector<int64_t>{best});
  REQUIRE(json["top_k"][0].size() == 3);
  CHECK(json["top_k"][0][0]["name"] == "name" + std::to_string(best));
  CHECK(json["top_k"][0][0]["score"] == ExpectedOutputs()[static_cast<size_t>(3 * kClasses + best)]);
  CHECK(json["is_probability"] == false);

  const Outcome scores = Run(MakeModel("scores.bnn") + arguments);
  CHECK(scores.out.find("score") != std::string::npos);
  CHECK(scores.out.find("probability") == std::string::npos);
  const Outcome softmax = Run(MakeModel("softmax.bnn", Ending::kSoftmax) + arguments);
  CHECK(softmax.out.find("probability") != std::string::npos);
  CHECK(softmax.out.find("name" + std::to_string(best)) != std::string::npos);
}

TEST_CASE("models with several inputs and outputs") {
  formats::ModelBuilder b;
  const int left = b.Input({2}), right = b.Input({2});
  b.Output(b.Node("sum", formats::Binary{formats::BinaryKind::kAdd}, {left, right}));
  b.Output(b.Node("difference", formats::Binary{formats::BinaryKind::kSub}, {left, right}));
  b.model().tensors[static_cast<size_t>(left)].name = "left";
  b.model().tensors[static_cast<size_t>(right)].name = "right";
  b.model().producer = "test";
  const std::string model = test::ScratchPath("two.bnn");
  const Status status = formats::WriteModelFile(b.model(), model);
  REQUIRE_MESSAGE(status.ok(), status.message());

  const auto file = [](const char* name, const std::string& bytes) {
    return test::WriteFile(name, test::Npy(test::NpyHeaderText("|i1", "(3, 2)"), bytes));
  };
  const std::string l = file("left.npy", std::string("\x01\x02\x03\x04\x05\x06")), r = file("right.npy", "      ");
  const std::string output = test::ScratchPath("sums.npy");
  const auto json = Run(model + " --json --batch 2 --output " + output + " --input right=" + r + " left=" + l).Json();
  CHECK(json["samples"] == 3);
  CHECK(ReadFloats(test::ScratchPath("sums.0.npy"), {3, 2}) == std::vector<float>{33, 34, 35, 36, 37, 38});
  CHECK(ReadFloats(test::ScratchPath("sums.1.npy"), {3, 2}) == std::vector<float>{-31, -30, -29, -28, -27, -26});
  CheckFails(model + " --input " + l, "NAME=FILE");
  CheckFails(model + " --dataset " + l + " " + l, "one input");
}

TEST_CASE("what goes wrong is one line on stderr and exit code 1") {
  const std::string model = MakeModel("scores.bnn");
  const Dataset data = MakeDataset();
  const std::string two_labels = test::WriteFile("two.idx", test::Idx(8, {2}, "\x01\x02"));
  const std::string names = test::WriteFile("names.txt", "only\ntwo\n");
  CheckFails(test::ScratchPath("absent.bnn"), "absent.bnn");
  CheckFails(test::WriteFile("broken.bnn", "not a model"), "broken.bnn");
  CheckFails(model + " --max-isa no-such-isa", "no-such-isa");
  CheckFails(model + " --dataset " + data.images + " " + two_labels, "2 labels");
  CheckFails(model + " --dataset " + two_labels + " " + data.labels, "shape [2]");
  CheckFails(model + " --input " + data.images + " --labels " + names, "2 class names");
  CheckFails(model + " --input " + names, "neither .npy");
  CheckFails(model + " --input " + data.images + " --output " + test::ScratchPath("no/folder.npy"), "folder.npy");
  CheckFails(model + " --mean 1,2", "3 channels");
  CHECK(Run(model + " --no-such-option").exit_code == 2);
}

TEST_CASE("results that cannot be written are an error") {
  const std::string command = "'" BNN_RUN_PROGRAM "' " + MakeModel("scores.bnn") + " --repeat 1 >/dev/full 2>/dev/null";
  const int status = std::system(command.c_str());
  CHECK(WEXITSTATUS(status) == 1);
}

}  // namespace
}  // namespace bnn::run
