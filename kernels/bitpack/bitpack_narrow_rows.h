// Packing rows of few channels that follow each other without gaps (NHWC). ISA files only.
//
// Pixel by pixel that would be a part of a vector for each word. But 32 pixels of c channels are c words' worth of
// floats, so they are packed as one pixel of 32 * c channels, whose thresholds are those of c channels again and again.
// That gives the bits of pixel p from bit p * c on, from where they are picked, a vector of pixels at a time.
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack.h"
#include "kernels/bits.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// With more channels, or fewer pixels, packing pixel by pixel is as fast.
inline bool HasNarrowRows(const BitpackArgs& args) {
  constexpr int64_t kMostChannels = 20, kFewestPixels = 192;
  return args.channels <= kMostChannels && args.pixels >= kFewestPixels && args.in_pixel_stride == args.channels &&
         args.bits_pixel_stride == 1;
}

// Packs a multiple of 32 pixels, all but up to 31, and returns their number. pack(args): packs pixels of any multiple
// of 32 channels.
template <class V, class Fn>
BNN_NOINLINE int64_t PackNarrowRows(const BitpackArgs& args, const Fn& pack) {
  using Bits = typename V::PixelBits;
  constexpr int64_t kPeriod = kBitsPerWord;  // pixels whose bits are whole words
  constexpr int64_t kMostPeriods = 16;       // at a time, 2 KB of bits
  const int64_t channels = args.channels;
  alignas(64) float thresholds[kPeriod * kBitsPerWord];
  for (int64_t p = 0; p < kPeriod; ++p) {
    // In whole vectors, of which the next pixel overwrites what is too much.
    for (int64_t c = 0; c < channels; c += V::kLanes) {
      V::Store(thresholds + p * channels + c, V::Load(args.thresholds + c));
    }
  }
  alignas(64) uint32_t strings[kMostPeriods * kBitsPerWord + Bits::kReadsBytes / sizeof(uint32_t)];
  const Bits bits(static_cast<int>(channels));
  const int64_t periods = args.pixels / kPeriod;
  for (int64_t period = 0; period < periods; period += kMostPeriods) {
    BitpackArgs long_pixels;
    long_pixels.pixels = periods - period < kMostPeriods ? periods - period : kMostPeriods;
    long_pixels.channels = kPeriod * channels;
    long_pixels.in = args.in + period * long_pixels.channels;
    long_pixels.in_pixel_stride = long_pixels.channels;
    long_pixels.thresholds = thresholds;
    long_pixels.bits = strings;
    long_pixels.bits_pixel_stride = channels;
    pack(long_pixels);
    const char* from = reinterpret_cast<const char*>(strings);
    uint32_t* to = args.bits + period * kPeriod;
    for (int64_t p = 0; p < long_pixels.pixels * kPeriod; p += Bits::kPixels) {
      bits.Store(from, to + p);
      from += channels * (Bits::kPixels / 8);
    }
  }
  return periods * kPeriod;
}

}  // namespace
}  // namespace bnn::kernels
