#include "tests/formats/convert_check.h"

#include <doctest/doctest.h>

#include <cmath>

#include "formats/interpreter.h"
#include "tests/formats/model_reference.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {
namespace {

// The source may fix a batch; the reference runs one sample at a time.
std::vector<float> SampleOf(const Tensor& tensor, int64_t index, int64_t batch) {
  const int64_t size = tensor.size() / batch;
  return {tensor.floats.begin() + index * size, tensor.floats.begin() + (index + 1) * size};
}

bool Agree(const std::vector<float>& expected, const std::vector<float>& actual, double tolerance) {
  if (expected.size() != actual.size()) return false;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == actual[i]) continue;
    if (!(std::fabs(static_cast<double>(expected[i]) - static_cast<double>(actual[i])) <= tolerance)) return false;
  }
  return true;
}

}  // namespace

Conversion CheckConversion(const GraphBuilder& builder, double tolerance, const ConvertOptions& options, int samples) {
  const SourceGraph& graph = builder.graph();
  Result<Conversion> conversion = ConvertGraph(graph, options);
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  RandomSource random(7);
  for (int sample = 0; sample < samples; ++sample) {
    std::map<std::string, Tensor> inputs;
    for (const std::string& name : graph.inputs) {
      const Dims& dims = graph.values.at(name).dims;
      inputs[name] = FloatTensor(dims, std::vector<float>(static_cast<size_t>(CountElements(dims))));
      for (float& v : inputs[name].floats) v = static_cast<float>(random.Int(-8, 8)) / 2;
    }
    const auto expected = Interpret(graph, inputs, graph.outputs);
    REQUIRE_MESSAGE(expected.ok(), expected.status().message());
    const int64_t batch = graph.values.at(graph.inputs[0]).dims[0];
    for (int64_t n = 0; n < batch; ++n) {
      std::vector<std::vector<float>> sample_inputs;
      for (const std::string& name : graph.inputs) sample_inputs.push_back(SampleOf(inputs[name], n, batch));
      const auto outputs = ReferenceOutputs(conversion->model, sample_inputs);
      REQUIRE(outputs.size() == graph.outputs.size());
      for (size_t i = 0; i < outputs.size(); ++i) {
        const bool agree = Agree(SampleOf(expected->at(graph.outputs[i]), n, batch), outputs[i], tolerance);
        CHECK_MESSAGE(agree, graph.outputs[i], " differs in\n", DumpGraph(graph));
      }
    }
  }
  return *std::move(conversion);
}

std::string Ops(const Conversion& conversion) {
  std::string text;
  for (const NodeDef& node : conversion.model.nodes) text += (text.empty() ? "" : " ") + std::string(OpName(node.op));
  return text;
}

const LayerReport& OnlyLayer(const Conversion& conversion) {
  REQUIRE(conversion.report.layers.size() == 1);
  return conversion.report.layers[0];
}

std::vector<float> Signs(int64_t count, uint64_t seed, float scale) {
  RandomSource random(seed);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(random.OneIn(2) ? scale : -scale);
  return values;
}

std::vector<float> Quarters(int64_t count, uint64_t seed) {
  RandomSource random(seed);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(random.Int(-8, 8)) / 4);
  return values;
}

}  // namespace bnn::formats
