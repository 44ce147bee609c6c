// What the publications say of their networks, against what the builders give: parameters to the last one, and
// operations. "Operations" of these papers are float multiply-adds plus binary ones over 64.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>
#include <vector>

#include "formats/convert.h"
#include "models/architectures/architectures.h"
#include "tests/test_support.h"

namespace bnn::architectures {
namespace {

// What counts as a parameter of a batch-norm.
enum class Convention {
  kNone,
  kKeras,     // gamma and beta where it has them, and both statistics
  kPyTorch,   // gamma and beta
  kDeployed,  // two numbers a channel, whatever it is made of
};

struct Published {
  const char* name;
  int binary_layers, float_layers;
  double operations;  // 0: not published
  Convention convention;
  int64_t parameters;
};

constexpr Published kPublished[] = {
    // Bi-Real Net, table 3: 1.63e8 operations.
    {"bi-real-net-18", 16, 5, 1.63e8, Convention::kNone, 0},
    // torchvision's ResNet-18, whose weights NNCF binarizes.
    {"xnor-resnet-18", 16, 5, 0, Convention::kPyTorch, 11689512},
    // ReActNet, table 1: 0.87e8 operations, of 4.82e9 binary and 0.12e8 float ones.
    {"reactnet-a", 31, 2, 0.87e8, Convention::kNone, 0},
    // larq/zoo, larq_zoo/sota/quicknet.py: parameters.
    {"quicknet-small", 16, 10, 0, Convention::kDeployed, 12655688},
    {"quicknet", 16, 10, 0, Convention::kDeployed, 13234088},
    {"quicknet-large", 32, 10, 0, Convention::kDeployed, 23342248},
    // MeliusNet, table 3: 2.58e8 operations; Larq Zoo's documentation: parameters.
    {"binary-densenet-28", 23, 5, 2.58e8, Convention::kKeras, 5150504},
    // MeliusNet, table 3: 2.08e8 operations.
    {"meliusnet-22", 34, 7, 2.08e8, Convention::kNone, 0},
    // larq/zoo, larq_zoo/literature/xnornet.py: parameters.
    {"xnor-alexnet", 6, 2, 0, Convention::kKeras, 62396768},
    {"cnv", 8, 1, 0, Convention::kNone, 0},
};

bool EndsWith(const std::string& text, const std::string& end) { return text.ends_with(end); }

// Batch-norms without gamma or beta have constants of 1 and 0 for them, which are no parameters.
bool IsParameter(const std::string& name, const formats::Tensor& tensor, Convention convention) {
  const auto all = [&](float value) {
    return std::all_of(tensor.floats.begin(), tensor.floats.end(), [&](float v) { return v == value; });
  };
  const bool counts_all = convention == Convention::kDeployed;
  if (EndsWith(name, ".weight")) return counts_all || !all(1);
  if (EndsWith(name, ".bias")) return counts_all || !all(0);
  const bool is_statistic = EndsWith(name, ".running_mean") || EndsWith(name, ".running_var");
  return is_statistic && convention == Convention::kKeras;
}

struct Macs {
  int binary_layers = 0, float_layers = 0;
  double binary_macs = 0, float_macs = 0;
};

Macs MacsOf(const formats::ModelDef& model) {
  Macs macs;
  for (const formats::NodeDef& node : model.nodes) {
    const auto elements = [&](int tensor) {
      return static_cast<double>(formats::ElementCount(model.tensors[static_cast<size_t>(tensor)].dims));
    };
    const double outputs = elements(node.output);
    // The terms of one output: all of its blob but the first axis.
    const auto terms = [&](int weights) {
      const std::vector<int64_t>& dims = model.blobs[static_cast<size_t>(weights)].dims;
      return static_cast<double>(formats::ElementCount(dims) / dims[0]);
    };
    const auto add_binary = [&](int weights) {
      ++macs.binary_layers;
      macs.binary_macs += outputs * terms(weights);
    };
    const auto add_float = [&](int weights) {
      ++macs.float_layers;
      macs.float_macs += outputs * terms(weights);
    };
    if (const auto* bconv = std::get_if<formats::BConv2d>(&node.op)) add_binary(bconv->weights);
    if (const auto* bdense = std::get_if<formats::BDense>(&node.op)) add_binary(bdense->weights);
    if (const auto* conv = std::get_if<formats::Conv2d>(&node.op)) add_float(conv->weights);
    if (const auto* dense = std::get_if<formats::Dense>(&node.op)) add_float(dense->weights);
  }
  return macs;
}

TEST_CASE("layers, operations and parameters as published") {
  for (const Published& published : kPublished) {
    CAPTURE(published.name);
    Result<formats::SourceGraph> graph = BuildArchitecture(published.name, {});
    REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    int64_t parameters = 0;
    for (const auto& [name, tensor] : graph->constants) {
      if (IsParameter(name, tensor, published.convention)) parameters += tensor.size();
    }
    if (published.parameters != 0) CHECK(parameters == published.parameters);

    const Result<formats::Conversion> conversion = formats::ConvertGraph(*std::move(graph), {});
    REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
    const auto [binary_layers, float_layers, binary_macs, float_macs] = MacsOf(conversion->model);
    CHECK(binary_layers == published.binary_layers);
    CHECK(float_layers == published.float_layers);
    if (published.operations != 0) {
      // Published with three digits, some of them cut off.
      CHECK(std::fabs((float_macs + binary_macs / 64) / published.operations - 1) < 0.01);
    }
    if (published.name == std::string("reactnet-a")) {
      CHECK(std::fabs(binary_macs - 4.82e9) < 0.005e9);
      CHECK(std::fabs(float_macs - 0.12e8) < 0.005e8);
    }
  }
}

TEST_CASE("CNV has the layers of the network that Brevitas exports") {
  const std::string data = test::AcceptanceDataDir();
  if (data.empty()) return test::Skip("../shared/data is absent");
  const Result<formats::Conversion> exported = formats::ConvertFile(data + "/models/cnv_w1a1_cifar10.qonnx.onnx", {});
  REQUIRE_MESSAGE(exported.ok(), exported.status().message());
  Result<formats::SourceGraph> graph = BuildArchitecture("cnv", {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const Result<formats::Conversion> built = formats::ConvertGraph(*std::move(graph), {});
  REQUIRE_MESSAGE(built.ok(), built.status().message());
  REQUIRE(built->report.layers.size() == exported->report.layers.size());
  for (size_t i = 0; i < built->report.layers.size(); ++i) {
    const formats::LayerReport &a = built->report.layers[i], &b = exported->report.layers[i];
    CHECK(a.op == b.op);
    CHECK(a.macs == b.macs);
    CHECK(a.model_bytes == b.model_bytes);
  }
  // The same operators of the model, one for one.
  REQUIRE(built->model.nodes.size() == exported->model.nodes.size());
  for (size_t i = 0; i < built->model.nodes.size(); ++i) {
    CHECK(std::string(OpName(built->model.nodes[i].op)) == OpName(exported->model.nodes[i].op));
  }
}

}  // namespace
}  // namespace bnn::architectures
