// A binary convolution as values (-1 and +1, of several bits odd integers), and the same as the buffers that kernels
// take.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/bconv2d/bconv2d.h"
#include "tests/kernels/epilogue_fixture.h"
#include "tests/kernels/guarded_buffer.h"

namespace bnn::test {

using kernels::BConv2dArgs;
using kernels::BConv2dKernel;
using kernels::BConv2dShape;
using kernels::Padding;

inline std::string Describe(const BConv2dShape& s) {
  const auto pair = [](int64_t a, int64_t b) { return std::to_string(a) + "x" + std::to_string(b); };
  return "batch " + std::to_string(s.batch) + " in " + pair(s.in_h, s.in_w) + "x" + std::to_string(s.in_channels) +
         " out " + pair(s.out_h(), s.out_w()) + "x" + std::to_string(s.out_channels) + " kernel " +
         pair(s.kernel_h, s.kernel_w) + " stride " + pair(s.stride_h, s.stride_w) + " dilation " +
         pair(s.dilation_h, s.dilation_w) + " pad " + pair(s.pad_top, s.pad_left) + "," +
         pair(s.pad_bottom, s.pad_right) + " padding " + std::to_string(static_cast<int>(s.padding)) + " planes " +
         std::to_string(s.planes);
}

class BConv2dProblem {
 public:
  // `gap` words lie after each input pixel (another group's channels), row and image.
  BConv2dProblem(const BConv2dShape& shape, int64_t gap, Guard guard, std::mt19937& random)
      : shape_(shape), gap_(gap), guard_(guard), gaps_(static_cast<uint32_t>(random())) {
    in_.resize(static_cast<size_t>(shape.batch * shape.in_h * shape.in_w * shape.in_channels));
    uint32_t draw = 0;  // 8 levels of 4 bits
    for (size_t k = 0; k < in_.size(); ++k, draw >>= 4) {
      if (k % 8 == 0) draw = static_cast<uint32_t>(random());
      in_[k] = static_cast<int8_t>(2 * static_cast<int>(draw & static_cast<uint32_t>(Highest())) - Highest());
    }
    weights_.resize(static_cast<size_t>(shape.out_channels * shape.terms()));
    for (size_t k = 0; k < weights_.size(); ++k, draw >>= 1) {
      if (k % 32 == 0) draw = static_cast<uint32_t>(random());
      weights_[k] = (draw & 1) != 0 ? 1 : -1;
    }
    BuildHalo();
    BuildClasses();
    UpdateWeights();
  }

  const BConv2dShape& shape() const { return shape_; }

  // The value of the highest level; minus it is that of the lowest one.
  int8_t Highest() const { return static_cast<int8_t>((1 << shape_.planes) - 1); }

  void SetAllInputs(int8_t value) {
    in_.assign(in_.size(), value);
    BuildHalo();
  }

  // Sets weight (o, i, j, c) to -1 or +1. Call UpdateWeights() afterwards.
  void SetWeight(int64_t o, int64_t i, int64_t j, int64_t c, int8_t value) {
    weights_[WeightIndex(o, i, j, c)] = value;
  }
  void SetAllWeights(int8_t value) { weights_.assign(weights_.size(), value); }

  // The weights in the order of the model file, and the tables that depend on them.
  void UpdateWeights() {
    const int64_t row_words = kernels::WordsFor(shape_.terms());
    file_weights_ = std::make_unique<GuardedBuffer<uint32_t>>(shape_.out_channels * row_words, guard_);
    auto weight = weights_.begin();
    for (int64_t o = 0; o < shape_.out_channels; ++o) {
      uint32_t* const row = file_weights_->data() + o * row_words;
      for (int64_t k = 0; k < shape_.terms(); ++k) row[k / 32] |= static_cast<uint32_t>(*weight++ > 0) << (k % 32);
    }
    BuildBase();
  }

  // The value under tap (i, j) of output (n, y, x), 0 where a tap is excluded.
  int Input(int64_t n, int64_t y, int64_t x, int64_t i, int64_t j, int64_t c) const {
    const int8_t* const pixel = PixelUnder(n, y, x, i, j);
    return pixel != nullptr ? pixel[c] : Outside();
  }

  // One accumulator by the definition of a convolution, from the values.
  int32_t Naive(int64_t n, int64_t y, int64_t x, int64_t o) const {
    int32_t sum = 0;
    for (int64_t i = 0; i < shape_.kernel_h; ++i) {
      for (int64_t j = 0; j < shape_.kernel_w; ++j) {
        const int8_t* const pixel = PixelUnder(n, y, x, i, j);
        const int8_t* const weights = &weights_[WeightIndex(o, i, j, 0)];
        int32_t tap = 0;
        for (int64_t c = 0; c < shape_.in_channels; ++c) tap += (pixel != nullptr ? pixel[c] : Outside()) * weights[c];
        sum += tap;
      }
    }
    return sum;
  }

  // All accumulators, channels innermost.
  std::vector<int32_t> NaiveOutput() const {
    std::vector<int32_t> output;
    for (int64_t n = 0; n < shape_.batch; ++n) {
      for (int64_t y = 0; y < shape_.out_h(); ++y) {
        for (int64_t x = 0; x < shape_.out_w(); ++x) {
          for (int64_t o = 0; o < shape_.out_channels; ++o) output.push_back(Naive(n, y, x, o));
        }
      }
    }
    return output;
  }

  // Packs the weights for the kernel and gives its arguments for the whole output, without an epilogue. The packed
  // weights live until the next call.
  BConv2dArgs ArgsFor(const BConv2dKernel& kernel) {
    packed_ = std::make_unique<GuardedBuffer<uint32_t>>(kernel.packed_words(shape_), guard_);
    kernel.pack(shape_, file_weights_->data(), packed_->data());
    GuardedBuffer<uint32_t> unpacked(static_cast<int64_t>(file_weights_->span().size()), guard_);
    kernel.unpack(shape_, packed_->data(), unpacked.data());
    CHECK(unpacked.ToVector() == file_weights_->ToVector());
    BConv2dArgs args;
    args.in = halo_->data();
    args.in_strides = halo_geometry_.strides(kernels::WordsFor(shape_.in_channels));
    args.weights = packed_->data();
    args.base = base_->data();
    if (shape_.padding == Padding::kZero) {
      args.row_class = row_class_->data();
      args.col_class = col_class_->data();
      args.num_col_classes = static_cast<int64_t>(col_taps_.size());
    }
    args.image_end = shape_.batch;
    args.row_end = shape_.out_h();
    args.block_end = kernels::PaddedChannels(shape_.out_channels) / kernels::kChannelBlock;
    return args;
  }

 private:
  using Taps = std::vector<bool>;  // by tap row (or column): is it inside the input

  // The values of the input pixel under tap (i, j) of output (n, y, x); nullptr outside the image.
  const int8_t* PixelUnder(int64_t n, int64_t y, int64_t x, int64_t i, int64_t j) const {
    const int64_t row = y * shape_.stride_h + i * shape_.dilation_h - shape_.pad_top;
    const int64_t col = x * shape_.stride_w + j * shape_.dilation_w - shape_.pad_left;
    if (row < 0 || row >= shape_.in_h || col < 0 || col >= shape_.in_w) return nullptr;
    return &in_[static_cast<size_t>(((n * shape_.in_h + row) * shape_.in_w + col) * shape_.in_channels)];
  }

  // What taps outside the image meet.
  int Outside() const {
    switch (shape_.padding) {
      case Padding::kOne:
        return Highest();
      case Padding::kMinusOne:
        return -Highest();
      case Padding::kZero:
        return 0;
    }
    return 0;
  }

  size_t WeightIndex(int64_t o, int64_t i, int64_t j, int64_t c) const {
    return static_cast<size_t>(((o * shape_.kernel_h + i) * shape_.kernel_w + j) * shape_.in_channels + c);
  }

  void BuildHalo() {
    std::mt19937 random(gaps_);
    const int64_t words = kernels::WordsFor(shape_.in_channels);
    halo_geometry_ = {shape_.batch, shape_.pad_top + shape_.in_h + shape_.pad_bottom,
                      shape_.pad_left + shape_.in_w + shape_.pad_right, shape_.in_channels, gap_};
    halo_ = std::make_unique<GuardedBuffer<uint32_t>>(halo_geometry_.elements(words, shape_.planes), guard_);
    for (uint32_t& word : halo_->span()) word = static_cast<uint32_t>(random());  // what lies in the gaps
    for (int64_t n = 0; n < shape_.batch; ++n) {
      for (int64_t row = 0; row < halo_geometry_.height; ++row) {
        for (int64_t col = 0; col < halo_geometry_.width; ++col) SetHaloPixel(n, row, col);
      }
    }
  }

  void SetHaloPixel(int64_t n, int64_t row, int64_t col) {
    const int64_t words = kernels::WordsFor(shape_.in_channels);
    const Strides strides = halo_geometry_.strides(words);
    uint32_t* const pixel = halo_->data() + n * strides.image + row * strides.row + col * strides.pixel;
    for (int plane = 0; plane < shape_.planes; ++plane) {
      uint32_t* const bits = pixel + plane * strides.plane;
      for (int64_t w = 0; w < words; ++w) bits[w] = 0;
      for (int64_t c = 0; c < shape_.in_channels; ++c) {
        kernels::SetBit(bits, c, static_cast<uint32_t>(HaloLevel(n, row, col, c) >> plane) & 1);
      }
    }
  }

  int HaloLevel(int64_t n, int64_t row, int64_t col, int64_t c) const {
    const int64_t y = row - shape_.pad_top;
    const int64_t x = col - shape_.pad_left;
    if (y < 0 || y >= shape_.in_h || x < 0 || x >= shape_.in_w) return shape_.padding == Padding::kOne ? Highest() : 0;
    const size_t index = static_cast<size_t>(((n * shape_.in_h + y) * shape_.in_w + x) * shape_.in_channels + c);
    return (in_[index] + Highest()) / 2;
  }

  // Numbers the different sets of valid taps along one axis. `taps` receives the sets by class.
  static std::unique_ptr<GuardedBuffer<uint16_t>> ClassesOf(int64_t outs, int64_t stride, int64_t kernel,
                                                            int64_t dilation, int64_t pad, int64_t size, Guard guard,
                                                            std::vector<Taps>* taps) {
    auto classes = std::make_unique<GuardedBuffer<uint16_t>>(outs, guard);
    std::map<Taps, uint16_t> numbers;
    for (int64_t out = 0; out < outs; ++out) {
      Taps valid;
      for (int64_t k = 0; k < kernel; ++k) {
        const int64_t at = out * stride + k * dilation - pad;
        valid.push_back(at >= 0 && at < size);
      }
      const auto [entry, is_new] = numbers.emplace(valid, static_cast<uint16_t>(numbers.size()));
      if (is_new) taps->push_back(valid);
      (*classes)[out] = entry->second;
    }
    return classes;
  }

  void BuildClasses() {
    row_class_ = ClassesOf(shape_.out_h(), shape_.stride_h, shape_.kernel_h, shape_.dilation_h, shape_.pad_top,
                           shape_.in_h, guard_, &row_taps_);
    col_class_ = ClassesOf(shape_.out_w(), shape_.stride_w, shape_.kernel_w, shape_.dilation_w, shape_.pad_left,
                           shape_.in_w, guard_, &col_taps_);
  }

  // The sum of the weights of each tap, [o][i][j].
  std::vector<int64_t> TapSums() const {
    std::vector<int64_t> sums(static_cast<size_t>(shape_.out_channels * shape_.kernel_h * shape_.kernel_w));
    auto weight = weights_.begin();
    for (int64_t& sum : sums) {
      for (int64_t c = 0; c < shape_.in_channels; ++c) sum += *weight++;
    }
    return sums;
  }

  // base = K + the weights of the taps in the halo, for each class; K where nothing is excluded. All times the highest
  // value.
  void BuildBase() {
    const bool zero = shape_.padding == Padding::kZero;
    const size_t rows = zero ? row_taps_.size() : 1;
    const size_t cols = zero ? col_taps_.size() : 1;
    const int64_t padded = kernels::PaddedChannels(shape_.out_channels);
    const std::vector<int64_t> tap_sums = TapSums();
    base_ = std::make_unique<GuardedBuffer<int32_t>>(static_cast<int64_t>(rows * cols) * padded, guard_);
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < cols; ++c) {
        for (int64_t o = 0; o < shape_.out_channels; ++o) {
          const int64_t correction = zero ? HaloWeights(row_taps_[r], col_taps_[c], tap_sums, o) : 0;
          (*base_)[static_cast<int64_t>(r * cols + c) * padded + o] =
              static_cast<int32_t>(Highest() * (shape_.terms() + correction));
        }
      }
    }
  }

  int64_t HaloWeights(const Taps& row_valid, const Taps& col_valid, const std::vector<int64_t>& tap_sums,
                      int64_t o) const {
    int64_t sum = 0;
    for (int64_t i = 0; i < shape_.kernel_h; ++i) {
      for (int64_t j = 0; j < shape_.kernel_w; ++j) {
        if (row_valid[static_cast<size_t>(i)] && col_valid[static_cast<size_t>(j)]) continue;
        sum += tap_sums[static_cast<size_t>((o * shape_.kernel_h + i) * shape_.kernel_w + j)];
      }
    }
    return sum;
  }

  BConv2dShape shape_;
  int64_t gap_;
  Guard guard_;
  uint32_t gaps_;                // what the gaps hold is drawn from this
  std::vector<int8_t> in_;       // [n][h][w][c]
  std::vector<int8_t> weights_;  // [o][i][j][c]
  TensorGeometry halo_geometry_;
  std::vector<Taps> row_taps_, col_taps_;
  std::unique_ptr<GuardedBuffer<uint32_t>> halo_, file_weights_, packed_;
  std::unique_ptr<GuardedBuffer<int32_t>> base_;
  std::unique_ptr<GuardedBuffer<uint16_t>> row_class_, col_class_;
};

}  // namespace bnn::test
