// Float maps that go from step to step in strips.
#include <doctest/doctest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/engine/reference_run.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/square_window.h"
#include "tests/test_support.h"

namespace bnn {
namespace {

using formats::ModelBuilder;
using test::CheckAgainstReference;
using test::Count;
using test::Ran;

const formats::Window2d kThree = test::Square(3, 1, 1);

// Enough work for several strips (kPartMacs).
int FloatConvolution(ModelBuilder* b, int x, int64_t out) {
  const int64_t in = b->tensor(x).dims.back();
  return b->Add(formats::Conv2d{kThree, 1, b->RandomFloats({out, 3, 3, in}), b->RandomFloats({out})}, {x});
}

// Bits that a convolution reads with a border of ones, and without.
void ReadBits(ModelBuilder* b, int bits) {
  const int64_t in = b->tensor(bits).dims.back();
  b->Output(b->Add(formats::BConv2d{kThree, 1, formats::PadValue::kOne, b->RandomBits({4, 3, 3, in})}, {bits}));
  b->Output(b->Add(formats::Unpack{b->Floats({1}, {-1}), b->Floats({1}, {1})}, {bits}));
}

TEST_CASE("a convolution packs its bits itself, strip by strip, and its floats are never stored") {
  for (const int64_t channels : {32, 20}) {
    for (const int threads : {1, 3}) {
      for (const int64_t batch : {1, 3}) {
        CAPTURE(channels);
        CAPTURE(threads);
        CAPTURE(batch);
        ModelBuilder b(1);
        const int y = FloatConvolution(&b, b.Input("x", {50, 45, 8}), channels);
        ReadBits(&b, b.Add(formats::Binarize{b.RandomFloats({channels})}, {y}));
        const Ran ran = CheckAgainstReference(&b, {50, 45, 8}, batch, threads);
        CHECK(ran.ops[0] == "conv2d+binarize");
        CHECK(ran.reasons[0].find("strip by strip") != std::string::npos);
        CHECK(Count(ran.ops, "binarize") == 1);
        if (threads == 1) CHECK(ran.session_bytes < batch * 50 * 45 * channels * 4);  // less than the map
      }
    }
  }
}

TEST_CASE("steps before the bits that are not increasing run on the strip, too") {
  ModelBuilder b(2);
  const int y = FloatConvolution(&b, b.Input("x", {40, 40, 8}), 32);
  const int bent = b.Add(formats::PRelu{b.Floats({1}, {-0.5f})}, {y});
  ReadBits(&b, b.Add(formats::Binarize{b.RandomFloats({32})}, {bent}));
  const Ran ran = CheckAgainstReference(&b, {40, 40, 8}, 1, 2);
  CHECK(Count(ran.ops, "binarize") == 1);
  CHECK(ran.ops[0].find("conv2d") == 0);
}

TEST_CASE("a map that others read as well is stored, and packed on the way") {
  ModelBuilder b(3);
  const int y = FloatConvolution(&b, b.Input("x", {40, 40, 8}), 32);
  ReadBits(&b, b.Add(formats::Binarize{b.RandomFloats({32})}, {y}));
  ReadBits(&b, b.Add(formats::Binarize{b.RandomFloats({32})}, {y}));
  b.Output(b.AddReshape(y, {40 * 40 * 32}));
  b.Output(b.Add(formats::MaxPool{kThree}, {y}));
  const Ran ran = CheckAgainstReference(&b, {40, 40, 8}, 2, 2);
  CHECK(ran.ops[0] == "conv2d+binarize+binarize");
  CHECK(Count(ran.ops, "binarize") == 1);
}

TEST_CASE("an output of the model is stored, and packed on the way") {
  ModelBuilder b(4);
  const int y = FloatConvolution(&b, b.Input("x", {40, 40, 8}), 32);
  b.Output(y);
  ReadBits(&b, b.Add(formats::Binarize{b.RandomFloats({32})}, {y}));
  CHECK(CheckAgainstReference(&b, {40, 40, 8}, 1, 2).ops[0] == "conv2d+binarize");
}

TEST_CASE("pooled floats are packed by the pooling") {
  ModelBuilder b(5);
  const formats::Window2d two = test::Square(2, 2);
  const int pooled = b.Add(formats::MaxPool{two}, {b.Input("x", {90, 90, 40})});
  b.Output(pooled);
  ReadBits(&b, b.Add(formats::Binarize{b.RandomFloats({40})}, {pooled}));
  const Ran ran = CheckAgainstReference(&b, {90, 90, 40}, 1, 2);
  if (Count(ran.reasons, "SSE4.1 pooling") == 0) CHECK(ran.ops[0] == "maxpool+binarize");
}

// An int8 convolution of an image, pooled and packed: the beginning of a residual network.
ModelBuilder Stem(std::vector<int64_t> dims, const formats::Window2d& pool, bool floats_wanted, bool pooled) {
  ModelBuilder b(6);
  const formats::Window2d seven = test::Square(7, 2, 3);
  const int bytes = b.Add(formats::Quantize{formats::ElementType::kUInt8, {0.5f, 7}}, {b.Input("x", std::move(dims))});
  const int scales = b.Floats({64}, std::vector<float>(64, 0.25f));
  int y =
      b.Add(formats::QConv2d{seven, 1, {0.5f, 7}, b.RandomInt8({64, 7, 7, 3}), scales, b.RandomFloats({64})}, {bytes});
  if (pooled) y = b.Add(formats::MaxPool{pool}, {y});
  if (floats_wanted) b.Output(y);
  ReadBits(&b, b.Add(formats::Binarize{b.RandomFloats({64})}, {y}));
  return b;
}

TEST_CASE("an int8 stem makes the rows that its pooling wants, and the pooling packs") {
  const formats::Window2d overlapping = test::Square(3, 2, 1);
  const formats::Window2d apart = test::Square(2, 2);
  struct Case {
    std::vector<int64_t> dims;
    int64_t batch;
    int threads;
  };
  // Strips of one image, of two on two threads, and strips of several images.
  for (const Case& c : {Case{{301, 180, 3}, 1, 1}, Case{{301, 180, 3}, 2, 2}, Case{{61, 34, 3}, 17, 1}}) {
    for (const formats::Window2d& pool : {overlapping, apart}) {
      for (const bool floats_wanted : {false, true}) {
        CAPTURE(c.batch);
        CAPTURE(floats_wanted);
        ModelBuilder b = Stem(c.dims, pool, floats_wanted, true);
        const Ran ran = CheckAgainstReference(&b, c.dims, c.batch, c.threads);
        // Without oneDNN the pooling reads whole maps.
        if (BNN_HAS_ONEDNN && Count(ran.kernels, "stem8_avx512vnni") == 1) {
          CHECK(ran.ops[1] == "qconv2d+maxpool+binarize");
        }
      }
    }
  }
}

TEST_CASE("an int8 stem packs its own rows") {
  for (const bool floats_wanted : {false, true}) {
    for (const int threads : {1, 2}) {
      ModelBuilder b = Stem({151, 90, 3}, {}, floats_wanted, false);
      const Ran ran = CheckAgainstReference(&b, {151, 90, 3}, 2, threads);
      if (Count(ran.kernels, "stem8_avx512vnni") == 1) CHECK(ran.ops[1] == "qconv2d+binarize");
    }
  }
}

}  // namespace
}  // namespace bnn
