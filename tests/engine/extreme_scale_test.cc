// Kernels double the scale of an affine step that follows a binary layer (kernels/epilogue.h). A scale that cannot be
// doubled must not become infinite on the way: 0 times it is still 0.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"
#include "formats/writer.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/model_reference.h"

namespace bnn {
namespace {

using formats::ModelBuilder;

TEST_CASE("scales that cannot be doubled") {
  constexpr float kMax = std::numeric_limits<float>::max();
  for (const float scale : {kMax, -kMax, kMax / 2, std::nextafter(kMax / 2, kMax), 1e-45f}) {
    CAPTURE(scale);
    ModelBuilder b(1);
    const int bits = b.Add(formats::Binarize{b.Floats({1}, {0})}, {b.Input("x", {2})});
    const int dense = b.Add(formats::BDense{b.RandomBits({40, 2})}, {bits});
    b.Output(b.Add(formats::Affine{b.Floats({1}, {scale}), b.Floats({1}, {7})}, {dense}));
    const std::vector<float> x = {1, -1};
    const std::vector<std::vector<float>> expected = formats::ReferenceOutputs(b.model(), {x});

    const Result<std::string> bytes = formats::SerializeModel(b.model());
    REQUIRE(bytes.ok());
    auto model = Model::LoadMemory(std::as_bytes(std::span(*bytes)), {});
    REQUIRE_MESSAGE(model.ok(), model.status().message());
    auto session = Session::Create(*model);
    REQUIRE(session.ok());
    std::vector<float> output(expected[0].size());
    REQUIRE(session->Run(x, output).ok());
    CHECK(output == expected[0]);
  }
}

}  // namespace
}  // namespace bnn
