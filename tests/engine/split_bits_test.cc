// Bits of joined maps that are made where the maps are.
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

// ReActNet's block that doubles its channels: two layers on the same bits, joined, shifted and binarized.
struct Block {
  // `floats_wanted`: a pooling reads the joined map as well.
  Block(int64_t left, int64_t right, bool floats_wanted) : b(11) {
    const int64_t both = left + right;
    const int x = b.Input("x", {6, 5, left});
    const int bits = b.Add(formats::Binarize{b.RandomFloats({left})}, {x});
    const int y = b.Add(formats::Binary{formats::BinaryKind::kAdd}, {Layer(bits, left), x});
    const int joined = b.Add(formats::Concat{2}, {y, Layer(bits, right)});
    const int shifted = b.Add(formats::Affine{b.RandomFloats({both}), b.RandomFloats({both})}, {joined});
    const int next = b.Add(formats::Binarize{b.Floats({1}, {0.25f})}, {shifted});
    b.Output(b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({8, 3, 3, both})}, {next}));
    if (floats_wanted) b.Output(b.Add(formats::MaxPool{kThree}, {joined}));
  }

  int Layer(int bits, int64_t out) {
    const int64_t in = b.tensor(bits).dims.back();
    return b.Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b.RandomBits({out, 3, 3, in})}, {bits});
  }

  ModelBuilder b;
};

TEST_CASE("each layer packs its part of the joined bits") {
  for (const int64_t right : {32, 20}) {  // the last part may end within a word
    for (const bool floats_wanted : {false, true}) {
      for (const int threads : {1, 2}) {
        CAPTURE(right);
        CAPTURE(floats_wanted);
        Block block(64, right, floats_wanted);
        const Ran ran = CheckAgainstReference(&block.b, {6, 5, 64}, 2, threads);
        CHECK(Count(ran.kernels, "bitpack") == 1);  // of the input
        CHECK(Count(ran.ops, "concat") == 0);
        CHECK(Count(ran.ops, "binarize") == 3);
      }
    }
  }
}

TEST_CASE("parts that begin within a word are packed behind the concatenation") {
  Block block(40, 24, true);
  const Ran ran = CheckAgainstReference(&block.b, {6, 5, 40}, 1, 1);
  CHECK(Count(ran.kernels, "bitpack") == 2);
}

TEST_CASE("a map that is joined twice, or packed already, stays as it is") {
  Block block(32, 32, false);
  ModelBuilder& b = block.b;
  const int bits = b.Add(formats::Binarize{b.RandomFloats({32})}, {0});
  const int y = block.Layer(bits, 32), z = block.Layer(bits, 32);
  const int twice = b.Add(formats::Binarize{b.RandomFloats({64})}, {b.Add(formats::Concat{2}, {y, y})});
  const int own = b.Add(formats::Binarize{b.RandomFloats({32})}, {z});
  const int again = b.Add(formats::Binarize{b.RandomFloats({64})}, {b.Add(formats::Concat{2}, {z, z})});
  for (const int read : {twice, own, again}) b.Output(block.Layer(read, 4));
  CHECK(Count(CheckAgainstReference(&b, {6, 5, 32}, 1, 1).ops, "concat") == 2);
}

}  // namespace
}  // namespace bnn
