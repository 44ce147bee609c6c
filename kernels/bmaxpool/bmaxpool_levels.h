// Max-pooling of elements of several bits, for all vector instruction sets: tap by tap, a vector of words of every
// plane at once. ISA files only.
//
// V supplies, besides what bmaxpool_rows.h says, Xor and Choose(mask, yes, no), bit by bit.
#pragma once

#include <cstdint>

#include "kernels/bmaxpool/bmaxpool_window.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/lanes.h"

namespace bnn::kernels {
namespace {

// Words of levels, plane by plane.
template <class V, int kPlanes>
struct LevelWords {
  typename V::Int plane[kPlanes];

  BNN_INLINE void Load(const uint32_t* words, int64_t plane_step, uint32_t lanes) {
    BNN_UNROLL for (int i = 0; i < kPlanes; ++i) plane[i] = V::LoadWordsPart(words + i * plane_step, lanes);
  }
  BNN_INLINE void Store(uint32_t* words, int64_t plane_step, uint32_t lanes) const {
    BNN_UNROLL for (int i = 0; i < kPlanes; ++i) V::StoreWordsPart(words + i * plane_step, lanes, plane[i]);
  }

  // Each level becomes the higher one of its own and the other's. Of numbers the highest digit that differs decides, so
  // from the lowest plane up each one that differs overrules those before.
  BNN_INLINE void Raise(const LevelWords& other) {
    typename V::Int other_wins = V::Zero();
    BNN_UNROLL for (int i = 0; i < kPlanes; ++i) {
      other_wins = V::Choose(V::Xor(plane[i], other.plane[i]), other.plane[i], other_wins);
    }
    BNN_UNROLL for (int i = 0; i < kPlanes; ++i) plane[i] = V::Choose(other_wins, other.plane[i], plane[i]);
  }
};

template <class V, int kPlanes>
BNN_INLINE void PoolLevelsOfPixel(const BMaxPoolShape& shape, const BMaxPoolArgs& args, const uint32_t* image,
                                  const WindowTaps& rows, const WindowTaps& cols, uint32_t* out) {
  const int64_t words = WordsFor(shape.channels);
  for (int64_t word = 0; word < words; word += V::kLanes) {
    const uint32_t lanes = FirstLanes(words - word);
    LevelWords<V, kPlanes> highest;
    BNN_UNROLL for (int i = 0; i < kPlanes; ++i) highest.plane[i] = V::Zero();
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      for (int64_t j = cols.begin; j < cols.end; ++j) {
        const int64_t y = rows.first + i * shape.dilation_h;
        const int64_t x = cols.first + j * shape.dilation_w;
        LevelWords<V, kPlanes> tap;
        tap.Load(image + y * args.in_strides.row + x * args.in_strides.pixel + word, args.in_strides.plane, lanes);
        highest.Raise(tap);
      }
    }
    highest.Store(out + word, args.out_strides.plane, lanes);
  }
}

template <class V, int kPlanes>
void PoolLevels(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  for (int64_t n = args.image_begin; n < args.image_end; ++n) {
    const uint32_t* const image = args.in + n * args.in_strides.image;
    for (int64_t y = args.row_begin; y < args.row_end; ++y) {
      const WindowTaps rows =
          TapsInside(y, shape.stride_h, shape.dilation_h, shape.pad_top, shape.kernel_h, shape.in_h);
      uint32_t* out = args.out + n * args.out_strides.image + y * args.out_strides.row;
      for (int64_t x = 0; x < shape.out_w; ++x, out += args.out_strides.pixel) {
        const WindowTaps cols =
            TapsInside(x, shape.stride_w, shape.dilation_w, shape.pad_left, shape.kernel_w, shape.in_w);
        PoolLevelsOfPixel<V, kPlanes>(shape, args, image, rows, cols, out);
      }
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
