// The three networks of ../shared/data: which of their layers become binary, and the model of the first sample against
// the published outputs.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "formats/convert.h"
#include "formats/interpreter.h"
#include "tests/formats/model_reference.h"
#include "tests/formats/random_source.h"
#include "tests/test_support.h"

namespace bnn::formats {
namespace {

struct Case {
  const char* file;
  int binary_layers, float_layers;
};

TEST_CASE("every layer between binarized activations and binarized weights is binary, and nothing is lost") {
  const std::string data = test::AcceptanceDataDir();
  if (data.empty()) return test::Skip("../shared/data is absent");
  for (const Case& c : {Case{"cnv_w1a1_cifar10.qonnx.onnx", 8, 1}, Case{"lfc_w1a1_mnist.nncf.onnx", 4, 0},
                        Case{"tfc_w1a1_mnist.qonnx.onnx", 4, 0}}) {
    CAPTURE(c.file);
    const Result<Conversion> conversion = ConvertFile(data + "/models/" + c.file, {});
    REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
    int binary = 0;
    for (const LayerReport& layer : conversion->report.layers) binary += layer.is_binary() ? 1 : 0;
    CHECK(binary == c.binary_layers);
    CHECK(static_cast<int>(conversion->report.layers.size()) - binary == c.float_layers);

    // 8-bit pixels: the values that these networks were made for, so that no sum lies on a rounding.
    const SourceGraph& source = conversion->source;
    const Dims& dims = source.FindValue(source.inputs[0])->dims;
    Tensor input = FloatTensor(dims, std::vector<float>(static_cast<size_t>(CountElements(dims))));
    RandomSource random(1);
    const float scale = c.float_layers > 0 ? 1.0f : 255.0f;
    for (float& v : input.floats) v = static_cast<float>(random.Int(0, 255)) / scale;
    const auto expected = Interpret(source, {{source.inputs[0], input}}, source.outputs);
    REQUIRE_MESSAGE(expected.ok(), expected.status().message());
    const auto outputs = ReferenceOutputs(conversion->model, {input.floats});
    const std::vector<float>& wanted = expected->at(source.outputs[0]).floats;
    REQUIRE(outputs[0].size() == wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) CHECK(outputs[0][i] == doctest::Approx(wanted[i]).epsilon(1e-4));
  }
}

}  // namespace
}  // namespace bnn::formats
