#include "engine/compile/fuse.h"

#include <doctest/doctest.h>

#include "formats/validate.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/square_window.h"

namespace bnn::engine {
namespace {

using formats::kNone;
using formats::ModelBuilder;

formats::BConv2d Conv3x3(int weights) {
  formats::BConv2d conv;
  conv.window = test::Square(3, 1, 1);
  conv.weights = weights;
  return conv;
}

int Weights(ModelBuilder* b, int64_t out, int64_t in) {
  return b->Bits({out, 3, 3, in}, [](int64_t r, int64_t i) { return (r * 7 + i * 3) % 5 < 2; });
}

TEST_CASE("a residual block becomes one step a convolution, with bits and floats at once") {
  ModelBuilder b;
  const int x = b.Input({4, 4, 8});
  const int bits = b.Binarize("sign1", x);
  const int conv = b.Node("conv1", Conv3x3(Weights(&b, 8, 8)), {bits});
  const int bn = b.Affine("bn1", conv, {0.5f}, {1.f});
  const int sum = b.Node("add1", formats::Binary{}, {bn, x});
  const int next = b.Binarize("sign2", sum);
  const int conv2 = b.Node("conv2", Conv3x3(Weights(&b, 8, 8)), {next});
  const int sum2 = b.Node("add2", formats::Binary{}, {conv2, sum});
  b.Output(sum2);
  REQUIRE(formats::Validate(b.model(), "test").ok());
  const Fusion fusion = FuseNodes(b.model());
  REQUIRE(fusion.groups.size() == 3);
  CHECK(fusion.groups[0].branch == std::vector<int>{0});  // sign1 alone: x is a caller's tensor
  const Group& first = fusion.groups[1];
  CHECK(first.source_node == 1);
  CHECK(first.chain == std::vector<int>{2, 3});
  CHECK(first.float_output == sum);  // add2 reads it
  CHECK(first.bits_output == next);
  CHECK(first.position == 3);
  const Group& second = fusion.groups[2];
  CHECK(second.chain == std::vector<int>{6});
  CHECK(second.float_output == sum2);
  CHECK(second.bits_output == kNone);
}

TEST_CASE("a step waits for a residual that is made after its source") {
  ModelBuilder b;
  const int x = b.Input({4, 4, 8});
  const int bits = b.Binarize("sign", x);
  const int left = b.Node("left", Conv3x3(Weights(&b, 8, 8)), {bits});
  const int right = b.Node("right", Conv3x3(Weights(&b, 8, 8)), {bits});
  b.Output(b.Node("add", formats::Binary{}, {left, right}));
  const Fusion fusion = FuseNodes(b.model());
  REQUIRE(fusion.groups.size() == 3);
  CHECK(fusion.groups[1].chain == std::vector<int>{3});
  CHECK(fusion.groups[1].position == 3);
  CHECK(fusion.groups[2].chain.empty());
  CHECK(fusion.groups[2].position == 2);
  CHECK(ResidualOf(b.model().nodes[3], left) == right);
}

TEST_CASE("values that are outputs or have several readers are not swallowed") {
  ModelBuilder b;
  const int x = b.Input({6});
  const int scaled = b.Affine("scale", x, {2.f}, {0.f});
  const int clamped = b.Node("clamp", formats::Clamp{0, 1}, {scaled});
  b.Output(scaled);
  b.Output(clamped);
  const Fusion fusion = FuseNodes(b.model());
  REQUIRE(fusion.groups.size() == 2);
  CHECK(fusion.groups[0].float_output == scaled);
  CHECK(fusion.groups[1].float_output == clamped);
}

TEST_CASE("only one binarization joins a step; x + x and broadcast additions do not") {
  ModelBuilder b;
  const int x = b.Input({4, 4, 8});
  const int y = b.Input({1, 1, 8});
  const int twice = b.Node("twice", formats::Binary{}, {x, x});
  const int broad = b.Node("broad", formats::Binary{}, {twice, y});
  const int scaled = b.Affine("scale", broad, {2.f}, {0.f});
  const int p = b.Binarize("p", scaled, {0.f});
  const int q = b.Binarize("q", scaled, {1.f});
  b.Output(b.Node("cp", Conv3x3(Weights(&b, 8, 8)), {p}));
  b.Output(b.Node("cq", Conv3x3(Weights(&b, 8, 8)), {q}));
  const Fusion fusion = FuseNodes(b.model());
  CHECK(fusion.group_of[0] == kNone);
  CHECK(fusion.group_of[1] == kNone);
  const Group& group = fusion.groups[static_cast<size_t>(fusion.group_of[2])];
  CHECK(group.bits_output == p);
  CHECK(group.float_output == scaled);  // q still reads it
  CHECK(fusion.group_of[4] != fusion.group_of[2]);
}

TEST_CASE("a shift before the bits becomes thresholds, although a residual reads the unshifted floats") {
  ModelBuilder b;
  const int x = b.Input({4, 4, 8});
  const int bits = b.Binarize("sign1", x);
  const int conv = b.Node("conv1", Conv3x3(Weights(&b, 8, 8)), {bits});
  const int sum = b.Node("add1", formats::Binary{}, {conv, x});
  const int shifted = b.Affine("shift", sum, {1.f}, {0.5f});
  const int next = b.Binarize("sign2", shifted);
  const int conv2 = b.Node("conv2", Conv3x3(Weights(&b, 8, 8)), {next});
  b.Output(b.Node("add2", formats::Binary{}, {conv2, sum}));
  REQUIRE(formats::Validate(b.model(), "test").ok());
  const Fusion fusion = FuseNodes(b.model());
  REQUIRE(fusion.groups.size() == 3);
  const Group& first = fusion.groups[1];
  CHECK(first.chain == std::vector<int>{2});
  CHECK(first.branch == std::vector<int>{3, 4});
  CHECK(first.thresholds[0] == std::vector<float>{-0.5f});
  CHECK(first.float_output == sum);
  CHECK(first.bits_output == next);
}

TEST_CASE("a falling node before the bits becomes thresholds of the negated value") {
  ModelBuilder b;
  const int bits = b.Binarize("sign", b.Affine("scale", b.Input({4, 4, 8}), {-1.f}, {0.5f}));
  b.Output(b.Node("conv", Conv3x3(Weights(&b, 8, 8)), {bits}));
  const Fusion fusion = FuseNodes(b.model());
  const Group& group = fusion.groups[0];
  CHECK(group.chain.empty());
  CHECK(group.branch == std::vector<int>{0, 1});
  CHECK(group.thresholds[0] == std::vector<float>{-0.5f});
  CHECK(group.signs == std::vector<float>{-1});
}

TEST_CASE("a constant or shared node before the bits is not moved") {
  for (const bool shared : {false, true}) {
    ModelBuilder b;
    const int x = b.Input({4, 4, 8});
    const int scaled = b.Affine("scale", x, {shared ? 1.f : 0.f}, {0.5f});
    const int bits = b.Binarize("sign", scaled);
    if (shared) b.Output(b.Node("clamp", formats::Clamp{0, 1}, {scaled}));
    b.Output(b.Node("conv", Conv3x3(Weights(&b, 8, 8)), {bits}));
    const Fusion fusion = FuseNodes(b.model());
    const Group& group = fusion.groups[0];
    CHECK(group.chain == std::vector<int>{0});
    CHECK(group.branch == std::vector<int>{1});
    CHECK(group.thresholds[0] == std::vector<float>{0.f});
  }
}

TEST_CASE("a float convolution takes one clamp, or a PReLU of one slope, unless the bits behind it take that") {
  const auto fuse = [](const formats::Op& after, bool binarize) {
    ModelBuilder b;
    const int slope = b.Floats({1}, {0.5f});
    b.Floats({8}, std::vector<float>(8, 0.5f));
    formats::Op op = after;
    if (auto* prelu = std::get_if<formats::PRelu>(&op)) prelu->slope += slope;
    formats::Conv2d conv;
    conv.weights = b.Floats({8, 1, 1, 4}, std::vector<float>(32, 0.5f));
    const int y = b.Node("after", op, {b.Node("conv", conv, {b.Input({4, 4, 4})})});
    b.Output(binarize ? b.Node("conv2", Conv3x3(Weights(&b, 8, 8)), {b.Binarize("sign", y)}) : y);
    return FuseNodes(b.model());
  };
  for (const formats::Op& op : {formats::Op(formats::Clamp{0, 1}), formats::Op(formats::PRelu{0})}) {
    const Fusion fusion = fuse(op, false);
    REQUIRE(fusion.groups.size() == 1);
    CHECK(fusion.groups[0].source_node == 0);
    CHECK(fusion.groups[0].chain == std::vector<int>{1});
  }
  for (const formats::Op& op : {formats::Op(formats::Clamp{1, 0}), formats::Op(formats::PRelu{1})}) {
    CHECK(fuse(op, false).group_of[0] == kNone);
  }
  CHECK(fuse(formats::Clamp{-1, 1}, true).group_of[0] == kNone);
}

}  // namespace
}  // namespace bnn::engine
