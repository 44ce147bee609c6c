// The loops around the inner loop of binary convolution and of the binary dense layer, for vector kernels. ISA files
// only.
//
// Order: groups of channel blocks, images, rows, tiles of pixels, and within a tile the blocks of the group. The
// weights of a group (of one block of a 3x3 over 128 channels: 4.5 KB) stay in the cache that the counter's order names
// while the whole image passes. A tile's input, a few rows of packed bits, is in L1 for all blocks but the first, and
// its output is written in runs of the group's channels: where all blocks fit, pixel by pixel from end to end. (One
// block at a time was 3 % slower at 3x3 over 128 channels, and a quarter slower at 1x1 over 64.)
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/simd/balance.h"
#include "kernels/simd/binary_tiles.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/held_pixels.h"
#include "kernels/simd/held_tiles.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/pixel_finish.h"
#include "kernels/simd/short_levels.h"
#include "kernels/simd/tile_cursor.h"
#include "kernels/simd/tile_split.h"
#include "kernels/simd/window_tiles.h"

namespace bnn::kernels {
namespace {

// All pixels of the extent for channel blocks [block_begin, block_end), a group.
template <class Tiles, class AnyEpilogue>
BNN_NOINLINE void RunBlocks(const BinaryTiles& tiles, const AnyEpilogue& epilogue, int64_t block_begin,
                            int64_t block_end) {
  constexpr int kMax = Tiles::kMaxPixels;
  constexpr int kStep = Tiles::kPixelStep;
  const Extent& extent = tiles.extent;
  const TileSplit split = SplitTiles(extent.col_end - extent.col_begin, kMax, kStep);
  const int64_t channel = block_begin * kChannelBlock;
  const int64_t blocks = block_end - block_begin;
  TileCursor tile;
  const bool has_next = block_end + blocks <= tiles.block_end;
  tile.ahead = {blocks * tiles.block_words, tiles.block_words / WeightsAhead::kTiles,
                has_next ? WeightsAhead::kTiles : 0};
  // All rows of an image are one run of tiles where they are alike.
  const int64_t last = kStep > 1 && split.lacking > 0 ? 1 : 0;
  const bool is_alike = tiles.row_class == nullptr && split.longer + last == 0;
  const int64_t rows = is_alike ? extent.row_end - extent.row_begin : 1;
  tile.tiles_in_row = is_alike ? split.tiles : 0;
  for (int64_t image = extent.image_begin; image < extent.image_end; ++image) {
    for (int64_t row = extent.row_begin; row < extent.row_end; row += rows) {
      tile.in =
          tiles.in + image * tiles.in_steps.image + row * tiles.in_steps.row + extent.col_begin * tiles.in_steps.pixel;
      tile.weights = tiles.weights + block_begin * tiles.block_words;
      tile.base = {tiles.base + block_begin * tiles.base_block_step, tiles.class_step, nullptr, *tiles.base >> 1};
      if (tiles.row_class != nullptr) {
        tile.base.classes += tiles.row_class[row] * tiles.num_col_classes * tiles.class_step;
        tile.base.col_class = tiles.col_class + extent.col_begin;
      }
      tile.place = {image, row, extent.col_begin, channel, tiles.LanesOf(block_begin)};
      tile.left_in_row = tile.tiles_in_row;
      Tiles::Run(split.pixels + kStep, tiles, epilogue, blocks, split.longer, tile);
      Tiles::Run(split.pixels, tiles, epilogue, blocks, (split.tiles - split.longer - last) * rows, tile);
      if constexpr (kStep > 1) Tiles::Run(split.pixels - split.lacking, tiles, epilogue, blocks, last, tile);
    }
  }
}

// The length of windows that HeldTiles are for; 0 for all others.
BNN_INLINE int64_t HeldWords(const BinaryTiles& tiles) {
  const int64_t words = tiles.walk.words;
  const bool is_one_run = tiles.walk.rows * tiles.walk.cols == 1 && tiles.row_class == nullptr;
  return is_one_run && (words <= 4 || words == 8) ? words : 0;
}

template <class Counter, class Finish>
BNN_INLINE void RunHeld(const BinaryTiles& tiles, const EpilogueOf<Finish>& epilogue, int64_t block_begin,
                        int64_t block_end, Finish) {
  const auto run = [&]<int kWords>() BNN_INLINE_LAMBDA {
    RunBlocks<HeldTiles<Counter, kWords, Finish>>(tiles, epilogue, block_begin, block_end);
  };
  switch (tiles.walk.words) {
    case 1:
      return run.template operator()<1>();
    case 2:
      return run.template operator()<2>();
    case 3:
      return run.template operator()<3>();
    case 4:
      return run.template operator()<4>();
    default:
      return run.template operator()<8>();
  }
}

// All pixels by a finish that takes half accumulators, with the tiles that suit it and the window.
template <class Counter, class Finish>
BNN_INLINE void RunGroup(const BinaryTiles& tiles, const EpilogueOf<Finish>& epilogue, int64_t block_begin,
                         int64_t block_end, Finish finish) {
  if constexpr (HoldsPixels<Counter> && kHasHeldPixels<Finish>) {
    constexpr int kWords = 2;
    using Tiles = HeldPixels<Counter, kWords, Finish>;
    if (HeldWords(tiles) == kWords && Tiles::Suits(tiles, epilogue, block_end - block_begin)) {
      return RunBlocks<Tiles>(tiles, epilogue, block_begin, block_end);
    }
  }
  if constexpr (HoldsWeights<Counter> && !std::is_same_v<Finish, AnyFinish>) {
    if (HeldWords(tiles) > 0) return RunHeld<Counter>(tiles, epilogue, block_begin, block_end, finish);
  }
  if constexpr (HoldsWeights<Counter> && !kIsRare<Finish>) {
    using OneRun = RegisterTiles<Counter, Finish, Window::kOneRun>;
    using Rows = RegisterTiles<Counter, Finish, Window::kRows>;
    if (OneRun::Suits(tiles)) return RunBlocks<OneRun>(tiles, epilogue, block_begin, block_end);
    if (Rows::Suits(tiles)) return RunBlocks<Rows>(tiles, epilogue, block_begin, block_end);
  }
  if constexpr (!Counter::kSumsInMemory && !kIsRare<Finish>) {
    using Any = RegisterTiles<Counter, Finish, Window::kAny>;
    if (Any::Suits(tiles)) return RunBlocks<Any>(tiles, epilogue, block_begin, block_end);
  }
  MemoryEpilogue<Counter> by_function = {FinishFromMemory<typename Counter::Vector, Finish>::Run, nullptr, epilogue};
  if constexpr (Counter::kSumsInMemory && !std::is_same_v<Finish, AnyFinish>) {
    by_function.finish_sums = FinishFromSums<Counter, Finish>::Run;
  }
  RunBlocks<MemoryTiles<Counter>>(tiles, by_function, block_begin, block_end);
}

// Levels of kPlanes bits by narrow thresholds, of as many channel blocks at a time as there is room for thresholds.
template <class Counter, int kPlanes>
BNN_INLINE void RunShortLevels(const BinaryTiles& tiles, const Epilogue& epilogue, int64_t block_begin,
                               int64_t block_end) {
  alignas(64) int16_t thresholds[kShortThresholds * kChannelBlock];
  constexpr int64_t kMost = kShortThresholds / ((1 << kPlanes) - 1) / Counter::kBlocks * Counter::kBlocks;
  for (int64_t begin = block_begin; begin < block_end; begin += kMost) {
    const int64_t end = begin + kMost < block_end ? begin + kMost : block_end;
    NarrowThresholds<typename Counter::Vector>(epilogue, begin, end, tiles.balance.rest, thresholds);
    const ShortLevelEpilogue narrowed = {epilogue, thresholds, begin};
    RunGroup<Counter>(tiles, narrowed, begin, end, ShortLevels<kPlanes>{});
  }
}

// A group of channel blocks by the finish that its epilogue is. Chains: the epilogues that get code of their own
// (kernels/simd/pixel_finish.h).
template <class Counter, class Chains>
BNN_INLINE void RunFinish(const BinaryTiles& tiles, const Epilogue& epilogue, int64_t block_begin, int64_t block_end) {
  if constexpr (HasShorts<typename Counter::Vector>) {
    const bool is_level = epilogue.planes > 1 && epilogue.bits != nullptr && epilogue.int_thresholds != nullptr;
    const bool is_short = tiles.even_base && tiles.max_acc <= kMaxShortAcc;
    if (is_level && is_short && tiles.Pixels() >= kMinShortPixels) {
      static_assert(kMaxPlanes == 4);
      if (epilogue.planes == 2) return RunShortLevels<Counter, 2>(tiles, epilogue, block_begin, block_end);
      if (epilogue.planes == 3) return RunShortLevels<Counter, 3>(tiles, epilogue, block_begin, block_end);
      return RunShortLevels<Counter, 4>(tiles, epilogue, block_begin, block_end);
    }
  }
  WithFinish<Chains>(epilogue, tiles.even_base, tiles.LanesOf(block_end - 1), [&](auto finish) BNN_INLINE_LAMBDA {
    RunGroup<Counter>(tiles, epilogue, block_begin, block_end, finish);
  });
}

template <class Counter, class Chains>
BNN_INLINE void RunBinaryTiles(BinaryTiles& tiles, const Epilogue& epilogue) {
  if constexpr (HoldsWeights<Counter>) {
    const int64_t held = HeldWords(tiles);
    if (held > 0) tiles.balance = BalanceWindow(held, tiles.tap_channels, tiles.planes);
  }
  for (int64_t block = tiles.block_begin; block < tiles.block_end;) {
    const int64_t end = tiles.GroupEnd(block, Counter::kBlocks);
    RunFinish<Counter, Chains>(tiles, epilogue, block, end);
    block = end;
  }
}

}  // namespace
}  // namespace bnn::kernels
