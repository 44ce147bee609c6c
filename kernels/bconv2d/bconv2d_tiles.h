// The loops around the inner loop of binary convolution, for vector kernels. ISA files only.
//
// Order: channel blocks, images, rows, tiles of pixels. The weights of one block (9 * K/32 * 128 bytes for a 3x3: 4.5
// KB at 128 input channels) then stay in L1 while the whole image passes, and the few input rows of a window stay in L1
// while a row is computed. The input is read once a block; bits are small, so it comes from L1 or L2 (28x28x128 with
// its halo is 14 KB).
#pragma once

#include "kernels/bconv2d/bconv2d_blocked.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tile_split.h"

namespace bnn::kernels {
namespace {

// Where the next tile starts: the first of its pixels, the first of its channel blocks.
struct BConv2dTile {
  const uint32_t* in;       // the first word under the first pixel
  const uint32_t* weights;  // of the first block
  TileBase base;            // of the row and the first block
  TilePlace place;
};

// `count` neighbouring tiles of kPixels pixels, `blocks` channel blocks each; `tile` moves on behind them. One function
// a tile size and epilogue (never inlined into the loops), so that each gets its own register allocation.
template <class Counter, int kPixels, Finish kFinish>
BNN_NOINLINE void RunTiles(const BConv2dGeometry& geometry, const Epilogue& epilogue, int64_t blocks, int64_t count,
                           BConv2dTile& tile) {
  using V = typename Counter::Vector;
  for (; count > 0; --count) {
    typename Counter::template Input<kPixels> input({geometry.walk, tile.in, geometry.in_steps.pixel});
    const uint32_t* weights = tile.weights;
    TileBase base = tile.base;
    TilePlace place = tile.place;
    int64_t block = blocks;
    do {
      IntTile<V, kPixels> halves;
      StartHalves<V, kPixels>(base, halves);
      Counter::template Count<kPixels>(input, weights, halves);
      FinishHalves<V, kPixels, kFinish>(epilogue, place, base, geometry.even_base, halves);
      weights += geometry.block_words;
      base.classes += kChannelBlock;
      place.channel += kChannelBlock;
    } while (--block > 0);
    tile.in += kPixels * geometry.in_steps.pixel;
    tile.place.col += kPixels;
    if (tile.base.col_class != nullptr) tile.base.col_class += kPixels;
  }
}

template <class Counter, int kPixels, Finish kFinish>
BNN_INLINE void RunTilesOf(int64_t pixels, const BConv2dGeometry& geometry, const Epilogue& epilogue, int64_t blocks,
                           int64_t count, BConv2dTile& tile) {
  if (pixels == kPixels) {
    RunTiles<Counter, kPixels, kFinish>(geometry, epilogue, blocks, count, tile);
  } else if constexpr (kPixels > 1) {
    RunTilesOf<Counter, kPixels - 1, kFinish>(pixels, geometry, epilogue, blocks, count, tile);
  }
}

// All pixels of the extent for channel blocks [block_begin, block_end), which have the same lanes.
template <class Counter, Finish kFinish>
void RunBlocks(const BConv2dGeometry& geometry, const BConv2dArgs& args, const TileSplit& split, int64_t block_begin,
               int64_t block_end) {
  const Extent& extent = geometry.extent;
  const int64_t channel = block_begin * kChannelBlock;
  const int64_t blocks = block_end - block_begin;
  for (int64_t image = extent.image_begin; image < extent.image_end; ++image) {
    for (int64_t row = extent.row_begin; row < extent.row_end; ++row) {
      BConv2dTile tile;
      tile.in = args.in + image * geometry.in_steps.image + row * geometry.in_steps.row +
                extent.col_begin * geometry.in_steps.pixel;
      tile.weights = args.weights + block_begin * geometry.block_words;
      tile.base = {args.base + channel, geometry.base_step, nullptr};
      if (args.row_class != nullptr) {
        tile.base.classes += args.row_class[row] * args.num_col_classes * geometry.base_step;
        tile.base.col_class = args.col_class + extent.col_begin;
      }
      tile.place = {image, row, extent.col_begin, channel, geometry.LanesOf(block_begin)};

      constexpr int kMax = Counter::kMaxPixels;
      constexpr int kStep = Counter::kPixelStep;
      const int64_t last = kStep > 1 && split.lacking > 0 ? 1 : 0;
      RunTilesOf<Counter, kMax, kFinish>(split.pixels + kStep, geometry, args.epilogue, blocks, split.longer, tile);
      RunTilesOf<Counter, kMax, kFinish>(split.pixels, geometry, args.epilogue, blocks,
                                         split.tiles - split.longer - last, tile);
      if constexpr (kStep > 1) {
        RunTilesOf<Counter, kMax, kFinish>(split.pixels - split.lacking, geometry, args.epilogue, blocks, last, tile);
      }
    }
  }
}

template <class Counter>
void RunBConv2dTiles(const BConv2dShape& shape, const BConv2dArgs& args) {
  const BConv2dGeometry geometry = ResolveBConv2d(shape, args, Counter::kOrder);
  const TileSplit split =
      SplitTiles(geometry.extent.col_end - geometry.extent.col_begin, Counter::kMaxPixels, Counter::kPixelStep);
  for (int64_t block = args.block_begin; block < args.block_end;) {
    const int64_t end = geometry.GroupEnd(block, args.block_end);
    switch (FinishOf(args.epilogue, geometry.even_base, geometry.LanesOf(block))) {
      case Finish::kAffineFloats:
        RunBlocks<Counter, Finish::kAffineFloats>(geometry, args, split, block, end);
        break;
      case Finish::kThresholdBits:
        RunBlocks<Counter, Finish::kThresholdBits>(geometry, args, split, block, end);
        break;
      case Finish::kAny:
        RunBlocks<Counter, Finish::kAny>(geometry, args, split, block, end);
        break;
    }
    block = end;
  }
}

}  // namespace
}  // namespace bnn::kernels
