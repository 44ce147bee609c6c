// Unpacking rows of 36, 44, ... 124 channels by vectors of 8 floats. ISA files only.
//
// Every second of these rows begins in the middle of a vector. Stored from its beginning, every second vector of it
// would lie in two cache lines, which takes L1 two cycles. So two rows are written as one, with a vector that belongs
// to both:
//
//   row 2 p                        |  row 2 p + 1
//   0..7  8..15  ...  104..111  112..115 0..3  4..11  12..19  ...  108..115     (116 channels)
//
// The second row's vectors want bits and values from channel 4 on. Values come from L1, two vectors of them for each
// that is stored, which alone would again take more than a cycle, so two such pairs of rows are written side by side
// with the values of both from registers, a cache line at a time: stores of a line must follow each other. All counts
// are known to the compiler, because loops over a few vectors take longer than their stores. 28x28x116 on Zen 4: 92 %
// of reading the same bytes, from the beginning of each row 77.
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack.h"
#include "kernels/bitpack/pixel_range.h"
#include "kernels/bitpack/with_size.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// V: Load(), Store(), Spread() and Choose() of bitunpack_tiles.h.
template <class V, int kChannels>
class HalfRows {
  static_assert(V::kLanes == 8 && kChannels % V::kLanes == V::kLanes / 2 && kChannels > 32);

 public:
  static constexpr int kPairs = 2;            // of rows, side by side
  static constexpr int kPixels = 2 * kPairs;  // a multiple of so many is unpacked

  static BNN_NOINLINE void Run(BitunpackArgs args) {
    const HalfRows rows(args.values, args.values + args.value_stride);
    for (int64_t p = 0; p < args.pixels; p += kPixels) {
      typename V::Int words[kPairs];
      BNN_UNROLL for (int v = 0; v + 1 < kVectors; v += 2) {
        rows.Store<2>(args.bits, args.bits_pixel_stride, v, words, args.out);
      }
      rows.Store<1>(args.bits, args.bits_pixel_stride, kVectors - 1, words, args.out);
      args.bits += kPixels * args.bits_pixel_stride;
      args.out += kPixels * kChannels;
    }
  }

 private:
  using Float = typename V::Float;
  static constexpr int kHalf = V::kLanes / 2;
  static constexpr int kShared = kChannels / V::kLanes;  // the vector of both rows, behind those of the first one
  static constexpr int kVectors = 2 * kShared + 1;
  static constexpr int kWordVectors = 4;
  static constexpr int kLastWord = kChannels / 32;

  BNN_INLINE HalfRows(const float* lo, const float* hi) : lo_(lo), hi_(hi) {
    Share(lo, shared_lo_);
    Share(hi, shared_hi_);
  }
  static BNN_INLINE void Share(const float* values, float* shared) {
    __builtin_memcpy(shared, values + kShared * V::kLanes, kHalf * sizeof(float));
    __builtin_memcpy(shared + kHalf, values, kHalf * sizeof(float));
  }

  // The vector's place in its row.
  static constexpr int PlaceOf(int vector) {
    if (vector == kShared) return 0;
    return vector < kShared ? vector : vector - kShared - 1;
  }

  static BNN_INLINE Float ValuesOf(const float* values, const float* shared, int vector) {
    if (vector == kShared) return V::Load(shared);
    return V::Load(values + PlaceOf(vector) * V::kLanes + (vector < kShared ? 0 : kHalf));
  }

  // The bits of this vector and of the next ones, up to kWordVectors.
  static BNN_INLINE uint32_t WordOf(const uint32_t* first, const uint32_t* second, int vector) {
    const int word = PlaceOf(vector) / kWordVectors;
    if (vector < kShared) return first[word];
    if (vector == kShared) {
      constexpr uint32_t kHalfBits = (1 << kHalf) - 1;
      return (first[kLastWord] >> (kShared % kWordVectors * V::kLanes) & kHalfBits) | second[0] << kHalf;
    }
    if (word == kLastWord) return second[word] >> kHalf;
    uint64_t bits;
    __builtin_memcpy(&bits, second + word, sizeof bits);
    return static_cast<uint32_t>(bits >> kHalf);
  }

  // kCount vectors of each pair. `words`: of each pair, kept from one vector to the next.
  template <int kCount>
  BNN_INLINE void Store(const uint32_t* bits, int64_t stride, int vector, typename V::Int (&words)[kPairs],
                        float* out) const {
    Float lo[kCount], hi[kCount];
    BNN_UNROLL for (int v = 0; v < kCount; ++v) {
      lo[v] = ValuesOf(lo_, shared_lo_, vector + v);
      hi[v] = ValuesOf(hi_, shared_hi_, vector + v);
    }
    BNN_UNROLL for (int i = 0; i < kPairs; ++i) {
      const uint32_t* const first = bits + 2 * i * stride;
      BNN_UNROLL for (int v = 0; v < kCount; ++v) {
        const int part = PlaceOf(vector + v) % kWordVectors;
        if (part == 0) words[i] = V::Spread(WordOf(first, first + stride, vector + v));
        V::Store(out + 2 * i * kChannels + (vector + v) * V::kLanes, V::Choose(words[i], part, lo[v], hi[v]));
      }
    }
  }

  const float* lo_;
  const float* hi_;
  alignas(32) float shared_lo_[8], shared_hi_[8];
};

// Unpacks the returned pixels, which may be none.
template <class V>
PixelRange UnpackHalfRows(const BitunpackArgs& args) {
  constexpr int kMost = 12;  // 124 channels
  constexpr int kPixels = 4;
  const int64_t size = (args.channels - 28) / 8;
  const auto place = reinterpret_cast<uintptr_t>(args.out) / sizeof(float) % V::kLanes;
  if (args.channels % 8 != 4 || size < 1 || size > kMost || args.out_pixel_stride != args.channels || place % 4 != 0) {
    return {};
  }
  const int64_t first = place == 0 ? 0 : 1;
  const PixelRange range = {first, (args.pixels - first) / kPixels * kPixels};
  if (range.count <= 0) return {};
  WithSize<kMost>(size, [&](auto n) {
    using Rows = HalfRows<V, 8 * n.value + 28>;
    static_assert(Rows::kPixels == kPixels);
    Rows::Run(PixelsOf(args, range));
  });
  return range;
}

}  // namespace
}  // namespace bnn::kernels
