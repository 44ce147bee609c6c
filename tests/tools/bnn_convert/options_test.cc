// The command line of bnn-convert and its values.
#include "tools/bnn_convert/options.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tools/bnn_convert/app.h"
#include "tools/bnn_convert/parse.h"

namespace bnn::convert {
namespace {

std::variant<Options, int> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "bnn-convert");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

Options Good(const std::vector<const char*>& arguments) {
  const auto parsed = Parse(arguments);
  REQUIRE(std::holds_alternative<Options>(parsed));
  return std::get<Options>(parsed);
}

bool IsUsageError(const std::vector<const char*>& arguments) {
  const auto parsed = Parse(arguments);
  return std::holds_alternative<int>(parsed) && std::get<int>(parsed) == kExitUsage;
}

TEST_CASE("numbers, lists and shapes") {
  CHECK(*ParseNumber("-2.5e1") == -25.0f);
  CHECK(*ParseNumber("1/255") == static_cast<float>(1.0 / 255));
  for (const char* bad : {"", "x", "1x", "1/", "/2", "1/0", "nan", "inf", "1e99", "1/2/3", " 1"}) {
    CAPTURE(bad);
    CHECK(!ParseNumber(bad).ok());
  }
  CHECK(*ParseNumbers("1,1/2,-3") == std::vector<float>{1, 0.5f, -3});
  CHECK(!ParseNumbers("1,,2").ok());
  const auto shape = ParseShape("a=b=1,3,224");
  REQUIRE(shape.ok());
  CHECK(shape->first == "a=b");
  CHECK(shape->second == formats::Dims{1, 3, 224});
  for (const char* bad : {"a", "=1", "a=", "a=0", "a=-1", "a=1,", "a=1x", "a=99999999999999999999"}) {
    CAPTURE(bad);
    CHECK(!ParseShape(bad).ok());
  }
}

TEST_CASE("defaults and options") {
  const Options defaults = Good({"in.onnx", "-o", "out.bnn"});
  CHECK(defaults.source == "in.onnx");
  CHECK(defaults.output == "out.bnn");
  CHECK(defaults.verify == 0);
  CHECK(!defaults.quiet);
  CHECK(defaults.convert.sign_of_zero == formats::SignOfZero::kAuto);

  const Options options = Good({"in.onnx",
                                "-o",
                                "out.bnn",
                                "--shape",
                                "a=1,2",
                                "--shape",
                                "b=1",
                                "--sign-zero",
                                "minus",
                                "--input-mean",
                                "1,2,3",
                                "--input-scale",
                                "1/2",
                                "--verify=5",
                                "--seed",
                                "9",
                                "--verify-range=-3,4",
                                "--tolerance",
                                "0.5",
                                "--quiet",
                                "--report-json",
                                "r.json",
                                "--dump-graph",
                                "g.txt"});
  CHECK(options.convert.import.input_shapes.at("a") == formats::Dims{1, 2});
  CHECK(options.convert.import.input_shapes.at("b") == formats::Dims{1});
  CHECK(options.convert.sign_of_zero == formats::SignOfZero::kMinus);
  CHECK(options.preprocessing.mean == std::vector<float>{1, 2, 3});
  CHECK(options.preprocessing.scale == std::vector<float>{0.5f});
  CHECK(options.verify == 5);
  CHECK(options.seed == 9);
  CHECK(options.verify_low == -3);
  CHECK(options.verify_high == 4);
  CHECK(options.tolerance == 0.5);
  CHECK(options.quiet);
  CHECK(options.report_json == "r.json");
  CHECK(options.dump_graph.before == "g.txt");
  CHECK(options.dump_graph.after.empty());
  CHECK(Good({"in.onnx", "-o", "out.bnn", "--verify"}).verify == 8);
  CHECK(Good({"in.xml", "-o", "out.bnn", "--weights", "w.bin"}).convert.import.weights_path == "w.bin");
}

TEST_CASE("wrong command lines") {
  CHECK(IsUsageError({}));
  CHECK(IsUsageError({"in.onnx"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--sign-zero", "maybe"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--verify=0"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--verify=x"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--verify=1.5"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--shape", "a"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--shape", "a=1", "--shape", "a=2"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--verify-range=4,3"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--tolerance", "-1"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--dump-graph", "folder/"}));
  CHECK(IsUsageError({"in.onnx", "-o", "o", "--unknown"}));
  CHECK(IsUsageError({"--architecture", "quicknet", "-o", "o", "--weights", "w.bin"}));
}

TEST_CASE("--dump-graph: one file, or two in one folder") {
  const auto parse = [](const std::string& text) {
    const Result<DumpFiles> files = ParseDumpFiles(text);
    REQUIRE_MESSAGE(files.ok(), files.status().message());
    return std::pair(files->before, files->after);
  };
  using Pair = std::pair<std::string, std::string>;
  CHECK(parse("graph.txt") == Pair("graph.txt", ""));
  CHECK(parse("graph") == Pair("graph", ""));
  CHECK(parse("before.txt/after.txt") == Pair("before.txt", "after.txt"));
  CHECK(parse("/some/folder/before.txt/after.txt") == Pair("/some/folder/before.txt", "/some/folder/after.txt"));
  CHECK(parse("../before.txt/after") == Pair("../before.txt", "../after"));
  CHECK(parse("../graph.txt") == Pair("../graph.txt", ""));
  CHECK(parse("/missing/graph.txt") == Pair("/missing/graph.txt", ""));
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "bnn_convert_options.d";
  std::filesystem::create_directories(folder);
  CHECK(parse((folder / "graph.txt").string()) == Pair((folder / "graph.txt").string(), ""));
  std::filesystem::remove(folder);
  CHECK_FALSE(ParseDumpFiles("folder/").ok());
}

TEST_CASE("--help is a success") {
  const auto parsed = Parse({"--help"});
  REQUIRE(std::holds_alternative<int>(parsed));
  CHECK(std::get<int>(parsed) == kExitOk);
}

TEST_CASE("preprocessing must fit the channels of the inputs") {
  formats::ModelDef model;
  model.tensors.push_back({"image", formats::ElementType::kFloat32, {3, 8, 8}});
  formats::InputDef input;
  input.tensor = 0;
  input.layout = formats::ImageLayout::kNchw;
  model.inputs.push_back(input);
  CHECK(SetPreprocessing({{1, 2, 3}, {0.5f}}, &model).ok());
  CHECK(model.inputs[0].preprocessing.mean == std::vector<float>{1, 2, 3});
  const Status status = SetPreprocessing({{}, {1, 2}}, &model);
  CHECK(status.code() == StatusCode::kInvalidArgument);
  CHECK(status.message() == "--input-scale has 2 numbers, but input 'image' has 3 channels");
}

TEST_CASE("a published network instead of a file") {
  const Options defaults = Good({"--architecture", "cnv", "-o", "cnv.bnn"});
  CHECK(defaults.source.empty());
  CHECK(defaults.architecture == "cnv");
  CHECK(defaults.network.resolution == 0);
  const Options all = Good({"--architecture", "quicknet", "--resolution", "64", "--classes", "10", "--seed", "7",
                            "--emit-onnx", "quicknet.onnx"});
  CHECK(all.network.resolution == 64);
  CHECK(all.network.classes == 10);
  CHECK(all.network.seed == 7);
  CHECK(all.emit_onnx == "quicknet.onnx");
  CHECK(all.output.empty());
  CHECK(Good({"--list-architectures"}).list_architectures);
}

TEST_CASE("what does not go together with a published network") {
  CHECK(IsUsageError({"--architecture", "resnet-1000", "-o", "out.bnn"}));
  CHECK(IsUsageError({"--architecture", "cnv"}));  // neither -o nor --emit-onnx
  CHECK(IsUsageError({"in.onnx", "--architecture", "cnv", "-o", "out.bnn"}));
  CHECK(IsUsageError({"--architecture", "quicknet", "--resolution", "0", "-o", "out.bnn"}));
  CHECK(IsUsageError({"--architecture", "quicknet", "--shape", "input=1,3,64,64", "-o", "out.bnn"}));
  CHECK(IsUsageError({"in.onnx", "--classes", "10", "-o", "out.bnn"}));
}

}  // namespace
}  // namespace bnn::convert
