// The three networks of ../shared/data: their first sample's raw outputs, as imported, after the passes and in a batch.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "formats/importers/importer.h"
#include "formats/interpreter.h"
#include "formats/passes/passes.h"
#include "tests/test_support.h"

namespace bnn::formats {
namespace {

// The first sample of an idx.gz file of images: p / 255 in [1,1,h,w].
Tensor FirstIdxImage(const std::string& path) {
  std::vector<unsigned char> bytes(16 + 28 * 28);
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  REQUIRE(gzread(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size()));
  gzclose(file);
  Tensor image = FloatTensor({1, 1, 28, 28}, {});
  for (size_t i = 16; i < bytes.size(); ++i) image.floats.push_back(static_cast<float>(bytes[i]) / 255.0F);
  return image;
}

// The first sample of a .npy file of uint8 [n,32,32,3]: NCHW, not scaled.
Tensor FirstNpyImage(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  REQUIRE(bytes.size() > 10);
  const size_t header = 10 + static_cast<unsigned char>(bytes[8]) + 256 * static_cast<size_t>(bytes[9] & 0xff);
  REQUIRE(bytes.size() >= header + 32 * 32 * 3);
  Tensor image = FloatTensor({1, 3, 32, 32}, {});
  for (size_t c = 0; c < 3; ++c) {
    for (size_t p = 0; p < 32 * 32; ++p) {
      image.floats.push_back(static_cast<float>(static_cast<unsigned char>(bytes[header + p * 3 + c])));
    }
  }
  return image;
}

// Every row of the output equals the expected one.
void CheckLogits(const SourceGraph& graph, const Tensor& input, const nlohmann::json& expected) {
  const auto results = Interpret(graph, {{graph.inputs.at(0), input}}, graph.outputs);
  REQUIRE_MESSAGE(results.ok(), results.status().message());
  const Tensor& logits = results->at(expected["output_name"].get<std::string>());
  const auto row = expected["logits0"].get<std::vector<double>>();
  REQUIRE(DimsToString(logits.dims) == DimsToString({input.dims[0], static_cast<int64_t>(row.size())}));
  for (size_t i = 0; i < logits.floats.size(); ++i) {
    CHECK(std::fabs(static_cast<double>(logits.floats[i]) - row[i % row.size()]) <=
          expected["tolerance_abs"].get<double>());
  }
}

Tensor Twice(Tensor image) {
  image.dims[0] = 2;
  const std::vector<float> once = image.floats;
  image.floats.insert(image.floats.end(), once.begin(), once.end());
  return image;
}

TEST_CASE("the acceptance networks, interpreted, give the expected outputs") {
  const std::string folder = test::AcceptanceDataDir();
  if (folder.empty()) {
    test::Skip("../shared/data is absent: the acceptance networks were not interpreted");
    return;
  }
  const auto document = nlohmann::json::parse(std::ifstream(folder + "/expected.json"));
  int interpreted = 0;
  for (const auto& [name, expected] : document["models"].items()) {
    CAPTURE(name);
    const std::string images = folder + "/" + expected["input"]["file"].get<std::string>();
    const Tensor input = images.ends_with(".npy") ? FirstNpyImage(images) : FirstIdxImage(images);
    auto imported = ImportFile(folder + "/" + expected["file"].get<std::string>(), {});
    REQUIRE_MESSAGE(imported.ok(), imported.status().message());
    SourceGraph graph = *std::move(imported);
    CheckLogits(graph, input, expected);
    REQUIRE(FoldConstants(&graph).ok());
    REQUIRE(RemoveDeadNodes(&graph).ok());
    REQUIRE(ValidateSourceGraph(graph).ok());
    CheckLogits(graph, input, expected);
    CHECK(graph.batch_is_symbolic == expected["input_shape"][0].is_string());
    if (graph.batch_is_symbolic) CheckLogits(graph, Twice(input), expected);
    for (const SourceNode& node : graph.nodes) {
      const bool is_shape_arithmetic = node.op == "Shape" || node.op == "Gather" || node.op == "Unsqueeze";
      CHECK(!is_shape_arithmetic);
    }
    ++interpreted;
  }
  CHECK(interpreted == 3);
}

}  // namespace
}  // namespace bnn::formats
