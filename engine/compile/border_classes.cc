#include "engine/compile/border_classes.h"

#include <algorithm>
#include <bit>
#include <map>

#include "kernels/bits.h"
#include "kernels/epilogue.h"

namespace bnn::engine {
namespace {

// Along one axis: the class of each output position, and for each class which taps lie inside the map.
struct AxisClasses {
  std::vector<uint16_t> class_of;
  std::vector<std::vector<bool>> valid;  // [class][tap]
};

AxisClasses ClassifyAxis(int64_t out, int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
  AxisClasses result;
  std::map<std::vector<bool>, uint16_t> known;
  for (int64_t o = 0; o < out; ++o) {
    std::vector<bool> valid(static_cast<size_t>(kernel));
    for (int64_t k = 0; k < kernel; ++k) {
      const int64_t i = o * stride + k * dilation - pad;
      valid[static_cast<size_t>(k)] = i >= 0 && i < in;
    }
    const auto [it, is_new] = known.emplace(valid, static_cast<uint16_t>(known.size()));
    if (is_new) result.valid.push_back(valid);
    result.class_of.push_back(it->second);
  }
  return result;
}

// Sum of the +-1 weights of one tap of one output channel.
int32_t TapSum(const uint32_t* row, int64_t tap, int64_t in_channels) {
  int32_t ones = 0;
  for (int64_t bit = tap * in_channels; bit < (tap + 1) * in_channels;) {
    const int64_t shift = bit % kernels::kBitsPerWord;
    const int64_t count = std::min(kernels::kBitsPerWord - shift, (tap + 1) * in_channels - bit);
    const uint32_t word = row[bit / kernels::kBitsPerWord] >> shift;
    ones += std::popcount(word & kernels::TailMask(count));
    bit += count;
  }
  return 2 * ones - static_cast<int32_t>(in_channels);
}

}  // namespace

bool NeedsBorderClasses(const kernels::BConv2dShape& shape) {
  const bool has_padding = shape.pad_top + shape.pad_left + shape.pad_bottom + shape.pad_right > 0;
  return shape.padding == kernels::Padding::kZero && has_padding;
}

BorderClasses MakeBorderClasses(const kernels::BConv2dShape& shape, const uint32_t* weights) {
  BorderClasses result;
  const int64_t padded = kernels::PaddedChannels(shape.out_channels);
  if (!NeedsBorderClasses(shape)) {
    result.base = AlignedBuffer<int32_t>(static_cast<size_t>(padded));
    for (int64_t o = 0; o < shape.out_channels; ++o) {
      result.base[static_cast<size_t>(o)] = static_cast<int32_t>(shape.max_acc());
    }
    return result;
  }
  const AxisClasses rows =
      ClassifyAxis(shape.out_h(), shape.in_h, shape.kernel_h, shape.stride_h, shape.dilation_h, shape.pad_top);
  const AxisClasses cols =
      ClassifyAxis(shape.out_w(), shape.in_w, shape.kernel_w, shape.stride_w, shape.dilation_w, shape.pad_left);
  result.row_class = rows.class_of;
  result.col_class = cols.class_of;
  result.num_col_classes = static_cast<int64_t>(cols.valid.size());
  result.base = AlignedBuffer<int32_t>(rows.valid.size() * cols.valid.size() * static_cast<size_t>(padded));
  const int64_t row_words = kernels::WordsFor(shape.terms());
  for (int64_t o = 0; o < shape.out_channels; ++o) {
    std::vector<int32_t> tap_sums;
    for (int64_t tap = 0; tap < shape.kernel_h * shape.kernel_w; ++tap) {
      tap_sums.push_back(TapSum(weights + o * row_words, tap, shape.in_channels));
    }
    for (size_t r = 0; r < rows.valid.size(); ++r) {
      for (size_t c = 0; c < cols.valid.size(); ++c) {
        auto base = static_cast<int32_t>(shape.terms());
        for (size_t i = 0; i < rows.valid[r].size(); ++i) {
          for (size_t j = 0; j < cols.valid[c].size(); ++j) {
            if (!rows.valid[r][i] || !cols.valid[c][j]) base += tap_sums[i * cols.valid[c].size() + j];
          }
        }
        const size_t class_index = r * cols.valid.size() + c;
        result.base[class_index * static_cast<size_t>(padded) + static_cast<size_t>(o)] =
            kernels::HighestLevel(shape.planes) * base;
      }
    }
  }
  return result;
}

}  // namespace bnn::engine
