// Every bitpack kernel against the reference, and the reference against a computation that shares nothing with it.
#include "kernels/bitpack/bitpack.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/epilogue.h"
#include "tests/kernels/guarded_buffer.h"
#include "tests/kernels/kernel_table.h"

namespace bnn::kernels {
namespace {

using test::Guard;
using test::GuardedBuffer;

constexpr int64_t kChannels[] = {1, 3, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 160, 256, 513};
// Up to several tiles of planes, the last vector full, nearly full and nearly empty; of few vectors with 1, 2 and 4
// floats behind whole vectors of 8 (planes are skewed).
constexpr int64_t kPixels[] = {1, 2, 3, 5, 8, 15, 16, 17, 31, 36, 49, 58, 64, 67, 196, 209, 225};
constexpr uint32_t kUntouched = 0xDEADBEEF;

enum class Layout { kInterleaved, kInterleavedWithGaps, kPlanar, kPlanarWithGaps, kStrided };
constexpr Layout kLayouts[] = {Layout::kInterleaved, Layout::kInterleavedWithGaps, Layout::kPlanar,
                               Layout::kPlanarWithGaps, Layout::kStrided};

struct Case {
  int64_t pixels = 0;
  int64_t channels = 0;
  Layout layout = Layout::kInterleaved;
  int64_t bits_pixel_stride = 0;
  int planes = 1;
  int64_t in_start = 0;  // floats in front of the first element

  int highest_level() const { return (1 << planes) - 1; }
  int64_t padded() const { return (channels + 31) / 32 * 32; }
  int64_t bits_plane_stride() const { return pixels * bits_pixel_stride + 1; }
  int64_t pixel_stride() const {
    switch (layout) {
      case Layout::kInterleaved:
        return channels;
      case Layout::kInterleavedWithGaps:
        return channels + 5;
      case Layout::kPlanar:
      case Layout::kPlanarWithGaps:
        return 1;
      case Layout::kStrided:
        return 3;
    }
    return 0;
  }
  int64_t channel_stride() const {
    switch (layout) {
      case Layout::kInterleaved:
      case Layout::kInterleavedWithGaps:
        return 1;
      case Layout::kPlanar:
        return pixels;
      case Layout::kPlanarWithGaps:
        return pixels + 7;
      case Layout::kStrided:
        return 3 * pixels + 2;
    }
    return 0;
  }
  // One past the last element that a kernel may read.
  int64_t in_size() const { return in_start + (pixels - 1) * pixel_stride() + (channels - 1) * channel_stride() + 1; }
  int64_t bits_size() const {
    return (planes - 1) * bits_plane_stride() + (pixels - 1) * bits_pixel_stride + WordsFor(channels);
  }
};

// Thresholds that hit all of: above, below, equal, one ulp apart, infinities, NaN on either side, signed zeros.
float RandomValue(std::mt19937& random) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (random() % 12) {
    case 0:
      return std::numeric_limits<float>::quiet_NaN();
    case 1:
      return kInfinity;
    case 2:
      return -kInfinity;
    case 3:
      return 0.0f;
    case 4:
      return -0.0f;
    case 5:
      return std::nextafter(1.0f, kInfinity);
    case 6:
      return 1.0f;
    case 7:
      return std::numeric_limits<float>::denorm_min();
    default:
      return static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 500.0f;
  }
}

// They repeat after a prime number of values, so that neither pixels nor channels do; drawing each takes most of a
// test.
std::vector<float> RandomValues(int64_t count, std::mt19937& random) {
  constexpr size_t kPeriod = 1999;
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = i < kPeriod ? RandomValue(random) : values[i - kPeriod];
  return values;
}

// Per-channel parameters, padded as the contract says; the padding is random, because kernels may not depend on it.
std::vector<float> RandomParameters(int64_t channels, std::mt19937& random) {
  return RandomValues(PaddedChannels(channels), random);
}

// Without signs where `signs` is empty.
std::vector<uint32_t> PackWith(const BitpackKernel& kernel, const Case& c, const std::vector<float>& in,
                               const std::vector<float>& thresholds, Guard guard,
                               const std::vector<float>& signs = {}) {
  const GuardedBuffer<float> guarded_in(in, guard);
  const GuardedBuffer<float> guarded_thresholds(thresholds, guard);
  const GuardedBuffer<float> guarded_signs(signs, guard);
  GuardedBuffer<uint32_t> bits(std::vector<uint32_t>(static_cast<size_t>(c.bits_size()), kUntouched), guard);
  kernel.pack({.pixels = c.pixels,
               .channels = c.channels,
               .in = guarded_in.data() + c.in_start,
               .in_pixel_stride = c.pixel_stride(),
               .in_channel_stride = c.channel_stride(),
               .planes = c.planes,
               .thresholds = guarded_thresholds.data(),
               .threshold_stride = c.padded(),
               .signs = signs.empty() ? nullptr : guarded_signs.data(),
               .bits = bits.data(),
               .bits_pixel_stride = c.bits_pixel_stride,
               .bits_plane_stride = c.bits_plane_stride()});
  CHECK(bits.SlackIntact());
  return bits.ToVector();
}

// The contract in other words: byte-wise bits written at bit positions of a byte array, words assembled at the end.
std::vector<uint32_t> PackNaively(const Case& c, const std::vector<float>& in, const std::vector<float>& thresholds,
                                  const std::vector<float>& signs = {}) {
  std::vector<uint32_t> words(static_cast<size_t>(c.bits_size()), kUntouched);
  std::vector<int> levels;
  for (int64_t p = 0; p < c.pixels; ++p) {
    levels.assign(static_cast<size_t>(c.padded()), 0);
    for (int64_t channel = 0; channel < c.channels; ++channel) {
      float x = in[static_cast<size_t>(c.in_start + p * c.pixel_stride() + channel * c.channel_stride())];
      if (!signs.empty() && signs[static_cast<size_t>(channel)] < 0) x = -x;
      int& level = levels[static_cast<size_t>(channel)];
      for (int j = 0; j < c.highest_level(); ++j) {
        const float t = thresholds[static_cast<size_t>(j * c.padded() + channel)];
        if (!std::isnan(x) && !std::isnan(t) && !(x < t)) ++level;
      }
    }
    for (int plane = 0; plane < c.planes; ++plane) {
      const size_t pixel = static_cast<size_t>(plane * c.bits_plane_stride() + p * c.bits_pixel_stride);
      for (size_t w = 0; w < levels.size() / 32; ++w) {
        uint64_t value = 0;
        for (size_t b = 0; b < 32; ++b) value += (levels[w * 32 + b] >> plane) % 2 == 1 ? uint64_t{1} << b : 0;
        words[pixel + w] = static_cast<uint32_t>(value);
      }
    }
  }
  return words;
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const int64_t channels : kChannels) {
    for (const int64_t pixels : kPixels) {
      for (const Layout layout : kLayouts) {
        for (const int64_t gap : {0, 3}) cases.push_back({pixels, channels, layout, WordsFor(channels) + gap});
      }
    }
  }
  return cases;
}

std::string Describe(const BitpackKernel& kernel, const Case& c) {
  return std::string(kernel.name) + " pixels " + std::to_string(c.pixels) + " channels " + std::to_string(c.channels) +
         " layout " + std::to_string(static_cast<int>(c.layout)) + " stride " + std::to_string(c.bits_pixel_stride);
}

std::vector<const BitpackKernel*> RunnableKernels() { return test::RunnableKernels(BitpackKernels()); }

TEST_CASE("pack: every kernel equals the naive computation, touching nothing outside its ranges") {
  std::mt19937 random(1);
  const std::vector<const BitpackKernel*> kernels = RunnableKernels();
  for (const Case& c : AllCases()) {
    const std::vector<float> in = RandomValues(c.in_size(), random);
    const std::vector<float> thresholds = RandomParameters(c.channels, random);
    const std::vector<uint32_t> expected = PackNaively(c, in, thresholds);
    for (const BitpackKernel* kernel : kernels) {
      for (const Guard guard : test::kBothGuards) {
        INFO(Describe(*kernel, c));
        REQUIRE(PackWith(*kernel, c, in, thresholds, guard) == expected);
      }
    }
  }
}

TEST_CASE("pack: channels that are negated first") {
  std::mt19937 random(4);
  const std::vector<const BitpackKernel*> kernels = RunnableKernels();
  for (const Case& c : AllCases()) {
    const std::vector<float> in = RandomValues(c.in_size(), random);
    const std::vector<float> thresholds = RandomParameters(c.channels, random);
    std::vector<float> signs(thresholds.size());
    for (float& sign : signs) sign = random() % 2 == 0 ? 1.0f : -1.0f;
    const std::vector<uint32_t> expected = PackNaively(c, in, thresholds, signs);
    for (const BitpackKernel* kernel : kernels) {
      for (const Guard guard : test::kBothGuards) {
        INFO(Describe(*kernel, c));
        REQUIRE(PackWith(*kernel, c, in, thresholds, guard, signs) == expected);
      }
    }
  }
}

// Thresholds in ascending order for every channel, NaN behind all others; the padding is random.
std::vector<float> RandomThresholds(const Case& c, std::mt19937& random) {
  std::vector<float> thresholds = RandomValues(c.highest_level() * c.padded(), random);
  for (int64_t channel = 0; channel < c.channels; ++channel) {
    std::vector<float> ascending;
    for (int j = 0; j < c.highest_level(); ++j) {
      ascending.push_back(thresholds[static_cast<size_t>(j * c.padded() + channel)]);
    }
    const auto nans = std::partition(ascending.begin(), ascending.end(), [](float t) { return !std::isnan(t); });
    std::sort(ascending.begin(), nans);
    for (int j = 0; j < c.highest_level(); ++j) {
      thresholds[static_cast<size_t>(j * c.padded() + channel)] = ascending[static_cast<size_t>(j)];
    }
  }
  return thresholds;
}

TEST_CASE("pack: levels of several planes") {
  std::mt19937 random(5);
  const std::vector<const BitpackKernel*> kernels = RunnableKernels();
  for (int planes = 2; planes <= kMaxPlanes; ++planes) {
    for (const int64_t channels : kChannels) {
      for (const int64_t pixels : {1, 2, 5, 16, 67}) {
        for (const Layout layout : kLayouts) {
          const Case c = {pixels, channels, layout, WordsFor(channels) + pixels % 2 * 3, planes};
          const std::vector<float> in = RandomValues(c.in_size(), random);
          const std::vector<float> thresholds = RandomThresholds(c, random);
          std::vector<float> signs;
          if (pixels % 2 == 1) {
            for (int64_t i = 0; i < c.padded(); ++i) signs.push_back(random() % 2 == 0 ? 1.0f : -1.0f);
          }
          const std::vector<uint32_t> expected = PackNaively(c, in, thresholds, signs);
          for (const BitpackKernel* kernel : kernels) {
            for (const Guard guard : test::kBothGuards) {
              INFO(Describe(*kernel, c), " planes ", planes);
              REQUIRE(PackWith(*kernel, c, in, thresholds, guard, signs) == expected);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("pack: planes may begin at any float") {
  std::mt19937 random(4);
  for (const int64_t pixels : {1, 36, 49, 58}) {
    for (const int64_t channels : {8, 40, 44, 64}) {
      for (int64_t start = 1; start <= 16; ++start) {
        const Case c = {pixels, channels, Layout::kPlanar, WordsFor(channels), 1, start};
        const std::vector<float> in = RandomValues(c.in_size(), random);
        const std::vector<float> thresholds = RandomParameters(channels, random);
        const std::vector<uint32_t> expected = PackNaively(c, in, thresholds);
        for (const BitpackKernel* kernel : RunnableKernels()) {
          for (const Guard guard : test::kBothGuards) {
            INFO(Describe(*kernel, c), " start ", start);
            REQUIRE(PackWith(*kernel, c, in, thresholds, guard) == expected);
          }
        }
      }
    }
  }
}

// Some of them as one run of memory, up to 512 pixels at a time.
TEST_CASE("pack: many pixels of few channels") {
  std::mt19937 random(6);
  for (int64_t channels = 1; channels < 32; ++channels) {
    for (const int64_t pixels : {191, 192, 223, 512, 575}) {
      for (const int64_t gap : {0, 1}) {
        for (const Layout layout : {Layout::kInterleaved, Layout::kInterleavedWithGaps, Layout::kPlanar}) {
          const Case c = {pixels, channels, layout, 1 + gap};
          const std::vector<float> in = RandomValues(c.in_size(), random);
          const std::vector<float> thresholds = RandomParameters(channels, random);
          const std::vector<uint32_t> expected = PackNaively(c, in, thresholds);
          for (const BitpackKernel* kernel : RunnableKernels()) {
            for (const Guard guard : test::kBothGuards) {
              INFO(Describe(*kernel, c));
              REQUIRE(PackWith(*kernel, c, in, thresholds, guard) == expected);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("pack: equality counts as high, NaN as low") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> in = {2.0f, std::nextafter(2.0f, 0.0f), nan, 2.0f, -0.0f};
  std::vector<float> thresholds(32, 0.0f);
  thresholds[0] = 2.0f;
  thresholds[1] = 2.0f;
  thresholds[2] = -std::numeric_limits<float>::infinity();
  thresholds[3] = nan;
  thresholds[4] = 0.0f;
  const Case c = {1, 5, Layout::kInterleaved, 1};
  for (const BitpackKernel* kernel : RunnableKernels()) {
    INFO(kernel->name);
    CHECK(PackWith(*kernel, c, in, thresholds, Guard::kAfter)[0] == 0b10001u);
  }
}

TEST_CASE("pack: no pixels, no writes") {
  for (const BitpackKernel* kernel : RunnableKernels()) {
    uint32_t bits = kUntouched;
    const std::vector<float> thresholds(32, 0.0f);
    kernel->pack({.pixels = 0, .channels = 7, .in_pixel_stride = 7, .thresholds = thresholds.data(), .bits = &bits});
    CHECK(bits == kUntouched);
  }
}

// Every level of every channel has a value of its own. `out_start`: floats in front of the first pixel.
void CheckUnpack(const Case& c, int64_t out_stride, std::mt19937& random, int64_t out_start = 0) {
  std::vector<uint32_t> bits(static_cast<size_t>(c.bits_size()));
  for (uint32_t& word : bits) word = static_cast<uint32_t>(random());
  std::vector<float> values(static_cast<size_t>((1 << c.planes) * c.padded()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = 1.0f + static_cast<float>(i);
  std::vector<float> expected(static_cast<size_t>(out_start + (c.pixels - 1) * out_stride + c.channels), 0.5f);
  for (int64_t p = 0; p < c.pixels; ++p) {
    for (int64_t channel = 0; channel < c.channels; ++channel) {
      int64_t level = 0;
      for (int plane = 0; plane < c.planes; ++plane) {
        const int64_t at = plane * c.bits_plane_stride() + p * c.bits_pixel_stride + channel / 32;
        level += ((bits[static_cast<size_t>(at)] >> (channel % 32)) % 2) << plane;
      }
      const size_t index = static_cast<size_t>(level * c.padded() + channel);
      expected[static_cast<size_t>(out_start + p * out_stride + channel)] = values[index];
    }
  }
  for (const BitpackKernel* kernel : RunnableKernels()) {
    for (const Guard guard : test::kBothGuards) {
      INFO(Describe(*kernel, c), " planes ", c.planes, " out_start ", out_start);
      const GuardedBuffer<uint32_t> guarded_bits(bits, guard);
      const GuardedBuffer<float> guarded_values(values, guard);
      GuardedBuffer<float> out(std::vector<float>(expected.size(), 0.5f), guard);
      kernel->unpack({.pixels = c.pixels,
                      .channels = c.channels,
                      .bits = guarded_bits.data(),
                      .bits_pixel_stride = c.bits_pixel_stride,
                      .bits_plane_stride = c.bits_plane_stride(),
                      .planes = c.planes,
                      .values = guarded_values.data(),
                      .value_stride = c.padded(),
                      .out = out.data() + out_start,
                      .out_pixel_stride = out_stride});
      REQUIRE(out.ToVector() == expected);
      CHECK(out.SlackIntact());
    }
  }
}

TEST_CASE("unpack: every kernel equals the naive computation, touching nothing outside its ranges") {
  std::mt19937 random(2);
  for (int planes = 1; planes <= kMaxPlanes; ++planes) {
    for (const int64_t channels : kChannels) {
      for (const int64_t pixels : {1, 2, 3, 5, 8}) {
        for (const int64_t gap : {int64_t{0}, int64_t{3}}) {
          CheckUnpack({pixels, channels, Layout::kInterleaved, WordsFor(channels) + gap, planes}, channels + gap,
                      random);
        }
      }
    }
  }
}

// Also those that may be written as one run of memory: up to 31 channels of many pixels, and 36, 44, ... 124 from where
// a vector of 8 begins or from its middle.
TEST_CASE("unpack: rows that do not end with a vector") {
  std::mt19937 random(3);
  for (const int64_t channels : {1, 2, 3, 7, 8, 12, 28, 30, 31}) {
    for (const int64_t pixels : {63, 64, 65, 128, 135, 193, 271}) {
      for (const int64_t out_start : {0, 1}) {
        CheckUnpack({pixels, channels, Layout::kInterleaved, 1}, channels, random, out_start);
      }
      CheckUnpack({pixels, channels, Layout::kInterleaved, 2}, channels, random);
      CheckUnpack({pixels, channels, Layout::kInterleaved, 1}, channels + 1, random);
    }
  }
  for (int64_t channels = 36; channels <= 140; channels += 8) {
    for (const int64_t pixels : {4, 5, 6, 7, 8, 9, 19}) {
      for (const int64_t out_start : {0, 1, 4}) {
        CheckUnpack({pixels, channels, Layout::kInterleaved, WordsFor(channels)}, channels, random, out_start);
      }
      CheckUnpack({pixels, channels, Layout::kInterleaved, WordsFor(channels) + 1}, channels, random);
      CheckUnpack({pixels, channels, Layout::kInterleaved, WordsFor(channels)}, channels + 8, random);
    }
  }
}

TEST_CASE("the table ends with the reference, and selection respects its limit") {
  test::CheckTable(BitpackKernels(), [](Isa limit) { return SelectBitpack(limit); });
}

}  // namespace
}  // namespace bnn::kernels
