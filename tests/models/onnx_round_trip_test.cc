// Each architecture through an ONNX file and back: the same graph, the same outputs, the same model.
#include <doctest/doctest.h>

#include <string>

#include "formats/convert.h"
#include "formats/exporters/onnx_writer.h"
#include "formats/importers/onnx_importer.h"
#include "formats/interpreter.h"
#include "models/architectures/architectures.h"
#include "models/architectures/weight_generator.h"

namespace bnn::architectures {
namespace {

TEST_CASE("an architecture that goes through ONNX stays what it is") {
  for (const Architecture& a : Architectures()) {
    CAPTURE(a.name);
    Result<formats::SourceGraph> built =
        BuildArchitecture(a.name, {.resolution = a.resolution == 32 ? 32 : 64, .classes = 10});
    REQUIRE_MESSAGE(built.ok(), built.status().message());
    const Result<std::string> bytes = formats::SerializeOnnx(*built);
    REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
    const Result<formats::SourceGraph> imported = formats::ImportOnnxBytes(*bytes, built->file, "", {});
    REQUIRE_MESSAGE(imported.ok(), imported.status().message());
    // ReduceMean's axes become an attribute in between, and the importer makes new constants of them.
    if (a.name != std::string("xnor-resnet-18")) CHECK(DumpGraph(*imported) == DumpGraph(*built));

    const formats::Dims& dims = built->FindValue(built->inputs[0])->dims;
    WeightGenerator random(1, "image");
    std::vector<float> pixels(static_cast<size_t>(formats::CountElements(dims)));
    for (float& p : pixels) p = static_cast<float>(random.Normal());
    const std::map<std::string, formats::Tensor> input = {{built->inputs[0], formats::FloatTensor(dims, pixels)}};
    const auto expected = formats::Interpret(*built, input, built->outputs);
    const auto actual = formats::Interpret(*imported, input, imported->outputs);
    REQUIRE_MESSAGE(expected.ok(), expected.status().message());
    REQUIRE_MESSAGE(actual.ok(), actual.status().message());
    CHECK(actual->at(built->outputs[0]).floats == expected->at(built->outputs[0]).floats);

    const auto model = formats::ConvertGraph(*built, {}), again = formats::ConvertGraph(*imported, {});
    REQUIRE_MESSAGE(model.ok(), model.status().message());
    REQUIRE_MESSAGE(again.ok(), again.status().message());
    const bool same_model = model->model == again->model;
    CHECK(same_model);
  }
}

}  // namespace
}  // namespace bnn::architectures
