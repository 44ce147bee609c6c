// Bits that are reshaped and then read in another layout: the reader's copy must not share the memory of the original.
#include <doctest/doctest.h>

#include <vector>

#include "tests/engine/run_model.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/model_reference.h"

namespace bnn {
namespace {

using formats::ModelBuilder;

TEST_CASE("a grouped, padded convolution behind a reshape of bits") {
  for (const std::vector<int64_t>& reshaped : {std::vector<int64_t>{3, 4, 6}, {1, 12, 6}, {6, 2, 6}}) {
    CAPTURE(reshaped[0]);
    ModelBuilder b(1);
    const int bits = b.Add(formats::Binarize{b.RandomFloats({6})}, {b.Input("x", {3, 4, 6})});
    const int moved = b.AddReshape(bits, reshaped);
    const formats::Window2d window = {.kernel_h = 2, .kernel_w = 2, .pad_top = 2, .pad_left = 1, .pad_right = 2};
    b.Output(b.Add(formats::BConv2d{window, 2, formats::PadValue::kOne, b.RandomBits({10, 2, 2, 3})}, {moved}));
    b.Output(b.Add(formats::Unpack{b.Floats({1}, {-1}), b.Floats({1}, {1})}, {moved}));  // still reads the original
    std::vector<float> x(3 * 4 * 6);
    for (float& value : x) value = static_cast<float>(b.random().Int(-40, 40)) / 8;
    const std::vector<std::vector<float>> expected = formats::ReferenceOutputs(b.model(), {x});

    CHECK(test::RunModel(test::LoadDef(b.model()), {x}) == expected);
  }
}

}  // namespace
}  // namespace bnn
