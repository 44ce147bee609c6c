// Unpacking rows of up to 31 channels. ISA files only.
//
// As many pixels as a vector has lanes are as many vectors of floats as there are channels, and a vector has the words
// of all of them. So each vector of floats is: the words, each moved to the lanes of its pixel; of each lane the bit of
// its channel; the values of these. Which words, bits and values is the same for all such groups of pixels and stands
// in tables, which L1 holds; they are loaded once for kTogether groups.
//
//   lane      0 1 2 3 4 5 6 7 | 0 1 2 3 4 5 6 7 | 0 1 2 3 4 5 6 7     (3 channels, vectors of 8)
//   pixel     0 0 0 1 1 1 2 2 | 2 3 3 3 4 4 4 5 | 5 5 6 6 6 7 7 7
//   channel   0 1 2 0 1 2 0 1 | 2 0 1 2 0 1 2 0 | 1 2 0 1 2 0 1 2
//
// V is a wrapper of kernels/x86/vec_*.h with, in addition,
//   PickWords(words, pixels)           lane l: the word of pixel pixels[l]
//   MarkOf(channel)                    what marks the bit of a channel
//   ChooseMarked(words, marks, lo, hi) lane l: hi where the marked bit of its word is set, else lo
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack.h"
#include "kernels/bitpack/pixel_range.h"
#include "kernels/bits.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

template <class V>
class NarrowRows {
 public:
  static constexpr int kGroup = V::kLanes;  // a multiple of so many pixels is unpacked

  static BNN_NOINLINE void Run(const BitunpackArgs& args) {
    const NarrowRows rows(args);
    int64_t p = 0;
    for (; p + kTogether * kGroup <= args.pixels; p += kTogether * kGroup) {
      rows.Unpack<kTogether>(args.bits + p, args.out + p * args.channels);
    }
    for (; p < args.pixels; p += kGroup) rows.Unpack<1>(args.bits + p, args.out + p * args.channels);
  }

 private:
  explicit NarrowRows(const BitunpackArgs& args) : channels_(args.channels) {
    int32_t marks[kBitsPerWord];
    for (int c = 0; c < kBitsPerWord; ++c) marks[c] = V::MarkOf(c);
    for (int p = 0; p < kGroup; ++p) {
      // In whole vectors, of which the next pixel overwrites what is too much.
      for (int64_t c = 0; c < channels_; c += V::kLanes) {
        const int64_t at = p * channels_ + c;
        V::StoreInt(pixels_ + at, V::SplatInt(p));
        V::StoreInt(marks_ + at, V::LoadInt(marks + c));
        V::Store(lo_ + at, V::Load(args.values + c));
        V::Store(hi_ + at, V::Load(args.values + args.value_stride + c));
      }
    }
  }

  static constexpr int kTogether = 4;
  static constexpr int64_t kTableSize = kBitsPerWord * kGroup;

  template <int kGroups>
  BNN_INLINE void Unpack(const uint32_t* bits, float* out) const {
    const int64_t group_floats = channels_ * kGroup;
    typename V::Int words[kGroups];
    BNN_UNROLL for (int i = 0; i < kGroups; ++i) {
      words[i] = V::LoadInt(reinterpret_cast<const int32_t*>(bits + i * kGroup));
    }
    for (int64_t at = 0; at < group_floats; at += V::kLanes) {
      const typename V::Int pixels = V::LoadInt(pixels_ + at), marks = V::LoadInt(marks_ + at);
      const typename V::Float lo = V::Load(lo_ + at), hi = V::Load(hi_ + at);
      BNN_UNROLL for (int i = 0; i < kGroups; ++i) {
        V::Store(out + i * group_floats + at, V::ChooseMarked(V::PickWords(words[i], pixels), marks, lo, hi));
      }
    }
  }

  const int64_t channels_;
  // [pixel of a group][channel]
  alignas(64) int32_t pixels_[kTableSize], marks_[kTableSize];
  alignas(64) float lo_[kTableSize], hi_[kTableSize];
};

// Unpacks the returned pixels, which may be none.
template <class V>
PixelRange UnpackNarrowRows(const BitunpackArgs& args) {
  using Rows = NarrowRows<V>;
  constexpr int64_t kWorthTables = 8 * Rows::kGroup;
  if (args.channels >= kBitsPerWord || args.out_pixel_stride != args.channels || args.bits_pixel_stride != 1 ||
      args.pixels < kWorthTables) {
    return {};
  }
  const PixelRange range = {0, args.pixels / Rows::kGroup * Rows::kGroup};
  Rows::Run(PixelsOf(args, range));
  return range;
}

}  // namespace
}  // namespace bnn::kernels
