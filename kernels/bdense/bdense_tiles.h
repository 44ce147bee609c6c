// The loops around the inner loop of the binary dense layer, for vector kernels. ISA files only.
//
// A row is a pixel of a convolution with one tap, and the inner loops are the same. Channel blocks outside, tiles of
// rows inside: a block's weights come from L1 for all but its first tile. A single row uses each weight once and is
// bound by reading them; one block after the other reads them in the order of memory. (Several blocks at once, that is
// several streams, were slower: 980 instead of 1240 GMAC/s at 1024 -> 1024 on Zen 5.)
#pragma once

#include "kernels/bdense/bdense_blocked.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tile_split.h"

namespace bnn::kernels {
namespace {

// kPixels rows from `row` on, channel blocks [block, block_end).
template <class Counter, int kPixels>
BNN_NOINLINE void RunDenseTile(const BDenseGeometry& geometry, const BDenseArgs& args, int64_t row, int64_t block,
                               int64_t block_end) {
  using V = typename Counter::Vector;
  const TileBase base = {geometry.base, 0, nullptr};
  typename Counter::template Input<kPixels> input(
      {geometry.walk, args.in + row * args.in_row_stride, args.in_row_stride});
  for (; block < block_end; ++block) {
    IntTile<V, kPixels> halves;
    StartHalves<V, kPixels>(base, halves);
    Counter::template Count<kPixels>(input, args.weights + block * geometry.block_words, halves);
    const uint32_t lanes = block == geometry.last_block ? geometry.last_lanes : kAllLanes;
    FinishHalves<V, kPixels, Finish::kAny>(args.epilogue, {0, 0, row, block * kChannelBlock, lanes}, base,
                                           geometry.even_base, halves);
  }
}

template <class Counter, int kPixels>
BNN_INLINE void RunDenseTileOf(int64_t rows, const BDenseGeometry& geometry, const BDenseArgs& args, int64_t row,
                               int64_t block, int64_t block_end) {
  if (rows == kPixels) {
    RunDenseTile<Counter, kPixels>(geometry, args, row, block, block_end);
  } else if constexpr (kPixels > 1) {
    RunDenseTileOf<Counter, kPixels - 1>(rows, geometry, args, row, block, block_end);
  }
}

template <class Counter>
void RunBDenseTiles(const BDenseShape& shape, const BDenseArgs& args) {
  const BDenseGeometry geometry = ResolveBDense(shape, Counter::kOrder);
  const TileSplit split = SplitTiles(args.row_end - args.row_begin, Counter::kMaxPixels, Counter::kPixelStep);
  for (int64_t block = args.block_begin; block < args.block_end; block += geometry.group_blocks) {
    const int64_t block_end = Smaller(block + geometry.group_blocks, args.block_end);
    int64_t row = args.row_begin;
    for (int64_t t = 0; t < split.tiles; ++t) {
      const int64_t rows = split.PixelsOf(t, Counter::kPixelStep);
      RunDenseTileOf<Counter, Counter::kMaxPixels>(rows, geometry, args, row, block, block_end);
      row += rows;
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
