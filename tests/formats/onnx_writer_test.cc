// The ONNX writer: what it writes, at which opset, what it refuses; and random graphs through a file and back.
#include "formats/exporters/onnx_writer.h"

#include <doctest/doctest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "formats/importers/importer.h"
#include "formats/importers/onnx_importer.h"
#include "formats/interpreter.h"
#include "tests/formats/graph_builder.h"
#include "tests/formats/random_graph.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {
namespace {

onnx::ModelProto Written(const SourceGraph& graph) {
  const Result<std::string> bytes = SerializeOnnx(graph);
  REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(*bytes));
  return model;
}

std::map<std::string, int64_t> Opsets(const onnx::ModelProto& model) {
  std::map<std::string, int64_t> opsets;
  for (const auto& import : model.opset_import()) opsets[import.domain()] = import.version();
  return opsets;
}

std::string Message(const SourceGraph& graph) {
  const Result<std::string> bytes = SerializeOnnx(graph);
  CHECK(!bytes.ok());
  return bytes.ok() ? "" : bytes.status().message();
}

// Through a file and back, on random inputs.
void CheckRoundTrip(const SourceGraph& graph) {
  const Result<std::string> bytes = SerializeOnnx(graph);
  REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
  const Result<SourceGraph> again = ImportOnnxBytes(*bytes, graph.file, "", {});
  REQUIRE_MESSAGE(again.ok(), again.status().message());
  RandomSource random(3);
  std::map<std::string, Tensor> inputs;
  for (const std::string& name : graph.inputs) {
    const Dims& dims = graph.values.at(name).dims;
    inputs[name] = FloatTensor(dims, std::vector<float>(static_cast<size_t>(CountElements(dims))));
    for (float& v : inputs[name].floats) v = static_cast<float>(random.Int(-8, 8)) / 4;
  }
  const auto expected = Interpret(graph, inputs, graph.outputs), actual = Interpret(*again, inputs, again->outputs);
  REQUIRE_MESSAGE(expected.ok(), expected.status().message());
  REQUIRE_MESSAGE(actual.ok(), actual.status().message());
  CHECK(again->batch_is_symbolic == graph.batch_is_symbolic);
  for (const std::string& name : graph.outputs) {
    CHECK(actual->at(name).dims == expected->at(name).dims);
    CHECK(actual->at(name).floats == expected->at(name).floats);
    CHECK(actual->at(name).integers == expected->at(name).integers);
  }
}

TEST_CASE("the lowest opset at which all nodes mean the same, as libonnx's checker sees it") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 4, 4});
  const std::string mean = g.Node("ReduceMean", {x, g.Ints({2, 3})}, {{"keepdims", int64_t{1}}});
  const std::string pooled = g.Node(
      "AveragePool", {x}, {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"dilations", std::vector<int64_t>{1, 1}}});
  g.Output(mean);
  g.Output(pooled);
  const onnx::ModelProto model = Written(g.graph());
  CHECK(Opsets(model) == std::map<std::string, int64_t>{{"", 13}});
  CHECK_NOTHROW(onnx::checker::check_model(model));
  CHECK(model.graph().initializer_size() == 0);  // the axes became an attribute
  REQUIRE(model.graph().node(0).attribute_size() == 2);
  CheckRoundTrip(g.graph());

  GraphBuilder swish;
  swish.Output(swish.Node("HardSwish", {swish.Input("x", {1, 2})}));
  CHECK(Opsets(Written(swish.graph())).at("") == 14);
  CheckRoundTrip(swish.graph());
}

TEST_CASE("axes that another node reads as well stay a constant") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 4, 4}), axes = g.Ints({2});
  g.Output(g.Node("ReduceMax", {x, axes}, {{"keepdims", int64_t{1}}}));
  g.Output(g.Node("Unsqueeze", {x, axes}));
  CHECK(Written(g.graph()).graph().initializer_size() == 1);
  CheckRoundTrip(g.graph());
}

TEST_CASE("quantizers have the domains of their makers") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 3, 3});
  const std::string zero = g.Floats({}, {0}), one = g.Floats({}, {1});
  g.Output(g.Node("BipolarQuant", {x, one}));
  g.Output(g.Node("FakeQuantize", {x, zero, one, zero, one}, {{"levels", int64_t{2}}}));
  CHECK(Opsets(Written(g.graph())) ==
        std::map<std::string, int64_t>{{"", 13}, {"org.openvinotoolkit", 1}, {"qonnx.custom_op.general", 1}});
  CheckRoundTrip(g.graph());
}

TEST_CASE("an open batch is open in inputs and outputs, and only there") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 1, 2, 2});
  g.Output(g.Node("Relu", {x}));
  g.Output(g.Node("Reshape", {x, g.Ints({-1, 2})}));  // two rows a sample
  g.graph().batch_is_symbolic = true;
  const onnx::ModelProto model = Written(g.graph());
  const auto dim = [](const onnx::ValueInfoProto& value, int i) { return value.type().tensor_type().shape().dim(i); };
  CHECK(dim(model.graph().input(0), 0).dim_param() == "N");
  CHECK(dim(model.graph().input(0), 1).dim_value() == 1);
  CHECK(dim(model.graph().output(0), 0).dim_param() == "N");
  CHECK(!dim(model.graph().output(1), 0).has_dim_value());
  CHECK(!dim(model.graph().output(1), 0).has_dim_param());
  CHECK(dim(model.graph().output(1), 1).dim_value() == 2);
  CheckRoundTrip(g.graph());
  g.graph().batch_is_symbolic = false;
  CHECK(dim(Written(g.graph()).graph().input(0), 0).dim_value() == 1);
}

TEST_CASE("constants and attributes of every type") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  const std::string mask = "mask";
  g.graph().constants[mask] = BoolTensor({1, 4}, {1, 0, 0, 1});
  g.graph().values[mask] = {DType::kBool, {1, 4}};
  const std::string filled = g.Node("ConstantOfShape", {g.Ints({1, 4})}, {{"value", FloatTensor({1}, {2.5f})}});
  const std::string padded = g.Node("Pad", {x, g.Ints({0, 1, 0, 1})}, {{"mode", std::string("edge")}});
  const std::string part = g.Node("Slice", {padded, g.Ints({1}), g.Ints({5}), g.Ints({1}), g.Ints({1})});
  SourceNode where{"where", "Where", {mask, part, filled}, {"y"}, {}};
  g.graph().nodes.push_back(where);
  g.graph().values["y"] = {DType::kFloat32, {1, 4}};
  g.graph().outputs.push_back("y");
  CHECK_NOTHROW(onnx::checker::check_model(Written(g.graph())));
  CheckRoundTrip(g.graph());
}

TEST_CASE("random networks go through a file and back unchanged") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    CheckRoundTrip(MakeRandomGraph(seed).graph);
  }
}

TEST_CASE("what ONNX cannot say is refused by name") {
  GraphBuilder g;
  g.Output(g.Node("Relu", {g.Input("x", {1, 2})}));
  SourceGraph unknown = g.graph(), broken = g.graph();
  unknown.nodes[0].op = "LceBconv2d";
  CHECK(Message(unknown).find("(LceBconv2d): ONNX has no such operator") != std::string::npos);
  broken.nodes[0].inputs = {"y"};
  CHECK(Message(broken).find("reads 'y'") != std::string::npos);
}

TEST_CASE("a file is written whole or not at all") {
  GraphBuilder g;
  g.Output(g.Node("Relu", {g.Input("x", {1, 2})}));
  const std::filesystem::path folder = std::filesystem::path(BNN_BINARY_DIR) / "test-scratch" / "onnx_writer";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "net.onnx").string();
  REQUIRE(WriteOnnxFile(g.graph(), path).ok());
  CHECK(ImportFile(path, {}).ok());
  const auto time = std::filesystem::last_write_time(path);
  SourceGraph unknown = g.graph();
  unknown.nodes[0].op = "LceBconv2d";
  CHECK(!WriteOnnxFile(unknown, path).ok());
  CHECK(std::filesystem::last_write_time(path) == time);
  CHECK(WriteOnnxFile(g.graph(), (folder / "absent" / "net.onnx").string()).code() == StatusCode::kIoError);
  CHECK(WriteOnnxFile(g.graph(), folder.string()).code() == StatusCode::kIoError);
  CHECK(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()) == 1);
}

}  // namespace
}  // namespace bnn::formats
