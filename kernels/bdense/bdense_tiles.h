// The loops around the inner loop of the binary dense layer, for vector kernels. ISA files only.
//
// A row is a pixel of a convolution with one tap, and the inner loops are the same. Many rows: channel blocks outside,
// tiles of rows inside, so that a block's weights are read from L1 for all but the first tile. A single row uses each
// weight once: it takes several blocks of channels at a time, which share the broadcast of the input word and read
// several streams of weights at once.
#pragma once

#include "kernels/bdense/bdense_blocked.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tile_split.h"

namespace bnn::kernels {
namespace {

// kPixels rows from `row` on, kBlocks channel blocks from `block` on.
template <class Counter, int kPixels, int kBlocks>
BNN_NOINLINE void RunDenseTile(const BDenseGeometry& geometry, const BDenseArgs& args, int64_t row, int64_t block) {
  using V = typename Counter::Vector;
  typename V::Int counts[kBlocks][kPixels][V::kVectors];
  Counter::template Count<kPixels, kBlocks>(geometry.walk, args.in + row * args.in_row_stride, args.in_row_stride,
                                            args.weights + block * geometry.block_words, geometry.block_words, counts);
  const int32_t* base[kPixels];
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) base[p] = geometry.base;
  BNN_UNROLL for (int b = 0; b < kBlocks; ++b) {
    const uint32_t lanes = block + b == geometry.last_block ? geometry.last_lanes : kAllLanes;
    FinishCounts<V, kPixels>(args.epilogue, {0, 0, row, (block + b) * kChannelBlock, lanes}, base, counts[b]);
  }
}

template <class Counter, int kPixels>
BNN_INLINE void RunDenseTileOf(int64_t rows, const BDenseGeometry& geometry, const BDenseArgs& args, int64_t row,
                               int64_t block) {
  if (rows == kPixels) {
    RunDenseTile<Counter, kPixels, 1>(geometry, args, row, block);
  } else if constexpr (kPixels > 1) {
    RunDenseTileOf<Counter, kPixels - 1>(rows, geometry, args, row, block);
  }
}

template <class Counter>
BNN_INLINE void RunSingleRow(const BDenseGeometry& geometry, const BDenseArgs& args) {
  int64_t block = args.block_begin;
  for (; block + Counter::kRowBlocks <= args.block_end; block += Counter::kRowBlocks) {
    RunDenseTile<Counter, 1, Counter::kRowBlocks>(geometry, args, args.row_begin, block);
  }
  for (; block < args.block_end; ++block) RunDenseTile<Counter, 1, 1>(geometry, args, args.row_begin, block);
}

template <class Counter>
void RunBDenseTiles(const BDenseShape& shape, const BDenseArgs& args) {
  const BDenseGeometry geometry = ResolveBDense(shape);
  if (args.row_end - args.row_begin == 1) {
    RunSingleRow<Counter>(geometry, args);
    return;
  }
  const TileSplit split = SplitTiles(args.row_end - args.row_begin, Counter::kMaxPixels);
  for (int64_t block = args.block_begin; block < args.block_end; ++block) {
    int64_t row = args.row_begin;
    for (int64_t t = 0; t < split.tiles; ++t) {
      const int64_t rows = split.pixels + (t < split.longer ? 1 : 0);
      RunDenseTileOf<Counter, Counter::kMaxPixels>(rows, geometry, args, row, block);
      row += rows;
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
