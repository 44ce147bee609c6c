// Each architecture at a small resolution: the engine on the converted model against the float interpretation of the
// source graph; and the generated weights give bits that tell right from wrong.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "formats/convert.h"
#include "formats/interpreter.h"
#include "formats/writer.h"
#include "models/architectures/architectures.h"
#include "models/architectures/weight_generator.h"
#include "tools/bnn_convert/verify.h"

namespace bnn::architectures {
namespace {

formats::Conversion ConvertSmall(const Architecture& a) {
  const int64_t resolution = a.resolution == 32 ? 32 : 64;
  Result<formats::SourceGraph> graph = BuildArchitecture(a.name, {.resolution = resolution, .classes = 10});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  Result<formats::Conversion> conversion = formats::ConvertGraph(*std::move(graph), {});
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  return *std::move(conversion);
}

TEST_CASE("the engine computes what the source means") {
  for (const Architecture& a : Architectures()) {
    CAPTURE(a.name);
    const formats::Conversion conversion = ConvertSmall(a);
    const Result<std::string> bytes = formats::SerializeModel(conversion.model);
    REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
    // Variance 1, for which the weights were generated. The samples are fixed, so a float sum on a threshold, which
    // might decide differently in the engine, would be found when this test was written; there is none.
    convert::VerifyOptions options;
    options.samples = 2;
    options.low = -1.732f;
    options.high = 1.732f;
    const Result<convert::VerifyResult> result = convert::Verify(conversion, *bytes, options);
    REQUIRE_MESSAGE(result.ok(), result.status().message());
    CHECK(result->largest_output > 0.05);
    // Rounding of float layers and of batch-norms, relative to the outputs: a wrong bit moves them by more.
    CHECK(result->largest_difference < 2e-5 * result->largest_output);
  }
}

const formats::SourceNode* FindNode(const formats::SourceGraph& graph, const std::string& name) {
  const auto it =
      std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const auto& node) { return node.name == name; });
  return it == graph.nodes.end() ? nullptr : &*it;
}

// The data of binary layers, as the source has them.
std::vector<std::string> BinaryData(const formats::Conversion& conversion) {
  std::vector<std::string> values;
  const formats::GraphIndex index(conversion.source);
  for (const formats::NodeDef& layer : conversion.model.nodes) {
    const bool is_binary =
        std::holds_alternative<formats::BConv2d>(layer.op) || std::holds_alternative<formats::BDense>(layer.op);
    if (!is_binary) continue;
    const formats::SourceNode* node = FindNode(conversion.source, layer.name);
    REQUIRE(node != nullptr);
    // What a Pad adds is not the network's choice, and much of a small map.
    const formats::SourceNode* pad = index.Producer(node->inputs[0]);
    values.push_back(pad != nullptr && pad->op == "Pad" ? pad->inputs[0] : node->inputs[0]);
  }
  return values;
}

TEST_CASE("bits are balanced in every binary layer, and depend on the input") {
  for (const Architecture& a : Architectures()) {
    CAPTURE(a.name);
    const formats::Conversion conversion = ConvertSmall(a);
    const std::vector<std::string> wanted = BinaryData(conversion);
    const formats::SourceGraph& source = conversion.source;
    const formats::Dims& dims = source.FindValue(source.inputs[0])->dims;
    std::vector<std::map<std::string, formats::Tensor>> runs;
    for (const char* image : {"image 1", "image 2"}) {
      WeightGenerator random(1, image);
      std::vector<float> pixels(static_cast<size_t>(formats::CountElements(dims)));
      for (float& p : pixels) p = static_cast<float>(random.Normal());
      auto values = formats::Interpret(source, {{source.inputs[0], formats::FloatTensor(dims, pixels)}}, wanted);
      REQUIRE_MESSAGE(values.ok(), values.status().message());
      runs.push_back(*std::move(values));
    }
    for (const std::string& name : wanted) {
      CAPTURE(name);
      const std::vector<float>&first = runs[0].at(name).floats, &second = runs[1].at(name).floats;
      const auto [low, high] = std::minmax_element(first.begin(), first.end());
      REQUIRE(*low < *high);
      double ones = 0, differing = 0;
      for (size_t i = 0; i < first.size(); ++i) {
        ones += first[i] == *high ? 1 : 0;
        differing += first[i] != second[i] ? 1 : 0;
      }
      const auto count = static_cast<double>(first.size());
      CHECK(ones / count > 0.2);
      CHECK(ones / count < 0.8);
      CHECK(differing / count > 0.05);
    }
  }
}

}  // namespace
}  // namespace bnn::architectures
