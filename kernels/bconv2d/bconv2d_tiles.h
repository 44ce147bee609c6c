// The loops around the inner loop of binary convolution, for vector kernels. ISA files only.
//
// Order: channel blocks, images, rows, tiles of pixels. The weights of one block (9 * K/32 * 128 bytes for a 3x3: 4.5
// KB at 128 input channels) then stay in L1 while the whole image passes, and the few input rows of a window stay in L1
// while a row is computed. The input is read once a block; bits are small, so it comes from L1 or L2 (28x28x128 with
// its halo is 14 KB).
#pragma once

#include "kernels/bconv2d/bconv2d_blocked.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tile_split.h"

namespace bnn::kernels {
namespace {

struct BConv2dTile {
  const uint32_t* in;         // the first word under the first pixel
  const uint32_t* weights;    // of the block
  const int32_t* base;        // of the row's first class and the block
  const uint16_t* col_class;  // of the first pixel; nullptr: all 0
  TilePlace place;
};

// `count` neighbouring tiles of kPixels pixels; `tile` moves on behind them. One function a tile size (never inlined
// into the loops), so that each gets its own register allocation.
template <class Counter, int kPixels>
BNN_NOINLINE void RunTiles(const BConv2dGeometry& geometry, const Epilogue& epilogue, int64_t count,
                           BConv2dTile& tile) {
  using V = typename Counter::Vector;
  const TapWalk walk = geometry.walk;
  const int64_t pixel_step = geometry.in_steps.pixel;
  for (; count > 0; --count) {
    IntTile<V, kPixels> counts;
    Counter::template Count<kPixels>(walk, tile.in, pixel_step, tile.weights, counts);
    const int32_t* base[kPixels];
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      base[p] = tile.base + (tile.col_class == nullptr ? 0 : tile.col_class[p] * geometry.base_step);
    }
    FinishCounts<V, kPixels>(epilogue, tile.place, base, counts);
    tile.in += kPixels * pixel_step;
    tile.place.col += kPixels;
    if (tile.col_class != nullptr) tile.col_class += kPixels;
  }
}

template <class Counter, int kPixels>
BNN_INLINE void RunTilesOf(int64_t pixels, const BConv2dGeometry& geometry, const Epilogue& epilogue, int64_t count,
                           BConv2dTile& tile) {
  if (pixels == kPixels) {
    RunTiles<Counter, kPixels>(geometry, epilogue, count, tile);
  } else if constexpr (kPixels > 1) {
    RunTilesOf<Counter, kPixels - 1>(pixels, geometry, epilogue, count, tile);
  }
}

template <class Counter>
BNN_INLINE void RunRow(const BConv2dGeometry& geometry, const BConv2dArgs& args, const TileSplit& split, int64_t image,
                       int64_t row, int64_t block) {
  const int64_t col_begin = geometry.extent.col_begin;
  const int64_t channel = block * kChannelBlock;
  BConv2dTile tile;
  tile.in =
      args.in + image * geometry.in_steps.image + row * geometry.in_steps.row + col_begin * geometry.in_steps.pixel;
  tile.weights = args.weights + block * geometry.block_words;
  tile.base = args.base + channel;
  tile.col_class = nullptr;
  if (args.row_class != nullptr) {
    tile.base += args.row_class[row] * args.num_col_classes * geometry.base_step;
    tile.col_class = args.col_class + col_begin;
  }
  const uint32_t lanes = block == geometry.last_block ? geometry.last_lanes : kAllLanes;
  tile.place = {image, row, col_begin, channel, lanes};

  constexpr int kMax = Counter::kMaxPixels;
  RunTilesOf<Counter, kMax>(split.pixels + 1, geometry, args.epilogue, split.longer, tile);
  RunTilesOf<Counter, kMax>(split.pixels, geometry, args.epilogue, split.tiles - split.longer, tile);
}

template <class Counter>
void RunBConv2dTiles(const BConv2dShape& shape, const BConv2dArgs& args) {
  const BConv2dGeometry geometry = ResolveBConv2d(shape, args);
  const Extent& extent = geometry.extent;
  const TileSplit split = SplitTiles(extent.col_end - extent.col_begin, Counter::kMaxPixels);
  for (int64_t block = args.block_begin; block < args.block_end; ++block) {
    for (int64_t image = extent.image_begin; image < extent.image_end; ++image) {
      for (int64_t row = extent.row_begin; row < extent.row_end; ++row) {
        RunRow<Counter>(geometry, args, split, image, row, block);
      }
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
