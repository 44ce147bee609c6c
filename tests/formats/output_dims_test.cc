// The shape rules of operators, by numbers worked out by hand.
#include <doctest/doctest.h>

#include "formats/op_rules.h"
#include "formats/validate.h"
#include "formats/window_rules.h"

namespace bnn::formats {
namespace {

using Dims = std::vector<int64_t>;

Dims DimsOf(const Op& op, const std::vector<Dims>& inputs, const std::vector<Blob>& blobs = {}) {
  const Result<Dims> dims = OutputDims(op, inputs, blobs);
  INFO(dims.status().message());
  REQUIRE(dims.ok());
  return *dims;
}

bool Fails(const Op& op, const std::vector<Dims>& inputs, const std::vector<Blob>& blobs = {}) {
  return !OutputDims(op, inputs, blobs).ok();
}

Blob Shaped(ElementType type, Dims dims) { return {type, std::move(dims), {}}; }

TEST_CASE("windows: the size of the output") {
  const auto pooled = [](int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t before, int64_t after) {
    const Window2d window = {
        .kernel_h = kernel, .stride_h = stride, .dilation_h = dilation, .pad_top = before, .pad_bottom = after};
    return DimsOf(AvgPool{window, true}, {{in, 5, 2}});
  };
  CHECK(pooled(7, 3, 1, 1, 0, 0) == Dims{5, 5, 2});
  CHECK(pooled(7, 3, 2, 1, 1, 1) == Dims{4, 5, 2});
  CHECK(pooled(8, 3, 2, 1, 0, 1) == Dims{4, 5, 2});
  CHECK(pooled(7, 3, 1, 3, 0, 0) == Dims{1, 5, 2});
  CHECK(pooled(7, 3, 5, 2, 2, 1) == Dims{2, 5, 2});
  CHECK(pooled(1, 1, 9, 9, 0, 0) == Dims{1, 5, 2});
}

// Against the definition: a window is a set of places, some of which are on the map.
TEST_CASE("windows: exactly those with a tap on the map are accepted where one is needed") {
  int accepted = 0;
  int refused = 0;
  for (int64_t in = 1; in <= 4; ++in) {
    for (int64_t kernel = 1; kernel <= 3; ++kernel) {
      for (int64_t stride = 1; stride <= 3; ++stride) {
        for (int64_t dilation = 1; dilation <= 5; ++dilation) {
          for (int64_t pads = 0; pads < 49; ++pads) {
            const Window2d window = {.kernel_w = kernel,
                                     .stride_w = stride,
                                     .dilation_w = dilation,
                                     .pad_left = pads / 7,
                                     .pad_right = pads % 7};
            const int64_t padded = in + window.pad_left + window.pad_right;
            const int64_t reach = dilation * (kernel - 1) + 1;
            bool expected = reach <= padded;
            for (int64_t start = 0; start + reach <= padded; start += stride) {
              bool has_tap = false;
              for (int64_t i = 0; i < kernel; ++i) {
                const int64_t place = start + i * dilation - window.pad_left;
                has_tap = has_tap || (place >= 0 && place < in);
              }
              expected = expected && has_tap;
            }
            CHECK(WindowOutput(window, {1, in, 1}, EveryWindow::kNeedsValidTap).ok() == expected);
            CHECK(WindowOutput(window, {1, in, 1}, EveryWindow::kMayBeAllPadding).ok() == (reach <= padded));
            (expected ? accepted : refused) += 1;
          }
        }
      }
    }
  }
  CHECK(accepted > 100);
  CHECK(refused > 100);
}

TEST_CASE("convolutions and dense layers") {
  const Window2d window = {.kernel_h = 3, .kernel_w = 2};
  const std::vector<Blob> blobs = {Shaped(ElementType::kBits, {10, 3, 2, 4}), Shaped(ElementType::kFloat32, {10}),
                                   Shaped(ElementType::kFloat32, {10, 3, 2, 4}), Shaped(ElementType::kBits, {10, 7}),
                                   Shaped(ElementType::kFloat32, {10, 24})};
  CHECK(DimsOf(BConv2d{window, 2, PadValue::kOne, 0}, {{5, 6, 8}}, blobs) == Dims{3, 5, 10});
  CHECK(DimsOf(Conv2d{window, 1, 2, 1}, {{5, 6, 4}}, blobs) == Dims{3, 5, 10});
  CHECK(Fails(Conv2d{window, 1, 2, 1}, {{5, 6, 8}}, blobs));
  CHECK(Fails(Conv2d{window, 1, 2, 1}, {{5, 24}}, blobs));
  CHECK(DimsOf(BDense{3}, {{7}}, blobs) == Dims{10});
  CHECK(Fails(BDense{3}, {{1, 7}}, blobs));
  CHECK(DimsOf(Dense{4, 1}, {{2, 3, 4}}, blobs) == Dims{10});
  CHECK(DimsOf(Dense{4}, {{24}}, blobs) == Dims{10});
}

TEST_CASE("the terms of a binary sum are limited so that float32 holds it exactly") {
  for (int bits = 1; bits <= kMaxBits; ++bits) {
    const int64_t most = kMaxBinaryTerms / ((1 << bits) - 1);
    const auto fits = [&](int64_t terms) {
      const std::vector<Blob> blobs = {Shaped(ElementType::kBits, {1, terms})};
      return CheckBinarySums(BDense{0}, {BitsType(bits)}, blobs).ok();
    };
    CHECK(fits(most));
    CHECK_FALSE(fits(most + 1));
  }
}

TEST_CASE("tables of levels") {
  const std::vector<Blob> blobs = {Shaped(ElementType::kFloat32, {3, 1}), Shaped(ElementType::kFloat32, {3, 5}),
                                   Shaped(ElementType::kFloat32, {4, 1}), Shaped(ElementType::kFloat32, {4, 5}),
                                   Shaped(ElementType::kFloat32, {1}),    Shaped(ElementType::kFloat32, {5, 3})};
  const Dims in = {2, 5};
  CHECK(DimsOf(Binarize{0, 2}, {in}, blobs) == in);
  CHECK(DimsOf(Binarize{1, 2}, {in}, blobs) == in);
  CHECK(DimsOf(Unpack{kNone, kNone, 2, 2}, {in}, blobs) == in);
  CHECK(DimsOf(Unpack{kNone, kNone, 2, 3}, {in}, blobs) == in);
  CHECK(Fails(Binarize{2, 2}, {in}, blobs));
  CHECK(Fails(Binarize{0, 3}, {in}, blobs));
  CHECK(Fails(Binarize{0, 1}, {in}, blobs));
  CHECK(Fails(Binarize{4, 2}, {in}, blobs));
  CHECK(Fails(Binarize{5, 2}, {in}, blobs));
  for (const int bits : {-1, 0, 5, 64}) {
    CHECK(Fails(Binarize{0, bits}, {in}, blobs));
    CHECK(Fails(Unpack{kNone, kNone, bits, 2}, {in}, blobs));
  }
  CHECK(Fails(Unpack{4, 4, 2, 2}, {in}, blobs));
  CHECK(Fails(Unpack{kNone, kNone, 2, kNone}, {in}, blobs));
  CHECK(Fails(Unpack{4, 4, 1, 2}, {in}, blobs));
  CHECK(Fails(Unpack{kNone, kNone, 3, 2}, {in}, blobs));
}

TEST_CASE("broadcasting") {
  CHECK(DimsOf(Binary{}, {{2, 3, 4}, {2, 3, 4}}) == Dims{2, 3, 4});
  CHECK(DimsOf(Binary{}, {{2, 1, 4}, {3, 1}}) == Dims{2, 3, 4});
  CHECK(DimsOf(Binary{}, {{}, {3, 1}}) == Dims{3, 1});
  CHECK(Fails(Binary{}, {{2, 3}, {2, 2}}));
  CHECK(Fails(Binary{}, {{1, 1 << 20}, {1 << 20, 1}}));  // the result would be too large
  const std::vector<Blob> blobs = {Shaped(ElementType::kFloat32, {5, 1, 1}), Shaped(ElementType::kFloat32, {})};
  CHECK(DimsOf(Binary{BinaryKind::kMul, 0}, {{2, 3}}, blobs) == Dims{5, 2, 3});
  CHECK(DimsOf(Binary{BinaryKind::kMul, 1}, {{2, 3}}, blobs) == Dims{2, 3});
}

TEST_CASE("moving data") {
  CHECK(DimsOf(Concat{1}, {{2, 3}, {2, 1}, {2, 5}}) == Dims{2, 9});
  CHECK(Fails(Concat{1}, {{2, 3}, {3, 3}}));
  CHECK(Fails(Concat{0}, {{kMaxDim}, {1}}));
  CHECK(Fails(Concat{0}, {{}}));
  CHECK(DimsOf(Slice{{1, 0}, {6, 3}, {2, 3}}, {{6, 3}}) == Dims{3, 1});
  CHECK(Fails(Slice{{2}, {2}, {1}}, {{6}}));  // empty
  CHECK(DimsOf(Pad{{1, 0}, {2, 3}}, {{6, 3}}) == Dims{9, 6});
  CHECK(DimsOf(Pad{{5}, {5}, PadMode::kReflect}, {{6}}) == Dims{16});
  CHECK(Fails(Pad{{6}, {0}, PadMode::kReflect}, {{6}}));
  CHECK(DimsOf(Transpose{{2, 0, 1}}, {{2, 3, 4}}) == Dims{4, 2, 3});
  CHECK(OutputDims(Reshape{}, {{2}}, {}).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("the bytes of blobs") {
  CHECK(BlobBytes(ElementType::kFloat32, {}) == 4);
  CHECK(BlobBytes(ElementType::kFloat32, {2, 3}) == 24);
  CHECK(BlobBytes(ElementType::kFloat32, {1 << 14, 1 << 14}) == 1 << 30);
  CHECK(BlobBytes(ElementType::kFloat32, {1 << 14, (1 << 14) + 1}) == -1);
  CHECK(BlobBytes(ElementType::kFloat32, {INT64_MAX, INT64_MAX}) == -1);
  CHECK(BlobBytes(ElementType::kFloat32, {-1, -1}) == -1);
  CHECK(BlobBytes(ElementType::kBits, {}) == -1);
  CHECK(BlobBytes(ElementType::kBits, {3}) == 12);
  CHECK(BlobBytes(ElementType::kBits, {3, 32}) == 12);
  CHECK(BlobBytes(ElementType::kBits, {3, 3, 11}) == 24);
  CHECK(BlobBytes(ElementType::kBits, {1 << 24, 1 << 9}) == 1 << 30);
  CHECK(BlobBytes(ElementType::kBits, {(1 << 24) + 1, 1 << 9}) == -1);
  CHECK(BlobBytes(ElementType::kBits, {INT64_MAX, 1}) == -1);
}

}  // namespace
}  // namespace bnn::formats
