// What a random network means is what its model computes, exactly.
#include <doctest/doctest.h>

#include <string>

#include "formats/convert.h"
#include "formats/interpreter.h"
#include "tests/formats/model_reference.h"
#include "tests/formats/random_graph.h"

namespace bnn::formats {
namespace {

struct Counts {
  int64_t binary_layers = 0, float_layers = 0, corrected_paddings = 0, bit_pools = 0;
};

void Count(const Conversion& conversion, Counts* counts) {
  for (const LayerReport& layer : conversion.report.layers) {
    ++(layer.is_binary() ? counts->binary_layers : counts->float_layers);
    if (layer.reason.find("padding corrected") != std::string::npos) ++counts->corrected_paddings;
  }
  for (const NodeDef& node : conversion.model.nodes) {
    if (std::string(OpName(node.op)) == "BMaxPool") ++counts->bit_pools;
  }
}

TEST_CASE("1,000 random graphs: the model computes exactly what the source means") {
  Counts counts;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    const RandomGraph random = MakeRandomGraph(seed);
    const auto expected = Interpret(random.graph, random.inputs, random.graph.outputs);
    REQUIRE_MESSAGE(expected.ok(), expected.status().message());
    const Result<Conversion> conversion = ConvertGraph(random.graph, {});
    REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
    const auto outputs = ReferenceOutputs(conversion->model, {random.inputs.at("x").floats});
    REQUIRE(outputs.size() == random.graph.outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const bool equal = outputs[i] == expected->at(random.graph.outputs[i]).floats;
      CHECK_MESSAGE(equal, random.graph.outputs[i], " differs in\n", DumpGraph(random.graph));
    }
    Count(*conversion, &counts);
  }
  // The property is worth something only where the graphs exercise the lowering.
  MESSAGE(counts.binary_layers, " binary layers, ", counts.float_layers, " float layers, ", counts.corrected_paddings,
          " corrected paddings, ", counts.bit_pools, " pools of bits");
  CHECK(counts.binary_layers > 1000);
  CHECK(counts.float_layers > 300);
  CHECK(counts.corrected_paddings > 100);
  CHECK(counts.bit_pools > 100);
}

}  // namespace
}  // namespace bnn::formats
