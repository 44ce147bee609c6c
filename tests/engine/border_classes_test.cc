#include "engine/compile/border_classes.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace bnn::engine {
namespace {

int Weight(const std::vector<uint32_t>& words, int64_t row_words, int64_t o, int64_t k) {
  return kernels::GetBit(words.data() + o * row_words, k) != 0 ? 1 : -1;
}

TEST_CASE("base turns what is read in the halo into excluded taps") {
  std::mt19937 random(5);
  for (int trial = 0; trial < 60; ++trial) {
    const auto pick = [&](int64_t low, int64_t high) {
      return low + static_cast<int64_t>(random() % (high - low + 1));
    };
    kernels::BConv2dShape shape;
    shape.in_h = pick(3, 9);
    shape.in_w = pick(3, 9);
    shape.in_channels = pick(1, 70);
    shape.out_channels = pick(1, 40);
    shape.kernel_h = pick(1, 3);
    shape.kernel_w = pick(1, 3);
    shape.stride_h = pick(1, 2);
    shape.stride_w = pick(1, 3);
    shape.dilation_h = shape.in_h > 5 ? pick(1, 2) : 1;
    shape.pad_top = pick(0, 3);
    shape.pad_left = pick(0, 2);
    shape.pad_bottom = pick(0, 2);
    shape.pad_right = pick(0, 3);
    shape.padding = kernels::Padding::kZero;
    const int64_t row_words = kernels::WordsFor(shape.terms());
    std::vector<uint32_t> weights(static_cast<size_t>(shape.out_channels * row_words));
    for (uint32_t& word : weights) word = static_cast<uint32_t>(random());
    const BorderClasses border = MakeBorderClasses(shape, weights.data());
    for (int64_t o = 0; o < shape.out_channels; ++o) {
      for (int64_t y = 0; y < shape.out_h(); ++y) {
        for (int64_t x = 0; x < shape.out_w(); ++x) {
          int64_t halo_sum = 0;
          for (int64_t i = 0; i < shape.kernel_h; ++i) {
            for (int64_t j = 0; j < shape.kernel_w; ++j) {
              const int64_t r = y * shape.stride_h + i * shape.dilation_h - shape.pad_top;
              const int64_t c = x * shape.stride_w + j * shape.dilation_w - shape.pad_left;
              if (r >= 0 && r < shape.in_h && c >= 0 && c < shape.in_w) continue;
              for (int64_t ch = 0; ch < shape.in_channels; ++ch) {
                halo_sum += Weight(weights, row_words, o, (i * shape.kernel_w + j) * shape.in_channels + ch);
              }
            }
          }
          int64_t index = 0;
          if (!border.row_class.empty()) {
            index = border.row_class[static_cast<size_t>(y)] * border.num_col_classes +
                    border.col_class[static_cast<size_t>(x)];
          }
          const auto at = static_cast<size_t>(index * kernels::PaddedChannels(shape.out_channels) + o);
          REQUIRE(border.base[at] == shape.terms() + halo_sum);
        }
      }
    }
  }
}

TEST_CASE("without excluded padding there is one class") {
  kernels::BConv2dShape shape;
  shape.in_h = shape.in_w = 4;
  shape.in_channels = 5;
  shape.out_channels = 3;
  shape.kernel_h = shape.kernel_w = 3;
  shape.pad_top = shape.pad_left = 1;
  const std::vector<uint32_t> weights(6, 0);
  for (const kernels::Padding padding : {kernels::Padding::kOne, kernels::Padding::kMinusOne}) {
    shape.padding = padding;
    const BorderClasses border = MakeBorderClasses(shape, weights.data());
    CHECK(border.row_class.empty());
    CHECK(border.base[0] == 45);
    CHECK(border.base.size() == 32);
  }
}

}  // namespace
}  // namespace bnn::engine
