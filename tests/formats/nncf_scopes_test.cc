// NNCF's scopes against the names that PyTorch's exporter gives.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "formats/binarize/choose_layers.h"
#include "formats/binarize/layer_scopes.h"
#include "tests/formats/graph_builder.h"

namespace bnn::formats {
namespace {

using Names = std::set<std::string>;

constexpr const char* kConv1 = "/conv1/Conv";
constexpr const char* kFirst = "/layer1/layer1.0/conv1/Conv";
constexpr const char* kSecond = "/layer1/layer1.1/conv1/Conv";
constexpr const char* kDownsample = "/layer1/layer1.1/downsample/downsample.0/Conv";
constexpr const char* kRelu = "/layer1/layer1.1/relu/Relu";
constexpr const char* kFc = "/fc/Gemm";

// A residual network's nodes, named as PyTorch 1.13 and later do.
SourceGraph ResNet() {
  GraphBuilder builder;
  const std::string x = builder.Input("x", {1, 1, 4, 4});
  const std::string weights = builder.Floats({1, 1, 1, 1}, {1});
  std::string value = x;
  for (const char* name : {kConv1, kFirst, kSecond, kDownsample}) {
    value = builder.Node("Conv", {value, weights});
    builder.graph().nodes.back().name = name;
  }
  value = builder.Node("Relu", {value});
  builder.graph().nodes.back().name = kRelu;
  value = builder.Node("Flatten", {value});
  builder.Output(builder.Node("Gemm", {value, builder.Floats({16, 1}, std::vector<float>(16, 1.0f))}));
  builder.graph().nodes.back().name = kFc;
  return builder.graph();
}

Names Match(const SourceGraph& graph, const std::string& scope) {
  const Result<Names> matched = MatchScopes(AddressesOf(graph), {scope}, "ignored_scopes");
  CHECK_MESSAGE(matched.ok(), matched.status().message());
  return matched.ok() ? *matched : Names();
}

std::string MatchError(const SourceGraph& graph, const std::string& scope) {
  const Result<Names> matched = MatchScopes(AddressesOf(graph), {scope}, "ignored_scopes");
  CHECK(!matched.ok());
  return matched.ok() ? "" : matched.status().message();
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("addresses from the names of nodes") {
  const std::vector<NodeAddress> addresses = AddressesOf(ResNet());
  CHECK(addresses[0].Text() == "/NNCFConv2d[conv1]/conv2d_0");
  CHECK(addresses[3].Text() == "/[layer1]/[1]/[downsample]/NNCFConv2d[0]/conv2d_0");
  CHECK(addresses[4].Text() == "/[layer1]/[1]/[relu]");
  CHECK(addresses[6].Text() == "/NNCFLinear[fc]/linear_0");
}

TEST_CASE("addresses from the names of weights, and of modules in lists that are not called") {
  SourceGraph graph = ResNet();
  SourceNode& conv = graph.nodes[3];
  conv.name = "node_conv2d_3";
  const std::string weights = "layer1.1.downsample.0.weight";
  graph.constants[weights] = FloatTensor({1, 1, 1, 1}, {1});
  conv.inputs[1] = weights;
  CHECK(AddressesOf(graph)[3].Text() == "/[layer1]/[1]/[downsample]/NNCFConv2d[0]/conv2d_0");
  conv.name = "/blocks.2/conv/Conv_1";
  CHECK(AddressesOf(graph)[3].Text() == "/[blocks]/[2]/NNCFConv2d[conv]/conv2d_0");
  conv.name = "Conv_3";
  conv.inputs[1] = graph.nodes[2].inputs[1];
  CHECK(AddressesOf(graph)[3].path.empty());
  CHECK(Match(graph, "Conv_3") == Names{"Conv_3"});
}

TEST_CASE("exact scopes") {
  const SourceGraph graph = ResNet();
  CHECK(Match(graph, "ResNet/NNCFConv2d[conv1]/conv2d_0") == Names{kConv1});
  CHECK(Match(graph, "ResNet/Conv2d[conv1]") == Names{kConv1});
  CHECK(Match(graph, kFirst) == Names{kFirst});
  CHECK(Match(graph, "ResNet/Sequential[layer1]/BasicBlock[1]/Sequential[downsample]/NNCFConv2d[0]/conv2d_0") ==
        Names{kDownsample});
  CHECK(Match(graph, "ResNet/Sequential[layer1]/BasicBlock[1]/Sequential[downsample]") == Names{kDownsample});
  CHECK(Match(graph, "ResNet/Sequential[layer1]/BasicBlock[1]") == Names{kSecond, kDownsample, kRelu});
  CHECK(Match(graph, "ResNet/Sequential[layer1]/BasicBlock[1]/ReLU[relu]/relu__0") == Names{kRelu});
  CHECK(Match(graph, "ResNet/NNCFLinear[fc]/linear_0") == Names{kFc});
}

TEST_CASE("regular expressions") {
  const SourceGraph graph = ResNet();
  CHECK(Match(graph, "{re}downsample") == Names{kDownsample});
  CHECK(Match(graph, R"({re}ResNet/NNCFConv2d\[conv1\])") == Names{kConv1});
  CHECK(Match(graph, R"({re}(ResNet/NNCFConv2d\[conv1\]|ResNet/NNCFLinear\[fc\]))") == Names{kConv1, kFc});
  CHECK(Match(graph, "{re}ResNet/.*") == Names{kConv1, kFirst, kSecond, kDownsample, kRelu, kFc});
  CHECK(Match(graph, R"({re}^ResNet/Conv2d\[conv1\]/.*)") == Names{kConv1});
  CHECK(Match(graph, R"({re}ResNet/NNCFLinear\[fc\]/.*)") == Names{kFc});
  CHECK(Match(graph, R"({re}ResNet/Sequential\[layer1\]/BasicBlock\[1\]/Sequential\[downsample\]/.*)") ==
        Names{kDownsample});
  CHECK(Match(graph, R"({re}BasicBlock\[[01]\]/NNCFConv2d\[conv1\])") == Names{kFirst, kSecond});
  // A layer's class is kept: this is no BasicBlock[0].
  CHECK(Match(graph, R"({re}NNCFConv2d\[0\])") == Names{kDownsample});
  // The first word is no class here, so it is not taken for the root.
  CHECK(Match(graph, "{re}layer1.1/.*Conv") == Names{kSecond, kDownsample});
}

TEST_CASE("a scope that matches nothing is an error with the nearest layers") {
  const SourceGraph graph = ResNet();
  for (const char* scope :
       {"ResNet/NNCFConv2d[conv2]/conv2d_0", "ResNet/NNCFConv2d[conv1]/linear_0", "ResNet", "ResNet/Sequential[layer]",
        "ResNet/Sequential[layer1]/BasicBlock[1]/Sequential", "", "/", "[", "{re}conv7", "{re}ResNet$"}) {
    CAPTURE(scope);
    const std::string error = MatchError(graph, scope);
    CHECK(Contains(error, "'ignored_scopes': \"" + std::string(scope) + "\" matches nothing; nearest: "));
  }
  CHECK(Contains(MatchError(graph, "ResNet/NNCFConv2d[conv2]/conv2d_0"),
                 "nearest: '/conv1/Conv' = /NNCFConv2d[conv1]/conv2d_0, "));
  CHECK(Contains(MatchError(graph, R"({re}ResNet/NNCFLinear\[fd\])"), "nearest: '/fc/Gemm'"));
}

TEST_CASE("hostile scopes end in errors, soon") {
  const SourceGraph graph = ResNet();
  CHECK(Contains(MatchError(graph, "{re}conv["), "no regular expression"));
  CHECK(Contains(MatchError(graph, "{re}(a{9999}){9999}"), "no regular expression"));
  CHECK(Contains(MatchError(graph, "{re}" + std::string(1000, 'a')), "more than 512 characters"));
  SourceGraph slow = ResNet();
  slow.nodes[0].name = std::string(5000, 'a');
  CHECK(Contains(MatchError(slow, "{re}(a*)*(a*)*(a*)*b$"), "matches nothing"));
}

TEST_CASE("which layers a configuration takes") {
  NncfConfig config;
  config.ignored_scopes = {"ResNet/Conv2d[conv1]"};
  Result<LayerChoice> choice = ChooseLayers(ResNet(), config);
  REQUIRE(choice.ok());
  CHECK(choice->binarized == Names{kFirst, kSecond, kDownsample});
  CHECK(choice->kept.at(kConv1) == "not binarized: in ignored_scopes");
  CHECK(choice->kept.at(kFc) == "not binarized: NNCF binarizes Conv2d only");

  config.target_scopes = std::vector<std::string>{"{re}conv1"};
  choice = ChooseLayers(ResNet(), config);
  REQUIRE(choice.ok());
  CHECK(choice->binarized == Names{kFirst, kSecond});
  CHECK(choice->kept.at(kDownsample) == "not binarized: not in target_scopes");

  config.target_scopes = std::vector<std::string>();
  choice = ChooseLayers(ResNet(), config);
  REQUIRE(choice.ok());
  CHECK(choice->binarized.empty());

  config.target_scopes = std::vector<std::string>{"nothing", "{re}conv1"};
  CHECK(!ChooseLayers(ResNet(), config).ok());
  config.validate_scopes = false;
  choice = ChooseLayers(ResNet(), config);
  REQUIRE(choice.ok());
  CHECK(choice->binarized == Names{kFirst, kSecond});
  config.target_scopes = std::vector<std::string>{"{re}conv["};
  CHECK(!ChooseLayers(ResNet(), config).ok());
}

}  // namespace
}  // namespace bnn::formats
