// When rows and images may be walked as one long row: the same elements must be addressed, in every tensor involved.
#include "kernels/simd/extent.h"

#include <doctest/doctest.h>

#include <vector>

namespace bnn::kernels {
namespace {

constexpr int64_t kRows = 3;
constexpr int64_t kCols = 5;
constexpr int64_t kImages = 4;
constexpr Strides kTouching = {.image = 30, .row = 10, .pixel = 2};  // no gap after rows or images
constexpr Strides kRowGap = {.image = 33, .row = 11, .pixel = 2};
constexpr Strides kImageGap = {.image = 31, .row = 10, .pixel = 2};

int64_t Pixels(const Extent& e) {
  return (e.image_end - e.image_begin) * (e.row_end - e.row_begin) * (e.col_end - e.col_begin);
}

std::vector<int64_t> Offsets(const Extent& e, const Strides& s) {
  std::vector<int64_t> offsets;
  for (int64_t n = e.image_begin; n < e.image_end; ++n) {
    for (int64_t y = e.row_begin; y < e.row_end; ++y) {
      for (int64_t x = e.col_begin; x < e.col_end; ++x) offsets.push_back(n * s.image + y * s.row + x * s.pixel);
    }
  }
  return offsets;
}

int64_t Lines(const Extent& e) { return (e.image_end - e.image_begin) * (e.row_end - e.row_begin); }

const Extent kWhole = {0, kImages, 0, kRows, 0, kCols};

TEST_CASE("touching rows and images become one row") {
  const Extent merged = MergeRows(kWhole, kRows, kCols, kTouching, {});
  CHECK(Lines(merged) == 1);
  CHECK(Offsets(merged, kTouching) == Offsets(kWhole, kTouching));
}

TEST_CASE("an image gap leaves one row an image, a row gap leaves all") {
  const Extent images = MergeRows(kWhole, kRows, kCols, kImageGap, {});
  CHECK(Lines(images) == kImages);
  CHECK(Offsets(images, kImageGap) == Offsets(kWhole, kImageGap));
  CHECK(Lines(MergeRows(kWhole, kRows, kCols, kRowGap, {})) == kImages * kRows);
}

TEST_CASE("a part keeps to its rows and images") {
  for (const Extent& part :
       {Extent{1, 3, 0, kRows, 0, kCols}, Extent{0, 4, 1, 3, 0, kCols}, Extent{2, 3, 1, 2, 0, kCols}}) {
    const Extent merged = MergeRows(part, kRows, kCols, kTouching, {});
    CHECK(Offsets(merged, kTouching) == Offsets(part, kTouching));
  }
  CHECK(Pixels(MergeRows({1, 1, 0, kRows, 0, kCols}, kRows, kCols, kTouching, {})) == 0);
  CHECK(Pixels(MergeRows({0, 2, 2, 2, 0, kCols}, kRows, kCols, kTouching, {})) == 0);
}

TEST_CASE("every tensor of the epilogue has a say, and only those in use") {
  float floats = 0;
  uint32_t bits = 0;
  EpilogueStep steps[2];
  steps[0].kind = StepKind::kAffine;  // touches no tensor
  steps[1].kind = StepKind::kAdd;
  const auto lines = [&](const Strides& out, const Strides& packed, const Strides& residual) {
    Epilogue epilogue;
    epilogue.steps = steps;
    epilogue.num_steps = 2;
    steps[1].strides = residual;
    epilogue.out = &floats;
    epilogue.out_strides = out;
    epilogue.bits = &bits;
    epilogue.bits_strides = packed;
    return Lines(MergeRows(kWhole, kRows, kCols, kTouching, epilogue));
  };
  CHECK(lines(kTouching, kTouching, kTouching) == 1);
  for (const Strides& gap : {kRowGap, kImageGap}) {
    const int64_t expected = gap.row == kRowGap.row ? kImages * kRows : kImages;
    CHECK(lines(gap, kTouching, kTouching) == expected);
    CHECK(lines(kTouching, gap, kTouching) == expected);
    CHECK(lines(kTouching, kTouching, gap) == expected);
  }

  Epilogue unused;
  unused.out_strides = kRowGap;
  unused.bits_strides = kRowGap;
  CHECK(Lines(MergeRows(kWhole, kRows, kCols, kTouching, unused)) == 1);
}

}  // namespace
}  // namespace bnn::kernels
