// The rules of elements of several bits and of integers.
#include <doctest/doctest.h>

#include <string>

#include "formats/text.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/validate_check.h"

namespace bnn::formats {
namespace {

// The first Binarize or Unpack of several bits.
template <typename T>
NodeDef& NodeOfSeveralBits(ModelDef& model) {
  for (NodeDef& node : model.nodes) {
    if (const T* op = std::get_if<T>(&node.op); op != nullptr && op->bits > 1) return node;
  }
  FAIL("no such node");
  return model.nodes.front();
}

TEST_CASE("bits of several values, since version 1.4") {
  const auto binarize = [](ModelDef& m) -> Binarize& { return std::get<Binarize>(NodeOfSeveralBits<Binarize>(m).op); };
  const auto unpack = [](ModelDef& m) -> Unpack& { return std::get<Unpack>(NodeOfSeveralBits<Unpack>(m).op); };
  CheckAll({
      {"bits: found 0, expected 1 to 4", [&](ModelDef& m) { binarize(m).bits = 0; }},
      {"bits: found 5, expected 1 to 4", [&](ModelDef& m) { unpack(m).bits = 5; }},
      {"inputs[0]: found bits2, expected bits3", [&](ModelDef& m) { unpack(m).bits = 3; }},
      {"output: found bits2 [8,8,6], expected bits", [&](ModelDef& m) { binarize(m).bits = 1; }},
      {"low: found blob 0, expected none for 2 bits", [&](ModelDef& m) { unpack(m).low = 0; }},
      {"values: found blob none", [&](ModelDef& m) { unpack(m).values = kNone; }},
      {"of the level before", [&](ModelDef& m) { SetFloat(m, binarize(m).thresholds, 1e9f); }},
      {"thresholds: found nan", [&](ModelDef& m) { SetFloat(m, binarize(m).thresholds, kNan); }},
      {"values: found inf", [&](ModelDef& m) { SetFloat(m, unpack(m).values, kInfinity); }},
      {"found bits2, expected a type of constants",
       [&](ModelDef& m) { m.blobs[static_cast<size_t>(OpOf<BConv2d>(m).weights)].type = ElementType::kBits2; }},
      {"bits3 (6) or bits4 (7)", [&](ModelDef& m) { m.tensors[0].type = static_cast<ElementType>(8); }},
  });
}

TEST_CASE("int8: types, quantizations and constants") {
  CheckAll({
      {"(Quantize), type: found value 1, expected int8 (3) or uint8 (4)",
       [](ModelDef& m) {
         OpOf<Quantize>(m).type = ElementType::kFloat32;
         OutputOf(m, NodeOf<Quantize>(m)).type = ElementType::kFloat32;
       }},
      {"(Quantize), output: found uint8 [8,8,6], expected int8",
       [](ModelDef& m) { OpOf<Quantize>(m).type = ElementType::kInt8; }},
      {"(Quantize), to.zero_point: found 256, expected 0 to 255 of uint8",
       [](ModelDef& m) { OpOf<Quantize>(m).to.zero_point = 256; }},
      {"(Quantize), to.scale: found 0", [](ModelDef& m) { OpOf<Quantize>(m).to.scale = 0; }},
      {"(Quantize), to.scale: found inf", [](ModelDef& m) { OpOf<Quantize>(m).to.scale = kInfinity; }},
      {"(Quantize), to.scale: found nan", [](ModelDef& m) { OpOf<Quantize>(m).to.scale = kNan; }},
      {"(Dequantize), from.scale: found -1", [](ModelDef& m) { OpOf<Dequantize>(m).from.scale = -1; }},
      {"(Dequantize), from.zero_point: found 128, expected -128 to 127 of int8",
       [](ModelDef& m) { OpOf<Dequantize>(m).from.zero_point = 128; }},
      {"(Dequantize), inputs[0]: found float32, expected int8 or uint8",
       [](ModelDef& m) { NodeOf<Dequantize>(m).inputs[0] = 0; }},
      {"(QConv2d), inputs[0]: found float32, expected int8 or uint8",
       [](ModelDef& m) { NodeOf<QConv2d>(m).inputs[0] = 1; }},
      {"(QConv2d), input.zero_point: found -1, expected 0 to 255 of uint8",
       [](ModelDef& m) { OpOf<QConv2d>(m).input.zero_point = -1; }},
      {"(QConv2d), input.scale: found 0", [](ModelDef& m) { OpOf<QConv2d>(m).input.scale = 0; }},
      {"(QConv2d), weights: found float32", [](ModelDef& m) { OpOf<QConv2d>(m).weights = 0; }},
      {"(QConv2d), groups: found 4", [](ModelDef& m) { OpOf<QConv2d>(m).groups = 4; }},
      {"(QConv2d), window.kernel_h: found 0", [](ModelDef& m) { OpOf<QConv2d>(m).window.kernel_h = 0; }},
      {"(QConv2d), weight_scales: found blob none", [](ModelDef& m) { OpOf<QConv2d>(m).weight_scales = kNone; }},
      {"(QConv2d), weight_scales: found inf",
       [](ModelDef& m) { SetFloat(m, OpOf<QConv2d>(m).weight_scales, kInfinity); }},
      {"(QConv2d), bias: found nan", [](ModelDef& m) { SetFloat(m, OpOf<QConv2d>(m).bias, kNan); }},
      {"(QConv2d), bias: found dims [1], expected [12]",
       [](ModelDef& m) { OpOf<QConv2d>(m).bias = OpOf<QConv2d>(m).weight_scales; }},
      {"(QDense), weights: found dims [12,2,2,1]",
       [](ModelDef& m) { OpOf<QDense>(m).weights = OpOf<QConv2d>(m).weights; }},
      {"(QDense), weight_scales: found dims [12], expected [1] or [6]",
       [](ModelDef& m) { OpOf<QDense>(m).weight_scales = OpOf<QConv2d>(m).bias; }},
      {"(QDense), bias: found dims [12], expected [6]",
       [](ModelDef& m) { OpOf<QDense>(m).bias = OpOf<QConv2d>(m).bias; }},
      {"(QDense), inputs[0]: found bits, expected int8 or uint8",
       [](ModelDef& m) { NodeOf<QDense>(m).inputs[0] = NodeOf<Binarize>(m).output; }},
  });
}

TEST_CASE("int8: the terms of a sum are limited, so that 32 bits hold it") {
  for (const int64_t terms : {kMaxInt8Terms, kMaxInt8Terms + 1}) {
    ModelBuilder b(1);
    int x = b.Input("x", {terms});
    x = b.Add(Quantize{}, {x});
    x = b.Add(QDense{{}, b.RandomInt8({1, terms}), b.Floats({1}, {1}), kNone}, {x});
    CHECK((x != kNone) == (terms == kMaxInt8Terms));
  }
}

TEST_CASE("bits and integers are reshaped, but not otherwise moved") {
  for (const ElementType in : {ElementType::kBits, ElementType::kInt8, ElementType::kUInt8}) {
    const auto type = [in](const Op& op) { return OutputType(op, {in}); };
    CHECK(*type(Reshape{}) == in);
    for (const Op& op : {Op(Concat{}), Op(Slice{}), Op(Pad{}), Op(Transpose{}), Op(Softmax{})}) {
      CAPTURE(OpName(op));
      REQUIRE_FALSE(type(op).ok());
      CHECK(type(op).status().message() == std::string("inputs[0]: found ") + TypeName(in) + ", expected float32");
    }
  }
}

}  // namespace
}  // namespace bnn::formats
