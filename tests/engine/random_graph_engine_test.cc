// The engine computes exactly what random source graphs mean: whole road, from graph through file to run.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/convert.h"
#include "formats/interpreter.h"
#include "formats/writer.h"
#include "tests/engine/run_model.h"
#include "tests/formats/random_graph.h"

namespace bnn {
namespace {

using formats::Conversion;
using formats::RandomGraph;

// The outputs of `batch` copies of the sample, after a first run with other data: memory is reused, nothing may linger.
std::vector<std::vector<float>> RunEngine(const std::string& bytes, const std::vector<float>& sample,
                                          const ModelOptions& options) {
  std::vector<float> input;
  for (int64_t n = 0; n < options.batch; ++n) input.insert(input.end(), sample.begin(), sample.end());
  return test::RunModel(test::LoadBytes(bytes, options), {std::vector<float>(input.size(), -0.75f), input});
}

TEST_CASE("1,000 random graphs: the engine computes exactly what the source means") {
  int64_t binary_layers = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    const RandomGraph random = formats::MakeRandomGraph(seed);
    const auto expected = formats::Interpret(random.graph, random.inputs, random.graph.outputs);
    REQUIRE_MESSAGE(expected.ok(), expected.status().message());
    const Result<Conversion> conversion = formats::ConvertGraph(random.graph, {});
    REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
    for (const formats::LayerReport& layer : conversion->report.layers) binary_layers += layer.is_binary() ? 1 : 0;
    const Result<std::string> bytes = formats::SerializeModel(conversion->model);
    REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
    // Batches and threads vary with the seed; the instruction set is that of BNN_MAX_ISA (CTest runs one of each).
    const ModelOptions options{1 + static_cast<int64_t>(seed % 3), 1 + static_cast<int32_t>(seed % 2), ""};
    const auto outputs = RunEngine(*bytes, random.inputs.at("x").floats, options);
    REQUIRE(outputs.size() == random.graph.outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      std::vector<float> repeated;
      const std::vector<float>& one = expected->at(random.graph.outputs[i]).floats;
      for (int64_t n = 0; n < options.batch; ++n) repeated.insert(repeated.end(), one.begin(), one.end());
      const bool equal = outputs[i] == repeated;
      CHECK_MESSAGE(equal, random.graph.outputs[i], " differs in\n", formats::DumpGraph(random.graph));
    }
  }
  CHECK(binary_layers > 1000);
}

}  // namespace
}  // namespace bnn
