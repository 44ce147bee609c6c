// Broken and hostile ONNX files: each is refused with an error that names the file, the node and what is wrong.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "formats/importers/onnx_importer.h"
#include "tests/formats/onnx_cases.h"
#include "tests/formats/onnx_model.h"

namespace bnn::formats {
namespace {

using test::OnnxModel;

// The import fails with this code, and the message holds the file's name and each of `parts`.
void CheckRefused(const Result<SourceGraph>& result, StatusCode code, const std::vector<std::string>& parts) {
  REQUIRE(!result.ok());
  const std::string& message = result.status().message();
  CAPTURE(message);
  CHECK(result.status().code() == code);
  CHECK(message.starts_with("test.onnx: "));
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
}

constexpr StatusCode kInvalid = StatusCode::kInvalidModel;
constexpr StatusCode kMissing = StatusCode::kUnsupported;

TEST_CASE("a file truncated at any byte is refused or read without harm") {
  for (const int opset : {7, 13}) {
    const auto cases = test::ReadOnnxCases(opset);
    for (size_t i = 0; i < cases.size(); i += 10) {
      const std::string& bytes = cases[i].model;
      for (size_t length = 0; length < bytes.size(); ++length) {
        const auto result = ImportOnnxBytes(std::string_view(bytes).substr(0, length), "test.onnx", "", {});
        if (!result.ok()) CHECK(result.status().message().starts_with("test.onnx: "));
      }
    }
  }
}

TEST_CASE("what is no protobuf is refused") {
  CheckRefused(ImportOnnxBytes("\x08\x07 not an onnx file", "test.onnx", "", {}), kInvalid, {"protobuf"});
  CheckRefused(ImportOnnxBytes("", "test.onnx", "", {}), kInvalid, {"no graph"});
}

TEST_CASE("tensor data must have the length of its dims") {
  const auto import = [](auto change) {
    OnnxModel model;
    model.Input("x", {1, 2}).Output("y").Node("Add", {"x", "w"}, {"y"});
    auto* tensor = model.Floats("w", {2}, {});
    change(tensor);
    return model.Import();
  };
  using Proto = onnx::TensorProto;
  CHECK(import([](Proto* w) { w->set_raw_data(std::string(8, '\0')); }).ok());
  CheckRefused(import([](Proto* w) { w->set_raw_data(std::string(7, '\0')); }), kInvalid,
               {"initializer 'w'", "needs 8 bytes", "holds 7"});
  CheckRefused(import([](Proto* w) { w->set_raw_data(std::string(9, '\0')); }), kInvalid, {"initializer 'w'"});
  CheckRefused(import([](Proto* w) { w->add_float_data(1); }), kInvalid, {"initializer 'w'", "needs 2 elements"});
  CheckRefused(import([](Proto*) {}), kInvalid, {"holds 0"});
  CheckRefused(import([](Proto* w) {
                 w->set_raw_data(std::string(8, '\0'));
                 w->add_float_data(1);
               }),
               kInvalid, {"both raw and typed"});
  CheckRefused(import([](Proto* w) { w->set_dims(0, -2); }), kInvalid, {"initializer 'w'", "[?]"});
  CheckRefused(import([](Proto* w) { w->set_dims(0, int64_t{1} << 40); }), kInvalid, {"the limit is"});
  CheckRefused(import([](Proto* w) {
                 w->set_dims(0, int64_t{1} << 62);
                 w->add_dims(8);
               }),
               kInvalid, {"the limit is"});
  CheckRefused(import([](Proto* w) {
                 for (int i = 0; i < 20; ++i) w->add_dims(1);
               }),
               kInvalid, {"21 dims"});
  CheckRefused(import([](Proto* w) { w->set_data_type(Proto::STRING); }), kMissing, {"data type 8"});
  CheckRefused(import([](Proto* w) { w->set_data_type(12345); }), kMissing, {"data type 12345"});
}

TEST_CASE("typed fields of all widths are read") {
  OnnxModel model;
  model.Input("x", {1}).Output("y").Node("Add", {"x", "half"}, {"y"});
  auto* half = model.Floats("half", {2}, {});
  half->set_data_type(onnx::TensorProto::FLOAT16);
  half->add_int32_data(0x3c00);
  half->add_int32_data(0x8001);
  auto* wide = model.Floats("wide", {1}, {});
  wide->set_data_type(onnx::TensorProto::DOUBLE);
  wide->add_double_data(0.1);
  auto* brain = model.Floats("brain", {1}, {});
  brain->set_data_type(onnx::TensorProto::BFLOAT16);
  brain->add_int32_data(0xc040);
  auto* counts = model.Floats("counts", {1}, {});
  counts->set_data_type(onnx::TensorProto::UINT32);
  counts->add_uint64_data(4000000000U);
  const auto graph = model.Import();
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->FindConstant("half")->floats == std::vector<float>{1.0F, -5.9604645e-08F});
  CHECK(graph->FindConstant("wide")->floats == std::vector<float>{0.1F});
  CHECK(graph->FindConstant("brain")->floats == std::vector<float>{-3.0F});
  CHECK(graph->FindConstant("counts")->integers == std::vector<int64_t>{4000000000});

  counts->set_data_type(onnx::TensorProto::UINT64);
  counts->set_uint64_data(0, uint64_t{1} << 63);
  CheckRefused(model.Import(), kMissing, {"'counts'", "2^63"});
}

TEST_CASE("names must be defined once, and before they are read") {
  const auto base = [] {
    OnnxModel model;
    model.Input("x", {1, 2}).Output("y").Node("Relu", {"x"}, {"y"});
    return model;
  };
  OnnxModel model = base();
  model.Node("Abs", {"x"}, {"y"});
  CheckRefused(model.Import(), kInvalid, {"Abs.y", "'y' is defined twice"});

  model = base();
  model.Input("x", {1});
  CheckRefused(model.Import(), kInvalid, {"input 'x' is defined twice"});

  model = base();
  model.Floats("w", {1}, {1});
  model.Floats("w", {1}, {1});
  CheckRefused(model.Import(), kInvalid, {"initializer 'w' is defined twice"});

  model = base();
  model.Node("Add", {"x", "ghost"}, {"z"});
  CheckRefused(model.Import(), kInvalid, {"Add.z", "reads 'ghost'"});

  model = base();
  model.Output("ghost");
  CheckRefused(model.Import(), kInvalid, {"output 'ghost'"});

  model = base();
  model.Node("Add", {"x", "b"}, {"a"});
  model.Node("Abs", {"a"}, {"b"});
  CheckRefused(model.Import(), kInvalid, {"Add.a", "cycle"});

  model = base();
  model.Node("Abs", {"loop"}, {"loop"});
  CheckRefused(model.Import(), kInvalid, {"cycle"});
}

TEST_CASE("nodes may come in any order") {
  OnnxModel model;
  model.Input("x", {1, 2}).Output("y");
  model.Node("Relu", {"a"}, {"y"});
  model.Node("Neg", {"x"}, {"a"});
  const auto graph = model.Import();
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->nodes[0].op == "Neg");
  CHECK(graph->nodes[1].op == "Relu");
}

TEST_CASE("all operators that are missing are listed in one error") {
  OnnxModel model;
  model.Input("x", {1, 2}).Output("y");
  model.Node("LSTM", {"x"}, {"a"});
  model.Node("If", {"x"}, {"b"});
  model.Node("BipolarQuant", {"x", "x"}, {"c"}, "com.example");
  model.Node("Relu", {"x"}, {"y"});
  const auto result = model.Import();
  CheckRefused(result, kMissing, {"'LSTM.a': LSTM", "'If.b': If", "'BipolarQuant.c': com.example.BipolarQuant"});
  CHECK(result.status().message().find("Relu") == std::string::npos);
}

TEST_CASE("opsets from 7 are read, whatever the version of the file format") {
  for (const int64_t opset : {7, 13, 21, 23}) {
    OnnxModel model(opset);
    model.Input("x", {1, 2}).Output("y").Node("Relu", {"x"}, {"y"});
    model.proto.set_ir_version(12);
    CHECK(model.Import().ok());
  }
  for (const int64_t opset : {0, 6, 24, 1000000}) {
    OnnxModel model(opset);
    model.Input("x", {1, 2}).Output("y").Node("Relu", {"x"}, {"y"});
    CheckRefused(model.Import(), kMissing, {"opset " + std::to_string(opset)});
  }
}

TEST_CASE("attributes are checked") {
  const auto import = [](const std::string& op, auto change) {
    OnnxModel model;
    model.Input("x", {1, 2, 8, 8}).Output("y");
    model.Floats("w", {4, 2, 3, 3}, std::vector<float>(72, 1));
    const std::vector<std::string> inputs =
        op == "Conv" ? std::vector<std::string>{"x", "w"} : std::vector<std::string>{"x"};
    change(model.Node(op, inputs, {"y"}));
    return model.Import();
  };
  using Node = onnx::NodeProto;
  CHECK(import("Conv", [](Node*) {}).ok());
  CheckRefused(import("Conv",
                      [](Node* n) {
                        OnnxModel::SetInts(n, "strides", {0, 1});
                      }),
               kInvalid, {"Conv.y", "'strides' is [0,1]"});
  CheckRefused(import("Conv", [](Node* n) { OnnxModel::SetInts(n, "strides", {1}); }), kInvalid, {"'strides'"});
  CheckRefused(import("Conv", [](Node* n) { OnnxModel::SetInts(n, "dilations", {1, 0}); }), kInvalid, {"'dilations'"});
  CheckRefused(import("Conv",
                      [](Node* n) {
                        OnnxModel::SetInts(n, "dilations", {1LL << 62, 4});
                      }),
               kInvalid, {"'dilations'"});
  CheckRefused(import("Conv", [](Node* n) { OnnxModel::SetInts(n, "pads", {0, 0, -1, 0}); }), kInvalid, {"'pads'"});
  CheckRefused(import("Conv",
                      [](Node* n) {
                        OnnxModel::SetInts(n, "kernel_shape", {3, 2});
                      }),
               kInvalid, {"kernel_shape [3,2]"});
  CheckRefused(import("Conv", [](Node* n) { OnnxModel::SetInt(n, "group", 0); }), kInvalid, {"group 0"});
  CheckRefused(import("Conv", [](Node* n) { OnnxModel::SetInt(n, "group", 3); }), kInvalid, {"group 3"});
  CheckRefused(import("Conv", [](Node* n) { OnnxModel::SetString(n, "auto_pad", "SOME"); }), kInvalid, {"SOME"});
  CheckRefused(import("Conv", [](Node* n) { OnnxModel::SetInt(n, "strides", 1); }), kInvalid,
               {"'strides' has the type 2, expected 7"});
  CheckRefused(import("Conv", [](Node* n) { OnnxModel::SetInt(n, "colour", 1); }), kMissing, {"'colour' is unknown"});
  CheckRefused(import("Relu", [](Node* n) { OnnxModel::SetInt(n, "axis", 1); }), kMissing, {"'axis' is unknown"});
  CheckRefused(import("Conv",
                      [](Node* n) {
                        OnnxModel::SetInt(n, "group", 1);
                        OnnxModel::SetInt(n, "group", 1);
                      }),
               kInvalid, {"given twice"});
  CheckRefused(import("Concat", [](Node*) {}), kInvalid, {"Concat.y", "'axis' is missing"});
  CheckRefused(import("Concat", [](Node* n) { OnnxModel::SetInt(n, "axis", 4); }), kInvalid, {"axis 4"});
  CheckRefused(import("MaxPool", [](Node*) {}), kInvalid, {"'kernel_shape' is missing"});
  CheckRefused(import("MaxPool",
                      [](Node* n) {
                        OnnxModel::SetInts(n, "kernel_shape", {9, 9});
                      }),
               kInvalid, {"larger than the padded input"});
  CheckRefused(import("Transpose",
                      [](Node* n) {
                        OnnxModel::SetInts(n, "perm", {0, 1, 1, 3});
                      }),
               kInvalid, {"no permutation"});
  CheckRefused(import("Transpose",
                      [](Node* n) {
                        OnnxModel::SetInts(n, "perm", {0, 1, 2, 1LL << 50});
                      }),
               kInvalid, {"no permutation"});
  CheckRefused(import("Cast", [](Node* n) { OnnxModel::SetInt(n, "to", 8); }), kMissing, {"data type 8"});
}

TEST_CASE("what is only done in training, or not at all, is refused") {
  OnnxModel model(14);
  model.Input("x", {1, 2, 4, 4}).Output("y");
  for (const char* name : {"s", "b", "m", "v"}) model.Floats(name, {2}, {1, 1});
  OnnxModel::SetInt(model.Node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}), "training_mode", 1);
  CheckRefused(model.Import(), kMissing, {"BatchNormalization.y", "training"});

  OnnxModel pool;
  pool.Input("x", {1, 2, 4, 4}).Output("y").Output("indices");
  OnnxModel::SetInts(pool.Node("MaxPool", {"x"}, {"y", "indices"}), "kernel_shape", {2, 2});
  CheckRefused(pool.Import(), kMissing, {"MaxPool.y", "'indices'"});
  pool.proto.mutable_graph()->mutable_output()->RemoveLast();
  CHECK(pool.Import().ok());

  OnnxModel dropout;
  dropout.Input("x", {1, 2}).Output("y").Output("mask").Node("Dropout", {"x"}, {"y", "mask"});
  CheckRefused(dropout.Import(), kMissing, {"Dropout.y", "'mask'"});

  OnnxModel line;
  line.Input("x", {1, 2, 8}).Output("y").Node("Conv", {"x", "w"}, {"y"});
  line.Floats("w", {3, 2, 3}, std::vector<float>(18, 1));
  CheckRefused(line.Import(), kMissing, {"Conv.y", "rank 3"});
}

TEST_CASE("computed values that cannot be right are refused at import") {
  OnnxModel gather;
  gather.Input("x", {1, 2}).Output("y").Node("Shape", {"x"}, {"s"});
  gather.Ints("i", {}, {7});
  gather.Node("Gather", {"s", "i"}, {"y"});
  CheckRefused(gather.Import(), kInvalid, {"Gather.y", "index 7"});

  OnnxModel divide;
  divide.Input("x", {1, 2}).Output("y").Node("Shape", {"x"}, {"s"});
  divide.Ints("zero", {}, {0});
  divide.Node("Div", {"s", "zero"}, {"y"});
  CheckRefused(divide.Import(), kInvalid, {"Div.y", "by zero"});

  OnnxModel expand;
  expand.Input("x", {1, 2}).Output("y").Node("Expand", {"x", "s"}, {"y"});
  expand.Ints("s", {3}, {1LL << 30, 1LL << 30, 2});
  CheckRefused(expand.Import(), kInvalid, {"Expand.y", "the limit is"});

  OnnxModel reshape;
  reshape.Input("x", {1, 6}).Output("y").Node("Reshape", {"x", "s"}, {"y"});
  reshape.Ints("s", {2}, {4, -1});
  CheckRefused(reshape.Import(), kInvalid, {"Reshape.y"});

  OnnxModel split;
  split.Input("x", {1, 5}).Output("y").Output("z");
  OnnxModel::SetInt(split.Node("Split", {"x"}, {"y", "z"}), "axis", 1);
  CheckRefused(split.Import(), kInvalid, {"Split.y", "dim of 5 into 2"});

  OnnxModel levels;
  levels.Input("x", {1, 5}).Output("y");
  levels.Floats("l", {}, {0});
  OnnxModel::SetInt(levels.Node("FakeQuantize", {"x", "l", "l", "l", "l"}, {"y"}, "org.openvinotoolkit"), "levels", 1);
  CheckRefused(levels.Import(), kInvalid, {"FakeQuantize.y", "'levels' is 1"});
}

TEST_CASE("open dims: the batch becomes 1, others must be given") {
  const auto model = [](const std::vector<int64_t>& dims) {
    OnnxModel result;
    result.Input("x", dims).Output("y").Node("Relu", {"x"}, {"y"});
    return result;
  };
  const auto open = model({-1, 3, 4, 4}).Import();
  REQUIRE(open.ok());
  CHECK(open->batch_is_symbolic);
  CHECK(open->FindValue("y")->dims == Dims{1, 3, 4, 4});

  const auto fixed = model({2, 3}).Import();
  REQUIRE(fixed.ok());
  CHECK(!fixed->batch_is_symbolic);

  CheckRefused(model({-1, 3, -1, 4}).Import(), kMissing, {"input 'x'", "dim 2 ('D2')", "--shape x="});
  const auto given = model({-1, 3, -1, 4}).Import({{{"x", {1, 3, 7, 4}}}});
  REQUIRE(given.ok());
  CHECK(given->batch_is_symbolic);
  CHECK(given->FindValue("y")->dims == Dims{1, 3, 7, 4});
  const auto batch = model({-1, 3}).Import({{{"x", {5, 3}}}});
  REQUIRE(batch.ok());
  CHECK(!batch->batch_is_symbolic);

  constexpr StatusCode kArgument = StatusCode::kInvalidArgument;
  CheckRefused(model({-1, 3}).Import({{{"x", {1, 4}}}}), kArgument, {"'x'", "--shape"});
  CheckRefused(model({-1, 3}).Import({{{"x", {1, 3, 3}}}}), kArgument, {"'x'", "--shape"});
  CheckRefused(model({-1, 3}).Import({{{"z", {1, 3}}}}), kArgument, {"'z'"});
  CheckRefused(model({1, 0}).Import(), kInvalid, {"'x' has a dim of 0"});
  OnnxModel negative = model({1, 3});
  negative.proto.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(1)
      ->set_dim_value(-3);
  CheckRefused(negative.Import(), kInvalid, {"'x' has a dim of -3"});
  CheckRefused(model({1LL << 40, 1LL << 40}).Import(), kInvalid, {"the limit is"});
}

TEST_CASE("external data stays within the model's folder and its file") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(test::ScratchDir()) / "onnx_external";
  fs::remove_all(folder);
  fs::create_directories(folder / "inner");
  const std::vector<float> values = {1, 2, 3, 4};
  for (const fs::path& path : {folder / "inner" / "w.bin", folder / "outside.bin"}) {
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(values.data()), 16);
  }
  fs::create_symlink(folder / "outside.bin", folder / "inner" / "link.bin");
  const auto import = [&](const std::string& location, const std::string& offset, const std::string& length) {
    OnnxModel model;
    model.Input("x", {1, 2}).Output("y").Node("Add", {"x", "w"}, {"y"});
    auto* tensor = model.Floats("w", {2}, {});
    tensor->set_data_location(onnx::TensorProto::EXTERNAL);
    const std::vector<std::pair<std::string, std::string>> entries = {
        {"location", location}, {"offset", offset}, {"length", length}};
    for (const auto& [key, value] : entries) {
      auto* entry = tensor->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    return model.Import({}, (folder / "inner").string());
  };
  const auto graph = import("w.bin", "4", "8");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->FindConstant("w")->floats == std::vector<float>{2, 3});

  CheckRefused(import("../outside.bin", "0", "8"), kInvalid, {"'w'", "outside of the model's folder"});
  CheckRefused(import("link.bin", "0", "8"), kInvalid, {"outside of the model's folder"});
  CheckRefused(import((folder / "inner" / "w.bin").string(), "0", "8"), kInvalid, {"outside of the model's folder"});
  CheckRefused(import("", "0", "8"), kInvalid, {"outside of the model's folder"});
  CheckRefused(import("missing.bin", "0", "8"), StatusCode::kIoError, {"missing.bin"});
  CheckRefused(import("w.bin", "12", "8"), kInvalid, {"at offset 12", "which has 16"});
  CheckRefused(import("w.bin", "0", "12"), kInvalid, {"needs 8 bytes"});
  CheckRefused(import("w.bin", "-4", "8"), kInvalid, {"offset is '-4'"});
  CheckRefused(import("w.bin", "9223372036854775807", "8"), kInvalid, {"at offset"});
  CheckRefused(import("w.bin", "99999999999999999999", "8"), kInvalid, {"offset is"});
}

}  // namespace
}  // namespace bnn::formats
