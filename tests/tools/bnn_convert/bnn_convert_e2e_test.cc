// The program itself: files, exit codes, streams.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/reader.h"
#include "tests/formats/gz_cases.h"
#include "tests/formats/openvino_net_text.h"
#include "tests/test_support.h"

namespace bnn::convert {
namespace {

namespace fs = std::filesystem;

struct ProgramResult {
  int exit_code = 0;
  std::string out, err;
};

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// A folder of this test's own, empty at its start.
fs::path Folder() {
  const fs::path folder = fs::path(test::ScratchDir()) / "bnn_convert";
  static const bool cleared = (fs::remove_all(folder), true);
  fs::create_directories(folder);
  return cleared ? folder : fs::path();
}

ProgramResult Run(const std::string& arguments) {
  const fs::path out = Folder() / "stdout.txt", err = Folder() / "stderr.txt";
  const std::string command =
      std::string("'") + BNN_CONVERT_PROGRAM + "' " + arguments + " >'" + out.string() + "' 2>'" + err.string() + "'";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadFile(out), ReadFile(err)};
}

std::string Network() { return test::SourceDir() + "/models/fashion_mnist/fashion_mnist.onnx"; }

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("converts, verifies, reports") {
  const fs::path model = Folder() / "good.bnn", json = Folder() / "report.json", graph = Folder() / "graph.txt";
  const ProgramResult result =
      Run("'" + Network() + "' -o '" + model.string() + "' --verify=2 --input-mean 0 --input-scale 1/255 " +
          "--report-json '" + json.string() + "' --dump-graph '" + graph.string() + "'");
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(Contains(result.out, "runs as"));
  CHECK(Contains(result.out, "% of the MACs are binary"));
  CHECK(Contains(result.out, "verify: 2 random samples"));
  const Result<formats::ModelDef> read = formats::ReadModelFile(model.string());
  REQUIRE_MESSAGE(read.ok(), read.status().message());
  CHECK(read->inputs[0].preprocessing.scale == std::vector<float>{static_cast<float>(1.0 / 255)});
  CHECK(read->source == "fashion_mnist.onnx");
  const auto report = nlohmann::json::parse(ReadFile(json));
  REQUIRE(!report["layers"].empty());
  int binary = 0;
  for (const auto& layer : report["layers"]) {
    binary += layer["binary"].get<bool>() ? 1 : 0;
    CHECK(layer["macs"].get<int64_t>() > 0);
    CHECK(!layer["reason"].get<std::string>().empty());
  }
  CHECK(binary > 0);
  CHECK(Contains(ReadFile(graph), "Conv"));
}

TEST_CASE("a frozen TensorFlow graph in Blueoil's form") {
  const fs::path graph = Folder() / "blueoil.pb", model = Folder() / "blueoil.bnn";
  for (const test::OnnxCase& one : test::ReadGzCases("graphdef.cases.gz")) {
    if (one.name == "blueoil_new") WriteFile(graph, one.model);
  }
  const ProgramResult result = Run("'" + graph.string() + "' -o '" + model.string() + "' --verify=2");
  CHECK_MESSAGE(result.exit_code == 0, result.err);
  CHECK(Contains(result.out, "passed"));
  const Result<formats::ModelDef> read = formats::ReadModelFile(model.string());
  REQUIRE_MESSAGE(read.ok(), read.status().message());
  CHECK(read->tensors[static_cast<size_t>(read->inputs[0].tensor)].name == "images_placeholder");
  CHECK(read->inputs[0].layout == formats::ImageLayout::kNhwc);
  CHECK(read->tensors[static_cast<size_t>(read->outputs[0])].name == "output");
}

TEST_CASE("an OpenVINO IR, with its weights beside it and elsewhere") {
  const fs::path xml = Folder() / "small.xml", elsewhere = Folder() / "w.bin", model = Folder() / "ir.bnn";
  WriteFile(xml, test::SmallNet());
  WriteFile(elsewhere, test::SmallWeights());
  const std::string convert = "'" + xml.string() + "' -o '" + model.string() + "' --verify";
  const ProgramResult missing = Run(convert);
  CHECK(missing.exit_code == 1);
  CHECK(Contains(missing.err, "small.bin, are missing"));
  CHECK_FALSE(fs::exists(model));
  const ProgramResult result = Run(convert + " --weights '" + elsewhere.string() + "'");
  CHECK_MESSAGE(result.exit_code == 0, result.err);
  CHECK(Contains(result.out, "passed"));
  fs::rename(elsewhere, Folder() / "small.bin");
  CHECK(Run(convert).exit_code == 0);
  const Result<formats::ModelDef> read = formats::ReadModelFile(model.string());
  REQUIRE_MESSAGE(read.ok(), read.status().message());
  CHECK(read->source == "small.xml");
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// XNOR-ResNet-18 has 16 convolutions between FakeQuantize of two levels, and 5 other layers.
TEST_CASE("--dump-graph shows the graph before and after BinarizeWeights, the table what it did") {
  const fs::path before = Folder() / "before.txt", after = Folder() / "after.txt";
  const ProgramResult result =
      Run("--architecture xnor-resnet-18 --resolution 32 -o '" + (Folder() / "resnet.bnn").string() +
          "' --dump-graph '" + before.string() + "/after.txt'");
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(Count(result.out, "; BinarizeWeights done: factors ") == 16);
  CHECK(Count(result.out, "BinarizeWeights declined") == 0);
  const std::string graph = ReadFile(before), passed = ReadFile(after);
  CHECK(Count(graph, "\nFakeQuantize '") == 32);
  CHECK(Count(graph, "\nMul '") == 0);
  CHECK(Count(passed, "\nFakeQuantize '") == 16);
  CHECK(Count(passed, "/signs:float32[") == 16);
  CHECK(Count(passed, "\nMul '") == 32);
  CHECK(Count(passed, "/output_high:float32[] = [1]\n") == 16);
}

TEST_CASE("--quiet prints nothing, and equal inputs give equal files") {
  const fs::path first = Folder() / "first.bnn", second = Folder() / "second.bnn";
  const ProgramResult result = Run("'" + Network() + "' --quiet -o '" + first.string() + "'");
  CHECK(result.exit_code == 0);
  CHECK(result.out.empty());
  CHECK(Run("'" + Network() + "' --quiet -o '" + second.string() + "'").exit_code == 0);
  CHECK(!ReadFile(first).empty());
  CHECK(ReadFile(first) == ReadFile(second));
}

// 40 images of 28x28 bytes as .npy: a header and the pixels.
std::string Images() {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (40, 28, 28), }";
  header.resize(118, ' ');
  header.back() = '\n';
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  for (int i = 0; i < 40 * 28 * 28; ++i) bytes += static_cast<char>(i * 7919 % 256);
  return bytes;
}

TEST_CASE("--int8-float-layers makes int8 layers of float ones, by ranges from the data") {
  const fs::path model = Folder() / "int8.bnn", data = Folder() / "images.npy", json = Folder() / "int8.json";
  WriteFile(data, Images());
  const std::string arguments = "'" + Network() + "' -o '" + model.string() + "' --input-mean 0 --input-scale 1/255 " +
                                "--int8-float-layers --report-json '" + json.string() + "'";
  const ProgramResult result = Run(arguments + " --calibrate '" + data.string() + "'");
  CAPTURE(result.err);
  CHECK(result.exit_code == 0);
  CHECK(Contains(result.out, "int8 by calibration; input '"));
  CHECK(Contains(result.out, "in [0, 1]"));  // of pixels / 255
  int int8 = 0;
  const auto report = nlohmann::json::parse(ReadFile(json));
  for (const auto& layer : report["layers"]) {
    CHECK(layer["runs_as"] != "float");
    int8 += layer["runs_as"] == "int8" ? 1 : 0;
  }
  CHECK(int8 >= 1);
  REQUIRE(formats::ReadModelFile(model.string()).ok());

  CHECK(Run(arguments + " --calibrate-percentile 99 --calibrate '" + data.string() + "'").exit_code == 0);
  CHECK(Run(arguments + " --calibrate /nonexistent.npy").exit_code == 1);
  CHECK(Run(arguments).exit_code == 2);
  CHECK(Run("'" + Network() + "' -o '" + model.string() + "' --calibrate '" + data.string() + "'").exit_code == 2);
}

// The stem of this network, a 5x5 convolution, is its first float layer.
TEST_CASE("--binarize makes binary layers of those that an NNCF configuration names") {
  const fs::path model = Folder() / "binarized.bnn", data = Folder() / "images.npy", config = Folder() / "nncf.json";
  WriteFile(data, Images());
  const auto configuration = [](const std::string& scope) {
    return "{\"epochs\": 9, \"compression\": {\"algorithm\": \"binarization\", // as for NNCF\n\"target_scopes\": [\"" +
           scope + "\"]}}";
  };
  WriteFile(config, configuration("FashionNet/Sequential[features]/NNCFConv2d[0]/conv2d_0"));
  const std::string arguments = "'" + Network() + "' -o '" + model.string() + "' --input-mean 0 --input-scale 1/255 " +
                                "--binarize '" + config.string() + "'";
  const std::string calibrated = arguments + " --calibrate '" + data.string() + "'";
  const ProgramResult result = Run(calibrated + " --verify=2");
  CAPTURE(result.err);
  CAPTURE(result.out);
  CHECK(result.exit_code == 0);
  CHECK(Contains(result.out, "/features/features.0/Conv': input binarized to 0 and 1, threshold 0.5"));  // pixels / 255
  CHECK(Contains(result.out, "not binarized: not in target_scopes"));
  CHECK(Contains(result.out, "not binarized: NNCF binarizes Conv2d only"));
  CHECK(Contains(result.out, "without meaning for a conversion: epochs"));
  CHECK(Contains(result.out, "share"));
  CHECK(formats::ReadModelFile(model.string()).ok());

  CHECK(Run(arguments).exit_code == 2);
  WriteFile(config, configuration("FashionNet/Sequential[features]/NNCFConv2d[1]/conv2d_0"));
  const ProgramResult unmatched = Run(calibrated);
  CHECK(unmatched.exit_code == 1);
  CHECK(Contains(unmatched.err, "matches nothing; nearest: '/features/features.0/Conv' ="));
  WriteFile(config, "{\"compression\": {\"algorithm\": \"binarization\", \"bits\": 1}}");
  CHECK(Contains(Run(calibrated).err, "unknown key 'compression.bits'"));
}

TEST_CASE("a failure leaves an existing model as it was, and nothing beside it") {
  const fs::path model = Folder() / "kept.bnn";
  WriteFile(model, "precious");
  const fs::path broken = Folder() / "broken.onnx";
  WriteFile(broken, ReadFile(Network()).substr(0, 5000));
  for (const std::string& arguments :
       {"'" + broken.string() + "' -o '" + model.string() + "'", "missing.onnx -o '" + model.string() + "'",
        "'" + Network() + "' -o '" + model.string() + "' --input-mean 1,2",
        "'" + Network() + "' -o '" + model.string() + "' --report-json /nonexistent/folder/report.json"}) {
    CAPTURE(arguments);
    const ProgramResult result = Run(arguments);
    CHECK(result.exit_code == 1);
    CHECK(result.out.empty());
    CHECK(Contains(result.err, "bnn-convert: "));
    CHECK(ReadFile(model) == "precious");
  }
  CHECK(Run("'" + Network() + "' -o /nonexistent/folder/model.bnn").exit_code == 1);
  for (const auto& entry : fs::directory_iterator(Folder())) CHECK(!Contains(entry.path().filename().string(), "tmp"));
}

TEST_CASE("exit code 3: --verify found a difference above the tolerance, nothing was written") {
  const fs::path model = Folder() / "differs.bnn";
  // Float layers sum in another order than the interpretation: with tolerance 0 that is a difference.
  const ProgramResult result = Run("'" + Network() + "' -o '" + model.string() + "' --verify=4 --tolerance 0");
  CHECK(result.exit_code == 3);
  CHECK(Contains(result.out, "FAILED"));
  CHECK(Contains(result.err, "was not written"));
  CHECK(!fs::exists(model));
}

TEST_CASE("exit code 2: a wrong command line, explained on stderr") {
  const ProgramResult result = Run("--nonsense");
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK(!result.err.empty());
}

TEST_CASE("--weights-quantizer: the layers that its scopes choose, and what it refuses") {
  const fs::path model = Folder() / "weights.bnn";
  const std::string source =
      "'" + test::SourceDir() + "/models/fashion_mnist_nncf/baseline.onnx' -o '" + model.string() + "' ";
  const ProgramResult result = Run(source + "--weights-quantizer binary_mean_scaling --ignored-scope '{re}conv1'");
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(Contains(result.out, ": weights by binary_mean_scaling"));
  CHECK(Run(source + "--weights-quantizer ternary").exit_code == 2);
  CHECK(Run(source + "--target-scope x").exit_code == 2);
  const ProgramResult nothing = Run(source + "--weights-quantizer binary_mean_scaling --target-scope no/such/layer");
  CHECK(nothing.exit_code == 1);
  CHECK(Contains(nothing.err, "no/such/layer"));
}

TEST_CASE("--help names every option and gives examples") {
  const ProgramResult result = Run("--help");
  CHECK(result.exit_code == 0);
  for (const char* part :
       {"--output", "--shape", "--sign-zero", "--input-mean", "--input-scale", "--dump-graph", "--report-json",
        "--verify", "--seed", "--quiet", "--int8-float-layers", "--binarize", "--weights-quantizer", "--target-scope",
        "--ignored-scope", "--calibrate", "EXAMPLES", "EXIT CODES"}) {
    CAPTURE(part);
    CHECK(Contains(result.out, part));
  }
}

TEST_CASE("a published network: listed, built, the same from the same seed, and as ONNX that converts alike") {
  const ProgramResult list = Run("--list-architectures");
  CHECK(list.exit_code == 0);
  CHECK(Contains(list.out, "bi-real-net-18"));
  const fs::path first = Folder() / "cnv1.bnn", second = Folder() / "cnv2.bnn", other = Folder() / "cnv3.bnn";
  const fs::path onnx = Folder() / "cnv.onnx", converted = Folder() / "cnv4.bnn";
  REQUIRE(Run("--architecture cnv -o '" + first.string() + "' --emit-onnx '" + onnx.string() + "'").exit_code == 0);
  REQUIRE(Run("--architecture cnv -o '" + second.string() + "'").exit_code == 0);
  REQUIRE(Run("--architecture cnv --seed 2 -o '" + other.string() + "'").exit_code == 0);
  CHECK(ReadFile(first) == ReadFile(second));
  CHECK(ReadFile(first) != ReadFile(other));
  REQUIRE(Run("'" + onnx.string() + "' -o '" + converted.string() + "'").exit_code == 0);
  const auto a = formats::ReadModelFile(first.string()), b = formats::ReadModelFile(converted.string());
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(a->nodes.size() == b->nodes.size());
  CHECK(a->blobs == b->blobs);
}

}  // namespace
}  // namespace bnn::convert
