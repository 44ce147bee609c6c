#include "formats/source_graph.h"

#include <doctest/doctest.h>

#include <string>

#include "formats/interpreter.h"
#include "formats/passes/passes.h"

namespace bnn::formats {
namespace {

SourceNode MakeNode(const std::string& op, std::vector<std::string> inputs, std::vector<std::string> outputs) {
  SourceNode node;
  node.name = op + "." + outputs[0];
  node.op = op;
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  return node;
}

// x [1,2,3] -> nodes -> y; the tests fill in nodes and value infos.
SourceGraph MakeGraph() {
  SourceGraph graph;
  graph.file = "test";
  graph.inputs = {"x"};
  graph.outputs = {"y"};
  graph.values["x"] = {DType::kFloat32, {1, 2, 3}};
  graph.values["y"] = {DType::kFloat32, {1, 2, 3}};
  return graph;
}

void AddConstant(SourceGraph* graph, const std::string& name, Tensor tensor) {
  graph->values[name] = {tensor.type, tensor.dims};
  graph->constants[name] = std::move(tensor);
}

const Tensor kInput = FloatTensor({1, 2, 3}, {1, -2, 3, -4, 5, -6});

Tensor Run(const SourceGraph& graph, const Tensor& input) {
  const auto results = Interpret(graph, {{"x", input}}, {"y"});
  REQUIRE_MESSAGE(results.ok(), results.status().message());
  return results->at("y");
}

TEST_CASE("CountElements refuses negative dims and overflow") {
  CHECK(CountElements({}) == 1);
  CHECK(CountElements({2, 3}) == 6);
  CHECK(CountElements({2, 0, 3}) == 0);
  CHECK(CountElements({2, -1}) == -1);
  CHECK(CountElements({int64_t{1} << 32, int64_t{1} << 32}) == -1);
  CHECK(DimsToString({1, -1, 3}) == "[1,?,3]");
}

TEST_CASE("a graph must define each value once, before it is read, with known dims") {
  SourceGraph graph = MakeGraph();
  graph.nodes = {MakeNode("Relu", {"x"}, {"y"})};
  CHECK(ValidateSourceGraph(graph).ok());

  SourceGraph broken = graph;
  broken.nodes[0].inputs = {"z"};
  CHECK(ValidateSourceGraph(broken).message().find("'z'") != std::string::npos);
  broken = graph;
  broken.nodes.push_back(MakeNode("Abs", {"x"}, {"y"}));
  CHECK(ValidateSourceGraph(broken).message().find("redefines") != std::string::npos);
  broken = graph;
  broken.nodes[0].inputs = {"y"};
  CHECK(!ValidateSourceGraph(broken).ok());
  broken = graph;
  broken.values["y"].dims = {1, -1};
  CHECK(ValidateSourceGraph(broken).message().find("'y'") != std::string::npos);
  broken = graph;
  broken.values.erase("y");
  CHECK(ValidateSourceGraph(broken).message().find("no shape") != std::string::npos);
  broken = graph;
  AddConstant(&broken, "c", FloatTensor({3}, {1, 2}));
  CHECK(ValidateSourceGraph(broken).message().find("2 elements") != std::string::npos);
  broken = graph;
  broken.outputs = {"nothing"};
  CHECK(!ValidateSourceGraph(broken).ok());
}

TEST_CASE("the index knows producers and consumers; a node that reads a value twice is one consumer") {
  SourceGraph graph = MakeGraph();
  graph.nodes = {MakeNode("Relu", {"x"}, {"a"}), MakeNode("Mul", {"a", "a"}, {"y"})};
  const GraphIndex index(graph);
  CHECK(index.Producer("x") == nullptr);
  CHECK(index.Producer("a") == &graph.nodes[0]);
  CHECK(index.Consumers("a") == std::vector<const SourceNode*>{&graph.nodes[1]});
  CHECK(index.Consumers("y").empty());
  CHECK(index.IsGraphOutput("y"));
  CHECK(!index.IsGraphOutput("a"));
}

TEST_CASE("the interpreter checks its inputs and what is wanted") {
  SourceGraph graph = MakeGraph();
  graph.nodes = {MakeNode("Relu", {"x"}, {"y"})};
  CHECK(Run(graph, kInput).floats == std::vector<float>{1, 0, 3, 0, 5, 0});
  CHECK(Interpret(graph, {}).status().message().find("'x' is missing") != std::string::npos);
  CHECK(!Interpret(graph, {{"x", FloatTensor({1, 2}, {1, 2})}}).ok());
  CHECK(!Interpret(graph, {{"x", FloatTensor({1, 2, 3}, {1})}}).ok());
  CHECK(!Interpret(graph, {{"x", IntTensor({1, 2, 3}, {1, 2, 3, 4, 5, 6})}}).ok());
  CHECK(!Interpret(graph, {{"x", kInput}}, {"nothing"}).ok());
  const Tensor batch = FloatTensor({2, 2, 3}, std::vector<float>(12, 1));
  CHECK(!Interpret(graph, {{"x", batch}}).ok());
  graph.batch_is_symbolic = true;
  CHECK(Run(graph, batch).dims == Dims{2, 2, 3});

  graph.nodes[0].op = "Frobnicate";
  const auto unknown = Interpret(graph, {{"x", kInput}});
  CHECK(unknown.status().code() == StatusCode::kUnsupported);
  CHECK(unknown.status().message().find("Frobnicate") != std::string::npos);
}

TEST_CASE("without a list of wanted values all are returned, with one only that") {
  SourceGraph graph = MakeGraph();
  graph.nodes = {MakeNode("Relu", {"x"}, {"a"}), MakeNode("Neg", {"a"}, {"y"})};
  graph.values["a"] = graph.values["x"];
  const auto all = Interpret(graph, {{"x", kInput}});
  REQUIRE(all.ok());
  CHECK(all->count("x") + all->count("a") + all->count("y") == 3);
  const auto one = Interpret(graph, {{"x", kInput}}, {"a"});
  REQUIRE(one.ok());
  CHECK(one->size() == 1);
}

TEST_CASE("an open batch stays open when a computed Reshape is folded") {
  SourceGraph graph = MakeGraph();
  graph.batch_is_symbolic = true;
  AddConstant(&graph, "i", IntTensor({1}, {0}));
  AddConstant(&graph, "rest", IntTensor({1}, {-1}));
  SourceNode concat = MakeNode("Concat", {"n", "rest"}, {"target"});
  concat.attributes["axis"] = int64_t{0};
  graph.nodes = {MakeNode("Shape", {"x"}, {"s"}), MakeNode("Gather", {"s", "i"}, {"n"}), concat,
                 MakeNode("Reshape", {"x", "target"}, {"y"})};
  graph.values["y"].dims = {1, 6};
  graph.values["s"] = {DType::kInt64, {3}};
  graph.values["n"] = {DType::kInt64, {1}};
  graph.values["target"] = {DType::kInt64, {2}};
  REQUIRE(FoldConstants(&graph).ok());
  REQUIRE(RemoveDeadNodes(&graph).ok());
  REQUIRE_MESSAGE(ValidateSourceGraph(graph).ok(), DumpGraph(graph));
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.FindConstant(graph.nodes[0].inputs[1])->integers == std::vector<int64_t>{0, 6});
  CHECK(Run(graph, FloatTensor({4, 2, 3}, std::vector<float>(24, 1))).dims == Dims{4, 6});
}

TEST_CASE("a batch that the network fixes itself is closed by folding") {
  SourceGraph graph = MakeGraph();
  graph.batch_is_symbolic = true;
  AddConstant(&graph, "six", IntTensor({1}, {6}));
  graph.values["y"].dims = {6};
  graph.values["s"] = {DType::kInt64, {3}};
  graph.values["f"] = {DType::kFloat32, {6}};
  // Reshape to [6] fits a batch of 1 only.
  graph.nodes = {MakeNode("Shape", {"x"}, {"s"}), MakeNode("Reshape", {"x", "six"}, {"f"}),
                 MakeNode("Relu", {"f"}, {"y"})};
  REQUIRE(FoldConstants(&graph).ok());
  CHECK(!graph.batch_is_symbolic);
}

TEST_CASE("folding does not blow a small constant up") {
  SourceGraph graph = MakeGraph();
  AddConstant(&graph, "one", FloatTensor({1}, {1}));
  AddConstant(&graph, "shape", IntTensor({1}, {1 << 24}));
  graph.nodes = {MakeNode("Expand", {"one", "shape"}, {"big"}), MakeNode("Relu", {"x"}, {"y"})};
  graph.values["big"] = {DType::kFloat32, {1 << 24}};
  REQUIRE(FoldConstants(&graph).ok());
  CHECK(graph.FindConstant("big") == nullptr);
  CHECK(graph.nodes.size() == 2);
}

TEST_CASE("a node that cannot be computed from its constants is an error that names it") {
  SourceGraph graph = MakeGraph();
  AddConstant(&graph, "a", IntTensor({1}, {1}));
  AddConstant(&graph, "b", IntTensor({1}, {0}));
  graph.nodes = {MakeNode("Div", {"a", "b"}, {"q"}), MakeNode("Relu", {"x"}, {"y"})};
  graph.values["q"] = {DType::kInt64, {1}};
  const Status status = FoldConstants(&graph);
  CHECK(status.message().find("test: node 'Div.q' (Div)") != std::string::npos);
}

TEST_CASE("nodes that do nothing disappear, and the graph's names stay") {
  SourceGraph graph = MakeGraph();
  SourceNode transpose = MakeNode("Transpose", {"b"}, {"c"});
  transpose.attributes["perm"] = std::vector<int64_t>{0, 1, 2};
  graph.nodes = {MakeNode("Identity", {"x"}, {"a"}), MakeNode("Relu", {"a"}, {"b"}), transpose,
                 MakeNode("Identity", {"c"}, {"y"}), MakeNode("Neg", {"b"}, {"dead"})};
  for (const char* name : {"a", "b", "c", "dead"}) graph.values[name] = graph.values["x"];
  AddConstant(&graph, "unused", FloatTensor({1}, {1}));
  REQUIRE(RemoveDeadNodes(&graph).ok());
  REQUIRE_MESSAGE(ValidateSourceGraph(graph).ok(), DumpGraph(graph));
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].op == "Relu");
  CHECK(graph.constants.empty());
  CHECK(Run(graph, kInput).floats == std::vector<float>{1, 0, 3, 0, 5, 0});
}

TEST_CASE("an Identity from input to output stays: nothing else gives the output its name") {
  SourceGraph graph = MakeGraph();
  graph.nodes = {MakeNode("Identity", {"x"}, {"y"})};
  REQUIRE(RemoveDeadNodes(&graph).ok());
  CHECK(graph.nodes.size() == 1);
}

TEST_CASE("two outputs of the same value keep both names") {
  SourceGraph graph = MakeGraph();
  graph.outputs = {"y", "z"};
  graph.values["z"] = graph.values["y"];
  graph.values["a"] = graph.values["y"];
  graph.nodes = {MakeNode("Relu", {"x"}, {"a"}), MakeNode("Identity", {"a"}, {"y"}),
                 MakeNode("Identity", {"a"}, {"z"})};
  REQUIRE(RemoveDeadNodes(&graph).ok());
  REQUIRE_MESSAGE(ValidateSourceGraph(graph).ok(), DumpGraph(graph));
  const auto results = Interpret(graph, {{"x", kInput}}, {"y", "z"});
  REQUIRE(results.ok());
  CHECK(results->at("y").floats == results->at("z").floats);
}

TEST_CASE("a Reshape to a literal batch of 1 is a no-op only when the batch is fixed") {
  SourceGraph graph = MakeGraph();
  AddConstant(&graph, "shape", IntTensor({3}, {1, 2, 3}));
  graph.nodes = {MakeNode("Relu", {"x"}, {"a"}), MakeNode("Reshape", {"a", "shape"}, {"y"})};
  graph.values["a"] = graph.values["x"];
  SourceGraph open = graph;
  open.batch_is_symbolic = true;
  REQUIRE(RemoveDeadNodes(&graph).ok());
  CHECK(graph.nodes.size() == 1);
  REQUIRE(RemoveDeadNodes(&open).ok());
  CHECK(open.nodes.size() == 2);
}

}  // namespace
}  // namespace bnn::formats
