// Concatenations whose operands are written where they will lie.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "tests/engine/reference_run.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/square_window.h"

namespace bnn {
namespace {

using formats::ModelBuilder;

using test::CheckAgainstReference;
using test::Count;
using test::Ran;

const formats::Window2d kThree = test::Square(3, 1, 1);

// A binary 3x3 convolution with a batch-norm before its sign: what a dense block repeats.
int DenseLayer(ModelBuilder* b, int x, int64_t in, int64_t out) {
  const int scaled = b->Add(formats::Affine{b->RandomFloats({in}), b->RandomFloats({in})}, {x});
  const int bits = b->Add(formats::Binarize{b->Floats({1}, {0})}, {scaled});
  return b->Add(formats::BConv2d{kThree, 1, formats::PadValue::kZero, b->RandomBits({out, 3, 3, in})}, {bits});
}

TEST_CASE("a dense block grows in one map: each layer writes its channels there, and nothing is copied but the input") {
  for (const int64_t growth : {32, 5}) {
    for (const int threads : {1, 2}) {
      CAPTURE(growth);
      CAPTURE(threads);
      ModelBuilder b(3);
      int x = b.Input("x", {5, 6, 16});
      int64_t channels = 16;
      for (int layer = 0; layer < 3; ++layer) {
        const int y = DenseLayer(&b, x, channels, growth);
        x = b.Add(formats::Concat{2}, {x, y});
        channels += growth;
      }
      b.Output(b.Add(formats::Clamp{-100, 100}, {x}));
      const Ran ran = CheckAgainstReference(&b, {5, 6, 16}, 2, threads);
      CHECK(Count(ran.ops, "concat") == 1);
      CHECK(Count(ran.reasons, "within '") == 4);  // the three layers, and the concatenation that brings the input
    }
  }
}

TEST_CASE("two halves that nobody else reads need no concatenation") {
  ModelBuilder b(4);
  const int bits = b.Add(formats::Binarize{b.RandomFloats({8})}, {b.Input("x", {4, 4, 8})});
  const formats::BConv2d left{kThree, 1, formats::PadValue::kOne, b.RandomBits({24, 3, 3, 8})};
  const formats::BConv2d right{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})};
  const int both = b.Add(formats::Concat{2}, {b.Add(left, {bits}), b.Add(right, {bits})});
  b.Output(b.Add(formats::PRelu{b.RandomFloats({32})}, {both}));
  const Ran ran = CheckAgainstReference(&b, {4, 4, 8}, 1, 1);
  CHECK(Count(ran.ops, "concat") == 0);
}

TEST_CASE("operands stay where they are when a step cannot take them apart, or they occur twice") {
  ModelBuilder b(5);
  const int bits = b.Add(formats::Binarize{b.RandomFloats({8})}, {b.Input("x", {4, 4, 8})});
  const int y = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})}, {bits});
  const formats::Window2d two = test::Square(2);
  b.Output(b.Add(formats::Concat{2}, {y, y}));
  const int z = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})}, {bits});
  b.Output(b.Add(formats::MaxPool{two}, {z}));  // oneDNN reads dense maps
  b.Output(b.Add(formats::Concat{2}, {z, y}));
  b.Output(b.Add(formats::Concat{0}, {z, y}));
  const Ran ran = CheckAgainstReference(&b, {4, 4, 8}, 1, 1);
  CHECK(Count(ran.ops, "concat") == 3);
  CHECK(Count(ran.reasons, "within '") == 0);
}

TEST_CASE("a residual within a wider map, and a sum that would overwrite it") {
  ModelBuilder b(6);
  const int x = b.Input("x", {4, 4, 8});
  const int bits = b.Add(formats::Binarize{b.RandomFloats({8})}, {x});
  const int y = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})}, {bits});
  const int again = b.Add(formats::Binarize{b.RandomFloats({8})}, {y});
  const int z = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, 8})}, {again});
  const int sum = b.Add(formats::Binary{formats::BinaryKind::kAdd}, {z, y});  // y lives on in the concatenation
  b.Output(b.Add(formats::Concat{2}, {sum, y}));
  const Ran ran = CheckAgainstReference(&b, {4, 4, 8}, 3, 2);
  CHECK(Count(ran.ops, "concat") == 0);
  CHECK(Count(ran.reasons, "in place") == 0);
}

// A block of MeliusNet: new channels, which a second layer then improves. `late`: the old map has a reader afterwards.
int MeliusBlock(ModelBuilder* b, int x, int64_t in, int64_t growth, bool late) {
  const int wide = b->Add(formats::Concat{2}, {x, DenseLayer(b, x, in, growth)});
  const int better = DenseLayer(b, wide, in + growth, growth);
  const std::vector<int64_t> dims = b->tensor(wide).dims;
  const int old = b->Add(formats::Slice{{0, 0, 0}, {dims[0], dims[1], in}, {1, 1, 1}}, {wide});
  const int newest = b->Add(formats::Slice{{0, 0, in}, dims, {1, 1, 1}}, {wide});
  const int sum = b->Add(formats::Binary{formats::BinaryKind::kAdd}, {better, newest});
  const int joined = b->Add(formats::Concat{2}, {old, sum});
  if (late) b->Output(DenseLayer(b, wide, in + growth, 4));
  return joined;
}

TEST_CASE("channels of a map that are replaced are written in their place") {
  for (const int threads : {1, 2}) {
    ModelBuilder b(7);
    int x = b.Input("x", {5, 6, 32});
    for (int64_t channels = 32; channels < 80; channels += 16) x = MeliusBlock(&b, x, channels, 16, false);
    b.Output(b.Add(formats::Clamp{-100, 100}, {x}));
    const Ran ran = CheckAgainstReference(&b, {5, 6, 32}, 2, threads);
    CHECK(Count(ran.ops, "slice") == 0);
    CHECK(Count(ran.ops, "concat") == 1);  // that of the input
    CHECK(Count(ran.ops, "bconv2d+add") == 3);
    CHECK(Count(ran.reasons, "in place") == 3);
  }
}

TEST_CASE("channels are not replaced while somebody still needs the old ones") {
  ModelBuilder b(8);
  b.Output(MeliusBlock(&b, b.Input("x", {5, 6, 32}), 32, 16, true));
  const Ran ran = CheckAgainstReference(&b, {5, 6, 32}, 2, 1);
  CHECK(Count(ran.ops, "slice") == 2);
}

TEST_CASE("two slices that change places are no replacement") {
  ModelBuilder b(9);
  const int bits = b.Add(formats::Binarize{b.RandomFloats({8})}, {b.Input("x", {4, 4, 8})});
  const int y = b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({12, 3, 3, 8})}, {bits});
  const int left = b.Add(formats::Slice{{0, 0, 0}, {4, 4, 6}, {1, 1, 1}}, {y});
  const int right = b.Add(formats::Slice{{0, 0, 6}, {4, 4, 12}, {1, 1, 1}}, {y});
  b.Output(b.Add(formats::Clamp{-9, 9}, {b.Add(formats::Concat{2}, {right, left})}));
  CHECK(Count(CheckAgainstReference(&b, {4, 4, 8}, 1, 1).ops, "slice") == 2);
}

}  // namespace
}  // namespace bnn
