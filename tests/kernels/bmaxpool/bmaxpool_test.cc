// Every bmaxpool kernel against max-pooling of levels as floats with a border of -infinity.
#include "kernels/bmaxpool/bmaxpool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/guarded_buffer.h"
#include "tests/kernels/kernel_table.h"

namespace bnn::kernels {
namespace {

using test::Guard;
using test::GuardedBuffer;

constexpr int64_t kChannels[] = {1, 3, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 256, 385, 513};
constexpr uint32_t kUntouched = 0xDEADBEEF;

struct Window {
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, pad_bottom, pad_right;
};
// Every window has a valid tap: the padding on each side is smaller than the window's reach.
constexpr Window kWindows[] = {
    {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, {2, 2, 2, 2, 1, 1, 0, 0, 0, 0}, {3, 3, 2, 2, 1, 1, 1, 1, 1, 1},
    {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, {2, 3, 1, 2, 2, 1, 0, 2, 1, 0}, {3, 2, 3, 3, 1, 2, 2, 0, 0, 1},
    {5, 1, 2, 1, 1, 1, 2, 0, 2, 0}, {1, 1, 2, 2, 1, 1, 0, 0, 0, 0}, {3, 3, 1, 2, 2, 3, 2, 3, 2, 3},
    {2, 2, 1, 1, 1, 1, 0, 0, 0, 0}, {2, 2, 2, 2, 1, 1, 1, 1, 1, 1}, {2, 2, 1, 2, 1, 1, 1, 0, 0, 1},
    {3, 3, 2, 2, 1, 1, 0, 0, 0, 0}, {3, 3, 2, 2, 1, 1, 2, 2, 2, 2}, {3, 3, 3, 2, 1, 1, 0, 1, 1, 0},
    {3, 3, 2, 1, 1, 1, 1, 2, 1, 2}, {2, 2, 3, 3, 1, 1, 0, 1, 0, 1}, {3, 3, 2, 3, 1, 1, 1, 1, 1, 1},
};

struct Geometry {
  BMaxPoolShape shape;
  int64_t in_gap = 0;   // unused words after each input pixel
  int64_t out_gap = 0;  // unused words after each output pixel

  int64_t words() const { return WordsFor(shape.channels); }
  Strides in_strides() const {
    const int64_t pixel = words() + in_gap;
    const int64_t row = pixel * shape.in_w + in_gap;
    const int64_t image = row * shape.in_h + in_gap;
    return {.image = image, .row = row, .pixel = pixel, .plane = image * shape.batch + in_gap};
  }
  Strides out_strides() const {
    const int64_t pixel = words() + out_gap;
    const int64_t row = pixel * shape.out_w + out_gap;
    const int64_t image = row * shape.out_h + out_gap;
    return {.image = image, .row = row, .pixel = pixel, .plane = image * shape.batch + out_gap};
  }
};

int64_t Offset(const Strides& strides, int64_t n, int64_t y, int64_t x) {
  return n * strides.image + y * strides.row + x * strides.pixel;
}

// One past the last word of the last pixel.
int64_t Extent(const Strides& strides, const BMaxPoolShape& s, int64_t h, int64_t w) {
  return (s.planes - 1) * strides.plane + Offset(strides, s.batch - 1, h - 1, w - 1) + WordsFor(s.channels);
}

Geometry MakeGeometry(const Window& window, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t gap) {
  Geometry g;
  BMaxPoolShape& s = g.shape;
  s.batch = batch;
  s.in_h = in_h;
  s.in_w = in_w;
  s.channels = channels;
  s.kernel_h = window.kernel_h;
  s.kernel_w = window.kernel_w;
  s.stride_h = window.stride_h;
  s.stride_w = window.stride_w;
  s.dilation_h = window.dilation_h;
  s.dilation_w = window.dilation_w;
  s.pad_top = window.pad_top;
  s.pad_left = window.pad_left;
  s.out_h = (in_h + window.pad_top + window.pad_bottom - s.dilation_h * (s.kernel_h - 1) - 1) / s.stride_h + 1;
  s.out_w = (in_w + window.pad_left + window.pad_right - s.dilation_w * (s.kernel_w - 1) - 1) / s.stride_w + 1;
  g.in_gap = gap;
  g.out_gap = gap;
  return g;
}

// Real activations: spare bits are 0. Gaps hold ones, which would show if a kernel read them.
std::vector<uint32_t> RandomInput(const Geometry& g, std::mt19937& random) {
  const BMaxPoolShape& s = g.shape;
  const Strides strides = g.in_strides();
  std::vector<uint32_t> words(static_cast<size_t>(Extent(strides, s, s.in_h, s.in_w)), ~uint32_t{0});
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t y = 0; y < s.in_h; ++y) {
      for (int64_t x = 0; x < s.in_w; ++x) {
        uint32_t* const pixel = words.data() + Offset(strides, n, y, x);
        for (int plane = 0; plane < s.planes; ++plane) {
          for (int64_t w = 0; w < g.words(); ++w) {
            // Sparse ones, or the maximum would be 1 nearly everywhere.
            pixel[plane * strides.plane + w] =
                static_cast<uint32_t>(random() & random() & random()) & WordMask(s.channels, w);
          }
        }
      }
    }
  }
  return words;
}

// The levels of the input as floats, channels innermost.
std::vector<float> Levels(const Geometry& g, const std::vector<uint32_t>& in) {
  const BMaxPoolShape& s = g.shape;
  const Strides strides = g.in_strides();
  std::vector<float> levels;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t y = 0; y < s.in_h; ++y) {
      for (int64_t x = 0; x < s.in_w; ++x) {
        const uint32_t* const pixel = in.data() + Offset(strides, n, y, x);
        for (int64_t c = 0; c < s.channels; ++c) {
          uint32_t level = 0;
          for (int plane = 0; plane < s.planes; ++plane) level |= GetBit(pixel + plane * strides.plane, c) << plane;
          levels.push_back(static_cast<float>(level));
        }
      }
    }
  }
  return levels;
}

// The maxima of one window, by channel. The border holds -infinity, which is no maximum of a window with a tap inside.
std::vector<float> FloatMax(const BMaxPoolShape& s, const std::vector<float>& levels, int64_t n, int64_t y, int64_t x) {
  std::vector<float> best(static_cast<size_t>(s.channels), -std::numeric_limits<float>::infinity());
  for (int64_t i = 0; i < s.kernel_h; ++i) {
    for (int64_t j = 0; j < s.kernel_w; ++j) {
      const int64_t row = y * s.stride_h - s.pad_top + i * s.dilation_h;
      const int64_t col = x * s.stride_w - s.pad_left + j * s.dilation_w;
      if (row < 0 || col < 0 || row >= s.in_h || col >= s.in_w) continue;
      const float* const pixel = levels.data() + ((n * s.in_h + row) * s.in_w + col) * s.channels;
      for (size_t c = 0; c < best.size(); ++c) best[c] = std::max(best[c], pixel[c]);
    }
  }
  return best;
}

std::vector<uint32_t> PoolNaively(const Geometry& g, const std::vector<uint32_t>& in, const BMaxPoolArgs& part) {
  const BMaxPoolShape& s = g.shape;
  const Strides strides = g.out_strides();
  const std::vector<float> levels = Levels(g, in);
  std::vector<uint32_t> out(static_cast<size_t>(Extent(strides, s, s.out_h, s.out_w)), kUntouched);
  for (int64_t n = part.image_begin; n < part.image_end; ++n) {
    for (int64_t y = part.row_begin; y < part.row_end; ++y) {
      for (int64_t x = 0; x < s.out_w; ++x) {
        uint32_t* const pixel = out.data() + Offset(strides, n, y, x);
        const std::vector<float> best = FloatMax(s, levels, n, y, x);
        for (int plane = 0; plane < s.planes; ++plane) {
          uint32_t* const words = pixel + plane * strides.plane;
          std::fill_n(words, g.words(), 0u);
          for (int64_t c = 0; c < s.channels; ++c) {
            const auto level = static_cast<uint32_t>(best[static_cast<size_t>(c)]);
            words[c / 32] |= ((level >> plane) & 1u) << (c % 32);
          }
        }
      }
    }
  }
  return out;
}

void CheckKernel(const BMaxPoolKernel& kernel, const Geometry& g, const std::vector<uint32_t>& in, BMaxPoolArgs args,
                 const std::vector<uint32_t>& expected) {
  const BMaxPoolShape& s = g.shape;
  INFO(kernel.name, " in ", s.in_h, "x", s.in_w, "x", s.channels, " kernel ", s.kernel_h, "x", s.kernel_w, " stride ",
       s.stride_h, ",", s.stride_w, " dilation ", s.dilation_h, ",", s.dilation_w, " pad ", s.pad_top, ",", s.pad_left,
       " gaps ", g.in_gap, ",", g.out_gap, " planes ", s.planes);
  for (const Guard guard : test::kBothGuards) {
    const GuardedBuffer<uint32_t> guarded_in(in, guard);
    GuardedBuffer<uint32_t> out(std::vector<uint32_t>(expected.size(), kUntouched), guard);
    args.in = guarded_in.data();
    args.in_strides = g.in_strides();
    args.out = out.data();
    args.out_strides = g.out_strides();
    kernel.run(s, args);
    REQUIRE(out.ToVector() == expected);
    REQUIRE(out.SlackIntact());
  }
}

std::vector<const BMaxPoolKernel*> RunnableKernels() { return test::RunnableKernels(BMaxPoolKernels()); }

void CheckAllKernels(const Geometry& g, const BMaxPoolArgs& part, std::mt19937& random) {
  const std::vector<uint32_t> in = RandomInput(g, random);
  const std::vector<uint32_t> expected = PoolNaively(g, in, part);
  static const std::vector<const BMaxPoolKernel*> kernels = RunnableKernels();
  for (const BMaxPoolKernel* kernel : kernels) CheckKernel(*kernel, g, in, part, expected);
}

BMaxPoolArgs Everything(const Geometry& g) {
  BMaxPoolArgs args;
  args.image_end = g.shape.batch;
  args.row_end = g.shape.out_h;
  return args;
}

TEST_CASE("every kernel equals float max-pooling over channels, windows and gaps") {
  std::mt19937 random(5);
  for (const int64_t channels : kChannels) {
    for (const Window& window : kWindows) {
      for (const int64_t gap : {int64_t{0}, int64_t{1}}) {
        const Geometry g = MakeGeometry(window, 1, 7, 11, channels, gap);
        CheckAllKernels(g, Everything(g), random);
      }
    }
  }
}

TEST_CASE("every kernel equals float max-pooling over row widths") {
  std::mt19937 random(6);
  for (const int64_t channels : {1, 40, 64, 96, 128, 160, 224}) {
    for (const Window& window : kWindows) {
      for (const int64_t in_w : {7, 8, 16, 33, 70}) {
        const Geometry g = MakeGeometry(window, 2, 7, in_w, channels, 0);
        CheckAllKernels(g, Everything(g), random);
      }
    }
  }
}

TEST_CASE("planes: every kernel equals float max-pooling of levels") {
  std::mt19937 random(10);
  for (int planes = 2; planes <= kMaxPlanes; ++planes) {
    for (const int64_t channels : {1, 33, 64, 128, 200, 513}) {
      for (const Window& window : kWindows) {
        for (const int64_t in_w : {7, 16, 35}) {
          Geometry g = MakeGeometry(window, 2, 7, in_w, channels, in_w % 3);
          g.shape.planes = planes;
          CheckAllKernels(g, Everything(g), random);
        }
      }
    }
  }
}

TEST_CASE("only the named images and rows are written") {
  std::mt19937 random(7);
  for (const Window& window : kWindows) {
    const Geometry g = MakeGeometry(window, 3, 9, 20, 64, 0);
    BMaxPoolArgs part;
    part.image_begin = 1;
    part.image_end = 2;
    part.row_begin = 1;
    part.row_end = g.shape.out_h - 1;
    CheckAllKernels(g, part, random);
  }
}

TEST_CASE("ceil mode: the last window may hang over the border") {
  std::mt19937 random(8);
  Geometry g = MakeGeometry({3, 3, 2, 2, 1, 1, 0, 0, 0, 0}, 1, 8, 34, 64, 0);
  g.shape.out_h += 1;
  g.shape.out_w += 1;
  CheckAllKernels(g, Everything(g), random);
}

TEST_CASE("a tensor inside a halo: the halo's ones are not read") {
  std::mt19937 random(9);
  const Geometry dense = MakeGeometry(kWindows[2], 1, 8, 40, 64, 0);
  const BMaxPoolShape& s = dense.shape;
  const std::vector<uint32_t> in = RandomInput(dense, random);
  const std::vector<uint32_t> expected = PoolNaively(dense, in, Everything(dense));
  const int64_t words = dense.words();
  const Strides halo = {.image = 0, .row = (s.in_w + 2) * words, .pixel = words};
  std::vector<uint32_t> buffer(static_cast<size_t>((s.in_h + 2) * halo.row), ~uint32_t{0});
  const int64_t interior = halo.row + halo.pixel;
  for (int64_t y = 0; y < s.in_h; ++y) {
    for (int64_t i = 0; i < s.in_w * words; ++i) {
      buffer[static_cast<size_t>(interior + y * halo.row + i)] = in[static_cast<size_t>(y * s.in_w * words + i)];
    }
  }
  for (const BMaxPoolKernel* kernel : RunnableKernels()) {
    for (const Guard guard : test::kBothGuards) {
      INFO(kernel->name);
      const GuardedBuffer<uint32_t> guarded_in(buffer, guard);
      GuardedBuffer<uint32_t> out(std::vector<uint32_t>(expected.size(), kUntouched), guard);
      BMaxPoolArgs args = Everything(dense);
      args.in = guarded_in.data() + interior;
      args.in_strides = halo;
      args.out = out.data();
      args.out_strides = dense.out_strides();
      kernel->run(s, args);
      CHECK(out.ToVector() == expected);
      CHECK(out.SlackIntact());
    }
  }
}

TEST_CASE("the table ends with the reference, and selection respects its limit") {
  test::CheckTable(BMaxPoolKernels(), [](Isa limit) { return SelectBMaxPool(limit); });
}

}  // namespace
}  // namespace bnn::kernels
