// Broken and hostile frozen graphs: each is refused with an error that names the file, the node and the attribute or
// input. And which files count as frozen graphs at all.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "formats/importers/graphdef_importer.h"
#include "formats/importers/onnx_importer.h"
#include "formats/interpreter.h"
#include "tests/formats/graphdef_file.h"

namespace bnn::formats {
namespace {

using test::Attribute;
using test::GraphdefFile;

constexpr StatusCode kInvalid = StatusCode::kInvalidModel;
constexpr StatusCode kMissing = StatusCode::kUnsupported;

void CheckMessage(const Status& status, StatusCode code, const std::vector<std::string>& parts) {
  REQUIRE(!status.ok());
  const std::string& message = status.message();
  CAPTURE(message);
  CHECK(status.code() == code);
  CHECK(message.starts_with("test.pb: "));
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
}

void CheckRefused(const GraphdefFile& file, StatusCode code, const std::vector<std::string>& parts,
                  const ImportOptions& options = {}) {
  CheckMessage(ImportGraphdefBytes(file.Bytes(), "test.pb", options).status(), code, parts);
}

// x [1,4,4,2] -> Conv2D with a filter [3,3,2,3] -> output
GraphdefFile ConvFile() {
  GraphdefFile file;
  file.Placeholder("x", {1, 4, 4, 2});
  file.Floats("w", {3, 3, 2, 3}, 0.5F);
  graphdef::NodeDef& conv = file.Add("conv", "Conv2D", {"x", "w"});
  test::SetInts(conv, "strides", {1, 1, 1, 1});
  Attribute(conv, "padding").set_s("SAME");
  return file;
}

graphdef::NodeDef& Node(GraphdefFile& file, const std::string& name) {
  for (graphdef::NodeDef& node : *file.graph.mutable_node()) {
    if (node.name() == name) return node;
  }
  throw std::runtime_error("no node " + name);
}

// x [1,4] -> node "y" of this operator
GraphdefFile UnaryFile(const std::string& op) {
  GraphdefFile file;
  file.Placeholder("x", {1, 4});
  file.Add("y", op, {"x"});
  return file;
}

float OnlyOutput(const GraphdefFile& file, float x) {
  const auto graph = ImportGraphdefBytes(file.Bytes(), "test.pb", {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const Dims dims = graph->FindValue(graph->inputs[0])->dims;
  const std::vector<float> values(static_cast<size_t>(CountElements(dims)), x);
  const auto results = Interpret(*graph, {{graph->inputs[0], FloatTensor(dims, values)}}, graph->outputs);
  REQUIRE_MESSAGE(results.ok(), results.status().message());
  return results->at(graph->outputs[0]).floats[0];
}

TEST_CASE("files made by hand are imported") {
  CHECK(OnlyOutput(ConvFile(), 1) == 0.5F * 2 * 4);
  CHECK(OnlyOutput(UnaryFile("Relu"), -1) == 0);
}

TEST_CASE("no file at all") {
  for (const std::string& bytes : {std::string(), std::string(64, '\0'), std::string("\x0a\x05hello"),
                                   std::string("\x08\x01\x12\x02\x0a\x00", 6)}) {
    CheckMessage(ImportGraphdefBytes(bytes, "test.pb", {}).status(), kInvalid, {"is no GraphDef"});
  }
}

TEST_CASE("frozen graphs are told from ONNX models and from anything else") {
  CHECK(LooksLikeGraphdef(ConvFile().Bytes().substr(0, 64)));
  GraphdefFile file;
  file.Placeholder(std::string(200, 'n'), {1, 4});
  CHECK(LooksLikeGraphdef(file.Bytes().substr(0, 64)));
  const std::vector<std::string> texts = {"",
                                          "\x0a",
                                          "\x0a\x20\x0a\x08name",
                                          "\x0a\x80\x80\x80\x80\x80\x80",
                                          "\x0a\x06\x0a\x02\xff\xfe\x12\x00",
                                          "<?xml version=\"1.0\"?>",
                                          "\x0a\x0a\x0a plain text of some lines"};
  for (const std::string& text : texts) {
    CAPTURE(text);
    const bool is_cut_name = text == "\x0a\x20\x0a\x08name";
    CHECK(LooksLikeGraphdef(text) == is_cut_name);
  }
  const auto recognizes = [](const Importer& importer, const char* path, const std::string& bytes) {
    return importer.recognizes(path, bytes);
  };
  const std::string onnx("\x08\x08\x12\x07pytorch\x1a\x05", 13);
  const std::string graph = ConvFile().Bytes().substr(0, 64);
  CHECK(!recognizes(kGraphdefImporter, "net.onnx", onnx));
  CHECK(!recognizes(kGraphdefImporter, "net.pb", onnx));
  CHECK(recognizes(kOnnxImporter, "net.pb", onnx));
  CHECK(!recognizes(kOnnxImporter, "net.pb", graph));
  CHECK(recognizes(kGraphdefImporter, "net.bin", graph));
  CHECK(recognizes(kGraphdefImporter, "net.pb", std::string("\x12\x04")));  // begins with its library
}

TEST_CASE("the list of importers chooses by content") {
  const std::string path = test::ScratchDir() + "/graphdef_named_otherwise.data";
  std::ofstream(path, std::ios::binary) << ConvFile().Bytes();
  CHECK(ImportFile(path, {}).ok());
  std::filesystem::remove(path);
  const std::string saved = test::ScratchDir() + "/saved_model.pb";
  std::ofstream(saved, std::ios::binary) << std::string("\x08\x01\x12\x04\x0a\x02\x08\x01", 8);
  const auto refused = ImportFile(saved, {});
  REQUIRE(!refused.ok());
  CHECK(refused.status().message().find("must be frozen first") != std::string::npos);
  std::filesystem::remove(saved);
}

TEST_CASE("names and inputs") {
  GraphdefFile file = UnaryFile("Relu");
  Node(file, "y").set_input(0, "z");
  CheckRefused(file, kInvalid, {"node 'y' (Relu) reads 'z', which nothing produces"});
  Node(file, "y").set_input(0, "^z");
  CheckRefused(file, kInvalid, {"node 'y' (Relu) reads '^z', which nothing produces"});
  for (const char* input : {"x:-1", "x:", "x:1x", "x:99999999999999999999", "x:0:0", "^x:0", ":0", ""}) {
    Node(file, "y").set_input(0, input);
    CheckRefused(file, kInvalid, {"node 'y' (Relu) reads '" + std::string(input) + "'"});
  }
  Node(file, "y").set_input(0, "x:1");
  CheckRefused(file, kMissing, {"node 'x' (Placeholder): its output 1 is read"});
  Node(file, "y").set_input(0, "x:0");
  CHECK(OnlyOutput(file, 2) == 2);
  file.Add("y", "Relu", {"x"});
  CheckRefused(file, kInvalid, {"the name of node 'y' (Relu) is defined twice"});
  file = UnaryFile("Relu");
  Node(file, "y").clear_name();
  CheckRefused(file, kInvalid, {"node 1 (Relu) has no name"});
  file = UnaryFile("Relu");
  Node(file, "y").add_input("x");
  CheckRefused(file, kInvalid, {"node 'y' (Relu): has 2 inputs, expected 1"});
  file = UnaryFile("ConcatV2");
  CheckRefused(file, kInvalid, {"node 'y' (ConcatV2): has 1 inputs, expected at least 2"});
  file = UnaryFile("Relu");
  Node(file, "y").set_name("line\nbreak");
  CheckRefused(file, kInvalid, {"node 1 of the graph: its name, its operator or an input is no printable UTF-8"});
}

TEST_CASE("cycles, and graphs without inputs or outputs") {
  GraphdefFile file = UnaryFile("Relu");
  file.Add("a", "Add", {"x", "b"});
  file.Add("b", "Relu", {"a"});
  CheckRefused(file, kInvalid, {"node 'a' (Add) is part of a cycle"});
  file = GraphdefFile();
  file.Placeholder("x", {1, 4});
  CheckRefused(file, kInvalid, {"has no outputs"});
  file = GraphdefFile();
  file.Floats("c", {1, 4}, 1);
  file.Add("y", "Relu", {"c"});
  CheckRefused(file, kMissing, {"it has no input"});
}

TEST_CASE("inputs are Placeholders in the file's order, outputs what nobody reads; the rest does not matter") {
  GraphdefFile file;
  file.Add("sum", "Add", {"second", "first"});
  file.Placeholder("second", {1, 4});
  file.Placeholder("unused", {1, 4});
  file.Placeholder("first", {1, 4});
  file.Add("exotic", "NotAnOperator", {"unused"});
  file.Add("check", "Assert", {"exotic"});
  file.Add("nothing", "NoOp");
  file.Add("other", "Neg", {"first", "^check"});
  const auto graph = ImportGraphdefBytes(file.Bytes(), "test.pb", {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->inputs == std::vector<std::string>{"second", "first"});
  CHECK(graph->outputs == std::vector<std::string>{"sum", "other"});
  Node(file, "nothing").add_input("^sum");  // now 'sum' is read, if only to order the run
  const auto fewer = ImportGraphdefBytes(file.Bytes(), "test.pb", {});
  REQUIRE(fewer.ok());
  CHECK(fewer->inputs == std::vector<std::string>{"first"});
  CHECK(fewer->outputs == std::vector<std::string>{"other"});
}

TEST_CASE("operators that are not known are all listed") {
  GraphdefFile file = UnaryFile("Exotic");
  file.Add("z", "Strange", {"y"});
  CheckRefused(file, kMissing, {"Exotic: 1, first in node 'y'", "Strange: 1, first in node 'z'"});
}

TEST_CASE("shapes and types of inputs") {
  GraphdefFile file = UnaryFile("Relu");
  Attribute(Node(file, "x"), "dtype").set_type(7);
  CheckRefused(file, kMissing, {"node 'x' (Placeholder): attribute 'dtype' is data type 7"});
  Attribute(Node(file, "x"), "dtype").set_i(1);
  CheckRefused(file, kInvalid, {"attribute 'dtype' is an integer, expected a data type"});
  Node(file, "x").mutable_attr()->erase("dtype");
  CheckRefused(file, kInvalid, {"attribute 'dtype' is missing"});
  file = UnaryFile("Relu");
  test::SetShape(Attribute(Node(file, "x"), "shape").mutable_shape(), {1, -1});
  CheckRefused(file, kMissing, {"input 'x': dim 1 is open; give it with --shape x="});
  CHECK(ImportGraphdefBytes(file.Bytes(), "test.pb", {{{"x", {1, 7}}}, ""}).ok());
  test::SetShape(Attribute(Node(file, "x"), "shape").mutable_shape(), {1, 0});
  CheckRefused(file, kInvalid, {"input 'x' has a dim of 0"});
  test::SetShape(Attribute(Node(file, "x"), "shape").mutable_shape(), {1, INT64_MAX, 8});
  CheckRefused(file, kInvalid, {"input 'x' has dims"});
  Attribute(Node(file, "x"), "shape").mutable_shape()->set_unknown_rank(true);
  CheckRefused(file, kMissing, {"input 'x' has no shape"});
  Attribute(Node(file, "x"), "shape").mutable_shape()->Clear();  // before version 24: not a scalar, but unknown
  file.graph.mutable_versions()->set_producer(21);
  CheckRefused(file, kMissing, {"input 'x' has no shape"});
}

TEST_CASE("constants") {
  const auto tensor = [](GraphdefFile& file) { return Attribute(Node(file, "w"), "value").mutable_tensor(); };
  GraphdefFile file = ConvFile();
  tensor(file)->set_content("12345");
  CheckRefused(file, kInvalid, {"node 'w' (Const): attribute 'value' of dims [3,3,2,3] needs 216 bytes of data", "5"});
  file = ConvFile();
  for (int i = 0; i < 54; ++i) tensor(file)->add_float_val(1);
  CheckRefused(file, kInvalid, {"node 'w' (Const)", "lists 55 elements, expected at most 54"});
  file = ConvFile();
  tensor(file)->set_dtype(8);
  CheckRefused(file, kMissing, {"node 'w' (Const)", "data type 8"});
  file = ConvFile();
  test::SetShape(tensor(file)->mutable_shape(), {1 << 15, 1 << 15});
  CheckRefused(file, kMissing, {"node 'w' (Const)", "repeats an element 1073741823 times"});
  test::SetShape(tensor(file)->mutable_shape(), {1, -3});
  CheckRefused(file, kInvalid, {"node 'w' (Const)", "[1,?]"});
  test::SetShape(tensor(file)->mutable_shape(), std::vector<int64_t>(40, 1));
  CheckRefused(file, kInvalid, {"node 'w' (Const)", "has 40 dims"});
  Attribute(Node(file, "w"), "value").set_i(3);
  CheckRefused(file, kInvalid, {"node 'w' (Const): attribute 'value' is no tensor"});
}

TEST_CASE("many constants of one repeated element share a limit") {
  GraphdefFile file = UnaryFile("Relu");
  for (int i = 0; i < 5; ++i) {
    const std::string name = "c" + std::to_string(i);
    file.Floats(name, {1 << 20, 4}, 1);
    file.Add("y" + std::to_string(i), "Add", {"x", name.c_str()});
  }
  CheckRefused(file, kMissing, {"node 'c4' (Const)", "the limit for all constants"});
}

TEST_CASE("attributes of layers") {
  const auto refused = [](const char* key, const auto& change, StatusCode code, const std::string& part) {
    GraphdefFile file = ConvFile();
    change(Node(file, "conv"));
    CheckRefused(file, code, {"node 'conv' (Conv2D)", key, part});
  };
  const auto ints = [](const char* key, std::vector<int64_t> values) {
    return [key, values](graphdef::NodeDef& node) { test::SetInts(node, key, values); };
  };
  const auto text = [](const char* key, const char* value) {
    return [key, value](graphdef::NodeDef& node) { Attribute(node, key).set_s(value); };
  };
  refused("strides", ints("strides", {1, 1}), kMissing, "[1,1], expected four numbers");
  refused("strides", ints("strides", {2, 1, 1, 1}), kMissing, "[2,1,1,1]");
  refused("strides", ints("strides", {1, 0, 1, 1}), kInvalid, "[0,1]");
  refused("dilations", ints("dilations", {1, INT64_MAX, 1, 1}), kInvalid, "expected values from 1");
  refused("padding", text("padding", "FULL"), kInvalid, "\"FULL\", expected SAME, VALID or EXPLICIT");
  refused("explicit_paddings", text("padding", "EXPLICIT"), kInvalid, "is missing");
  refused("data_format", text("data_format", "NCHW_VECT_C"), kMissing, "NCHW_VECT_C");
  refused(
      "padding", [](graphdef::NodeDef& node) { Attribute(node, "padding").set_b(true); }, kInvalid,
      "is a bool, expected a string");
  refused(
      "strides", [](graphdef::NodeDef& node) { node.mutable_attr()->erase("strides"); }, kInvalid, "is missing");
  refused(
      "filter", [](graphdef::NodeDef& node) { node.set_input(1, "x"); }, kInvalid, "does not fit 2 channels");
  refused(
      "open", [](graphdef::NodeDef& node) { Attribute(node, "strides").set_placeholder("s"); }, kInvalid,
      "expected a list");
  GraphdefFile file = ConvFile();
  test::SetInts(Node(file, "conv"), "explicit_paddings", {1, 0, 0, 0, 0, 0, 0, 0});
  Attribute(Node(file, "conv"), "padding").set_s("EXPLICIT");
  CheckRefused(file, kInvalid, {"node 'conv' (Conv2D)", "explicit_paddings", "0 for batch and channels"});
}

TEST_CASE("what only training computes, and what is not fixed before the run") {
  GraphdefFile file;
  file.Placeholder("x", {1, 4, 4, 2});
  file.Floats("c", {2}, 0.5F);
  file.Add("norm", "FusedBatchNorm", {"x", "c", "c", "c", "c"});
  CheckRefused(file, kMissing, {"node 'norm' (FusedBatchNorm): attribute 'is_training' is true"});
  Attribute(Node(file, "norm"), "is_training").set_b(false);
  CHECK(ImportGraphdefBytes(file.Bytes(), "test.pb", {}).ok());
  file.Add("variance", "Relu", {"norm:2"});
  CheckRefused(file, kMissing, {"node 'norm' (FusedBatchNorm): its output 2 is read"});
  file = UnaryFile("Relu");
  file.Add("target", "Cast", {"x"});
  Attribute(Node(file, "target"), "DstT").set_type(3);
  file.Add("mean", "Mean", {"x", "target"});
  CheckRefused(file, kMissing, {"node 'mean' (Mean): input 1, output of node 'target' (Cast), must be integers"});
}

TEST_CASE("patches that overlap, ranges without width, ports beyond count") {
  GraphdefFile file;
  file.Placeholder("x", {1, 4, 4, 2});
  graphdef::NodeDef& patches = file.Add("patches", "ExtractImagePatches", {"x"});
  test::SetInts(patches, "ksizes", {1, 2, 2, 1});
  test::SetInts(patches, "strides", {1, 1, 1, 1});
  test::SetInts(patches, "rates", {1, 1, 1, 1});
  Attribute(patches, "padding").set_s("VALID");
  CheckRefused(file, kMissing, {"node 'patches' (ExtractImagePatches)", "'strides' [1,1,1,1]"});
  file = UnaryFile("FakeQuantWithMinMaxArgs");
  Attribute(Node(file, "y"), "min").set_f(2);
  Attribute(Node(file, "y"), "max").set_f(2);
  CheckRefused(file, kInvalid, {"node 'y' (FakeQuantWithMinMaxArgs): its limits are 2"});
  file = UnaryFile("Unpack");
  Attribute(Node(file, "y"), "num").set_i(INT64_MAX);
  CheckRefused(file, kInvalid, {"node 'y' (Unpack): attribute 'num' is 9223372036854775807, expected 1 to 4096"});
}

// ---- Functions

TEST_CASE("a function goes before an operator, and takes attributes from its call") {
  GraphdefFile file = UnaryFile("Relu");
  auto* nodes = file.Function("Relu", "cast:y:0").mutable_node_def();
  test::AddNode(nodes, "doubled", "Add", {"x", "x", "^x"});
  graphdef::NodeDef& cast = test::AddNode(nodes, "cast", "Cast", {"doubled:z:0"});
  Attribute(cast, "DstT").set_placeholder("T");
  Attribute(Node(file, "y"), "T").set_type(1);
  CHECK(OnlyOutput(file, -1) == -2);
  Node(file, "y").mutable_attr()->erase("T");
  CheckRefused(file, kInvalid, {"node 'y/cast' (Cast): attribute 'DstT' is missing"});
}

TEST_CASE("partitioned calls") {
  GraphdefFile file = UnaryFile("StatefulPartitionedCall");
  CheckRefused(file, kMissing, {"StatefulPartitionedCall: 1, first in node 'y'"});
  file.Function("f", "n:y:0");
  test::AddNode(file.graph.mutable_library()->mutable_function(0)->mutable_node_def(), "n", "Neg", {"x"});
  Attribute(Node(file, "y"), "f").mutable_func()->set_name("f");
  CHECK(OnlyOutput(file, 2) == -2);
}

TEST_CASE("functions that are not sound") {
  const auto file_of = [](const std::string& returned) {
    GraphdefFile file = UnaryFile("f");
    file.Function("f", returned);
    test::AddNode(file.graph.mutable_library()->mutable_function(0)->mutable_node_def(), "n", "Neg", {"x"});
    return file;
  };
  CHECK(OnlyOutput(file_of("n:y:0"), 2) == -2);
  CHECK(OnlyOutput(file_of("x"), 2) == 2);
  CheckRefused(file_of("m:y:0"), kInvalid, {"node 'y' (f): function 'f': output 'y' reads 'm:y'"});
  CheckRefused(file_of("x:y:0"), kInvalid, {"function 'f'", "reads 'x:y'"});
  CheckRefused(file_of("n:y:z"), kInvalid, {"function 'f'", "field ret says nothing readable of the output 'y'"});
  CheckRefused(file_of("n:y:1"), kMissing, {"node 'y/n' (Neg): its output 1 is read"});
  GraphdefFile file = file_of("n:y:0");
  graphdef::FunctionDef* function = file.graph.mutable_library()->mutable_function(0);
  function->clear_ret();
  CheckRefused(file, kInvalid, {"field ret says nothing readable of the output 'y'"});
  file = file_of("n:y:0");
  Node(file, "y").add_input("x");
  CheckRefused(file, kInvalid, {"node 'y' (f): function 'f' takes 1 arguments, the call gives 2"});
  file = file_of("n:y:0");
  file.Function("f", "x");
  CheckRefused(file, kInvalid, {"field library defines the function 'f' twice"});
  file = file_of("n:y:0");
  file.Add("z", "Neg", {"y:1"});
  CheckRefused(file, kInvalid, {"node 'z' (Neg) reads output 1 of node 'y' (f), which returns 1"});
  file = file_of("n:y:0");
  file.graph.mutable_library()->mutable_function(0)->mutable_signature()->mutable_input_arg(0)->set_number_attr("N");
  CheckRefused(file, kMissing, {"function 'f': argument 'x' is a list"});
  file = file_of("p:y:0");
  test::AddNode(file.graph.mutable_library()->mutable_function(0)->mutable_node_def(), "p", "Placeholder", {});
  CheckRefused(file, kMissing, {"node 'y/p' (Placeholder): stands in a function"});
}

TEST_CASE("functions that call themselves, or one another without end") {
  GraphdefFile file = UnaryFile("f");
  test::AddNode(file.Function("f", "n:y:0").mutable_node_def(), "n", "g", {"x"});
  test::AddNode(file.Function("g", "n:y:0").mutable_node_def(), "n", "f", {"x"});
  CheckRefused(file, kMissing, {"node 'y/n/n' (f): function 'f' calls itself"});
}

TEST_CASE("functions that blow up") {
  // f0 calls f1 twice, f1 calls f2 twice, ...
  GraphdefFile file = UnaryFile("f0");
  for (int i = 0; i < 40; ++i) {
    auto* nodes = file.Function("f" + std::to_string(i), "b:y:0").mutable_node_def();
    const std::string next = i == 39 ? "Neg" : "f" + std::to_string(i + 1);
    test::AddNode(nodes, "a", next, {"x"});
    test::AddNode(nodes, "b", next, {"a:y:0"});
  }
  CheckRefused(file, kMissing, {"has more than 100000 nodes with those of its functions"});
  // One call within the other.
  file = UnaryFile("f0");
  for (int i = 0; i < 100; ++i) {
    auto* nodes = file.Function("f" + std::to_string(i), "a:y:0").mutable_node_def();
    test::AddNode(nodes, "a", i == 99 ? "Neg" : "f" + std::to_string(i + 1), {"x"});
  }
  CheckRefused(file, kMissing, {"is a call within 64 others, which is the limit"});
  // Long names, once for each call.
  file = UnaryFile("f0");
  for (int i = 0; i < 12; ++i) {
    auto* nodes = file.Function("f" + std::to_string(i), "b:y:0").mutable_node_def();
    const std::string next = i == 11 ? "Neg" : "f" + std::to_string(i + 1);
    test::AddNode(nodes, std::string(100000, 'n'), next, {"x"});
    test::AddNode(nodes, "b", next, {"x"});
  }
  CheckRefused(file, kMissing, {"the names of its nodes and their inputs have more than"});
}

// ---- Blueoil's quantizers by name

TEST_CASE("Blueoil's quantizers without a body") {
  GraphdefFile file;
  file.Placeholder("x", {1, 4, 4, 2});
  file.Integers("bits", {2});
  file.Floats("max", {}, 2);
  file.Add("quantized", "QTZ_linear_mid_tread_half", {"x", "bits", "max"});
  CHECK(OnlyOutput(file, 0.5F) == std::floor(0.5F / 2 * 3 + 0.5F) / 3 * 2);
  Attribute(Node(file, "bits"), "value").mutable_tensor()->set_int_val(0, 17);
  CheckRefused(file, kInvalid, {"node 'quantized' (QTZ_linear_mid_tread_half): its number of bits is [17]"});
  file = GraphdefFile();
  file.Placeholder("x", {1, 4});
  file.Add("scaled", "QTZ_binary_channel_wise_mean_scaling", {"x"});
  CheckRefused(file, kInvalid, {"node 'scaled' (QTZ_binary_channel_wise_mean_scaling)", "expected a filter"});
}

}  // namespace
}  // namespace bnn::formats
