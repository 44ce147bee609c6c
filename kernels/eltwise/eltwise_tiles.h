// The loops of the element-wise epilogue, for vector kernels. ISA files only.
//
// Bound by memory, so the order follows it: images, rows, tiles of kEltwisePixels pixels, and within them the channel
// blocks. The tile amortizes the switch of each step and the loads of the per-channel parameters.
#pragma once

#include "kernels/bits.h"
#include "kernels/eltwise/eltwise.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/extent.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

inline constexpr int kEltwisePixels = 2;

template <class V, int kPixels>
BNN_NOINLINE void RunEltwiseTile(const EltwiseArgs& args, const TilePlace& at) {
  const float* in = args.in + TileOffset(args.in_strides, at) + at.channel;
  FloatTile<V, kPixels> y;
  if (at.lanes == kAllLanes) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) y[p][v] =
          V::Load(in + p * args.in_strides.pixel + v * V::kLanes);
    }
  } else {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        y[p][v] = V::LoadPart(in + p * args.in_strides.pixel + v * V::kLanes, at.lanes >> (v * V::kLanes));
      }
    }
  }
  FinishFloats<V, kPixels>(args.epilogue, at, 0, y);
}

template <class V, int kPixels>
BNN_INLINE void RunEltwisePixels(const EltwiseArgs& args, int64_t image, int64_t row, int64_t col) {
  for (int64_t channel = 0; channel < args.channels; channel += kChannelBlock) {
    const int64_t left = args.channels - channel;
    const uint32_t lanes = left >= kChannelBlock ? kAllLanes : (uint32_t{1} << left) - 1;
    RunEltwiseTile<V, kPixels>(args, {image, row, col, channel, lanes});
  }
}

template <class V>
void RunEltwiseTiles(const EltwiseArgs& args) {
  const Extent rows = {args.image_begin, args.image_end, args.row_begin, args.row_end, 0, args.out_w};
  const Extent extent = MergeRows(rows, args.out_h, args.out_w, args.in_strides, args.epilogue);
  for (int64_t image = extent.image_begin; image < extent.image_end; ++image) {
    for (int64_t row = extent.row_begin; row < extent.row_end; ++row) {
      int64_t col = extent.col_begin;
      for (; col + kEltwisePixels <= extent.col_end; col += kEltwisePixels) {
        RunEltwisePixels<V, kEltwisePixels>(args, image, row, col);
      }
      for (; col < extent.col_end; ++col) RunEltwisePixels<V, 1>(args, image, row, col);
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
