// The loops around the inner loop of binary convolution and of the binary dense layer, for vector kernels. ISA files
// only.
//
// Order: groups of channel blocks, images, rows, tiles of pixels, and within a tile the blocks of the group. The
// weights of a group (of one block of a 3x3 over 128 channels: 4.5 KB) stay in the cache that the counter's order names
// while the whole image passes. A tile's input, a few rows of packed bits, is in L1 for all blocks but the first, and
// its output is written in runs of the group's channels: where all blocks fit, pixel by pixel from end to end. (One
// block at a time was 3 % slower at 3x3 over 128 channels, and a quarter slower at 1x1 over 64.)
#pragma once

#include <type_traits>

#include "kernels/simd/binary_tiles.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/pixel_finish.h"
#include "kernels/simd/short_levels.h"
#include "kernels/simd/tile_split.h"

namespace bnn::kernels {
namespace {

// The first tiles of a group bring the weights of the next one into the cache, each a fourth of them. Those of a
// network come from L3, and of a 7x7 image there are but 7 tiles to make up for the waiting. (In ReActNet on Zen 5,
// layers of 512 and 1024 channels gain 4 to 8 points. All at once, in front of a tile, the hints delay it by more than
// they gain.)
struct WeightsAhead {
  static constexpr int kTiles = 4;

  int64_t next_group;  // words from a block to the block of its place in the next group
  int64_t part;        // words
  int tiles_left;

  BNN_INLINE int64_t OfNextTile() {
    if (tiles_left == 0) return 0;
    return next_group + part * (kTiles - tiles_left--);
  }
};

// Where the next tile starts: the first of its pixels, the first of its channel blocks.
struct TileCursor {
  const uint32_t* in;       // the first word under the first pixel
  const uint32_t* weights;  // of the first block
  TileBase base;            // of the row and the first block
  TilePlace place;
  WeightsAhead ahead;
};

// What lies under a tile of input of one plane, and the half accumulators of a channel block, or of the kBlocks that
// are counted together.
template <class Counter, int kPixels>
class PlaneCounts {
 public:
  using V = typename Counter::Vector;
  using Halves = IntTile<V, kPixels>[Counter::kBlocks];

  BNN_INLINE PlaneCounts(const BinaryTiles& tiles, const uint32_t* in, int64_t ahead) {
    input_.Start({&tiles.walk, in, tiles.in_steps.pixel, ahead});
  }

  // `second`: of the second block, if there is one.
  BNN_INLINE void Count(const TileBase& base, const TileBase& second, bool same, const uint32_t* weights,
                        int64_t block_words, Halves& halves) {
    StartHalves<V, kPixels>(base, same, halves[0]);
    if constexpr (Counter::kBlocks == 2) StartHalves<V, kPixels>(second, same, halves[1]);
    Counter::template Count<kPixels>(input_, weights, block_words, halves);
  }

 private:
  typename Counter::template Input<kPixels> input_;
};

// The same of input of several planes.
template <class Counter, int kPixels>
class LevelCounts {
 public:
  using V = typename Counter::Vector;
  using Halves = IntTile<V, kPixels>[Counter::kBlocks];

  BNN_INLINE LevelCounts(const BinaryTiles& tiles, const uint32_t* in, int64_t ahead) : planes_(tiles.planes) {
    for (int plane = 0; plane < planes_; ++plane) {
      const bool is_first = plane + 1 == planes_;  // it alone has weights to prefetch
      inputs_[plane].Start(
          {&tiles.walk, in + plane * tiles.in_steps.plane, tiles.in_steps.pixel, is_first ? ahead : 0});
    }
  }

  BNN_INLINE void Count(const TileBase& base, const TileBase& second, bool same, const uint32_t* weights,
                        int64_t block_words, Halves& halves) {
    BNN_UNROLL for (int b = 0; b < Counter::kBlocks; ++b) {
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) halves[b][p][v] = V::Zero();
      }
    }
    int plane = planes_ - 1;
    do {
      Counter::template Count<kPixels>(inputs_[plane], weights, block_words, halves);
      if (plane > 1) {
        BNN_UNROLL for (int b = 0; b < Counter::kBlocks; ++b) TwiceTile<V, kPixels>(halves[b]);
      } else if (plane == 1) {  // the constants join in the last pass over the sums
        TwicePlusStart<V, kPixels>(base, same, halves[0]);
        if constexpr (Counter::kBlocks == 2) TwicePlusStart<V, kPixels>(second, same, halves[1]);
      }
    } while (--plane >= 0);
  }

 private:
  int planes_;
  typename Counter::template Input<kPixels> inputs_[kMaxPlanes];
};

// Tiles of any window: sums of a tile stay in registers while the counter walks the window, then they are finished.
// Counts is PlaneCounts or LevelCounts.
template <class Counter, template <class, int> class Counts, class Finish>
struct WindowTiles {
  static constexpr int kMaxPixels = Counter::kMaxPixels;
  static constexpr int kPixelStep = Counter::kPixelStep;

  // `count` neighbouring tiles of kPixels pixels, `blocks` channel blocks each; `tile` moves on behind them. One
  // function a tile size and epilogue (never inlined into the loops), so that each gets its own register allocation.
  template <int kPixels>
  static BNN_NOINLINE void Run(const BinaryTiles& tiles, const EpilogueOf<Finish>& epilogue, int64_t blocks,
                               int64_t count, TileCursor& tile) {
    using V = typename Counter::Vector;
    for (; count > 0; --count) {
      Counts<Counter, kPixels> counts(tiles, tile.in, tile.ahead.OfNextTile());
      const uint32_t* weights = tile.weights;
      TileBase base = tile.base;
      TileFinish<V, kPixels, Finish> finish(epilogue, tile.place, tiles.even_base);
      TilePlace place = tile.place;
      const bool same_base = base.IsSame<kPixels>();
      int64_t left = blocks;
      do {
        // Blocks that are counted at once. Halves of two blocks are in memory anyway, so one epilogue serves both.
        const int together = left < Counter::kBlocks ? 1 : Counter::kBlocks;
        const int64_t block_words = together > 1 ? tiles.block_words : 0;
        IntTile<V, kPixels> halves[Counter::kBlocks];
        TileBase second = base;
        if (together == 2) second.classes += tiles.base_block_step;
        counts.Count(base, second, same_base, weights, block_words, halves);
        BNN_NO_UNROLL for (int b = 0; b < together; ++b) {
          finish.Run(place, base, halves[b]);
          weights += tiles.block_words;
          base.classes += tiles.base_block_step;
          place.channel += kChannelBlock;
          if constexpr (Counter::kBlocks == 2) place.lanes = tiles.LanesOf(place.channel / kChannelBlock);
        }
        left -= together;
      } while (left > 0);
      tile.in += kPixels * tiles.in_steps.pixel;
      tile.place.col += kPixels;
      if (tile.base.col_class != nullptr) tile.base.col_class += kPixels;
    }
  }
};

// Tiles of windows of a few words in one run (1x1 over 64 channels: 2 words). Here it is the input that stays in
// registers, for all channel blocks, and each sum is finished as soon as it is counted: the window costs so little that
// loads, stores and the steps of the epilogue must overlap with it. (1x1 56x56 64 -> 256 on Zen 5, as tiles of any
// window and like this: floats 45 and 59 % of the limit, bits 58 and 75 %. Floats are then bound by stores: 3.2 MB go
// to L3 at 110 GB/s, which is what a loop of stores alone reaches.)
template <class Counter, int kWords, class Finish>
struct HeldTiles {
  static constexpr int kHeldPixels = Counter::kHeldWords / kWords;
  static constexpr int kMaxPixels = kHeldPixels < Counter::kMaxPixels ? kHeldPixels : Counter::kMaxPixels;
  static constexpr int kPixelStep = 1;

  template <int kPixels>
  static BNN_NOINLINE void Run(const BinaryTiles& tiles, const Epilogue& epilogue, int64_t blocks, int64_t count,
                               TileCursor& tile) {
    using V = typename Counter::Vector;
    const int64_t in_step = tiles.in_steps.pixel;
    const int64_t base_step = tiles.base_block_step;
    const int64_t end = tile.place.channel + blocks * kChannelBlock;
    for (; count > 0; --count) {
      typename V::Int in[kPixels][kWords];
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
        BNN_UNROLL for (int k = 0; k < kWords; ++k) in[p][k] = Counter::Hold(tile.in[p * in_step + k]);
      }
      PixelFinish<V, Finish> finish(epilogue, tile.place);
      const uint32_t* weights = tile.weights;
      const int32_t* base = tile.base.classes;
      for (int64_t channel = tile.place.channel; channel < end; channel += kChannelBlock) {
        typename V::Int start[V::kVectors];
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) start[v] = V::Half(V::LoadInt(base + v * V::kLanes));
        finish.Start(channel, tile.place.lanes);
        Counter::template CountHeld<kPixels, kWords>(in, weights, start, finish);
        weights += kWords * kChannelBlock;
        base += base_step;
      }
      tile.in += kPixels * in_step;
      tile.place.col += kPixels;
    }
  }
};

template <class Tiles, int kPixels, class AnyEpilogue>
BNN_INLINE void RunTilesOf(int64_t pixels, const BinaryTiles& tiles, const AnyEpilogue& epilogue, int64_t blocks,
                           int64_t count, TileCursor& tile) {
  if (pixels == kPixels) {
    Tiles::template Run<kPixels>(tiles, epilogue, blocks, count, tile);
  } else if constexpr (kPixels > 1) {
    RunTilesOf<Tiles, kPixels - 1>(pixels, tiles, epilogue, blocks, count, tile);
  }
}

// All pixels of the extent for channel blocks [block_begin, block_end), a group.
template <class Tiles, class AnyEpilogue>
void RunBlocks(const BinaryTiles& tiles, const AnyEpilogue& epilogue, int64_t block_begin, int64_t block_end) {
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
  for (int64_t image = extent.image_begin; image < extent.image_end; ++image) {
    for (int64_t row = extent.row_begin; row < extent.row_end; ++row) {
      tile.in =
          tiles.in + image * tiles.in_steps.image + row * tiles.in_steps.row + extent.col_begin * tiles.in_steps.pixel;
      tile.weights = tiles.weights + block_begin * tiles.block_words;
      tile.base = {tiles.base + block_begin * tiles.base_block_step, tiles.class_step, nullptr};
      if (tiles.row_class != nullptr) {
        tile.base.classes += tiles.row_class[row] * tiles.num_col_classes * tiles.class_step;
        tile.base.col_class = tiles.col_class + extent.col_begin;
      }
      tile.place = {image, row, extent.col_begin, channel, tiles.LanesOf(block_begin)};

      const int64_t last = kStep > 1 && split.lacking > 0 ? 1 : 0;
      RunTilesOf<Tiles, kMax>(split.pixels + kStep, tiles, epilogue, blocks, split.longer, tile);
      RunTilesOf<Tiles, kMax>(split.pixels, tiles, epilogue, blocks, split.tiles - split.longer - last, tile);
      if constexpr (kStep > 1) {
        RunTilesOf<Tiles, kMax>(split.pixels - split.lacking, tiles, epilogue, blocks, last, tile);
      }
    }
  }
}

// The same, with the tiles that suit the window. A single pixel (a dense layer of batch 1) reads each weight once, so
// it needs registers for its own input only: up to 8 words, 256 -> 512 twice as fast on Zen 5. (16 words gained
// nothing.)
template <class Counter, class Finish>
BNN_INLINE void RunGroup(const BinaryTiles& tiles, const Epilogue& epilogue, int64_t block_begin, int64_t block_end,
                         Finish) {
  if constexpr (HoldsInput<Counter> && !std::is_same_v<Finish, AnyFinish>) {
    const bool one_run = tiles.walk.rows * tiles.walk.cols == 1 && tiles.row_class == nullptr;
    switch (one_run ? tiles.walk.words : 0) {
      case 1:
        return RunBlocks<HeldTiles<Counter, 1, Finish>>(tiles, epilogue, block_begin, block_end);
      case 2:
        return RunBlocks<HeldTiles<Counter, 2, Finish>>(tiles, epilogue, block_begin, block_end);
      case 3:
        return RunBlocks<HeldTiles<Counter, 3, Finish>>(tiles, epilogue, block_begin, block_end);
      case 4:
        return RunBlocks<HeldTiles<Counter, 4, Finish>>(tiles, epilogue, block_begin, block_end);
      case 8:
        if (!tiles.IsOnePixel()) break;
        return RunBlocks<HeldTiles<Counter, 8, Finish>>(tiles, epilogue, block_begin, block_end);
      default:
        break;
    }
  }
  RunBlocks<WindowTiles<Counter, PlaneCounts, Finish>>(tiles, epilogue, block_begin, block_end);
}

// Input of several planes.
template <class Counter>
BNN_INLINE void RunLevelGroup(const BinaryTiles& tiles, const Epilogue& epilogue, int64_t block_begin,
                              int64_t block_end) {
  using V = typename Counter::Vector;
  if constexpr (HasShorts<V>) {
    const bool is_level = epilogue.planes > 1 && epilogue.bits != nullptr && epilogue.int_thresholds != nullptr;
    const bool is_short = tiles.even_base && tiles.max_acc <= kMaxShortAcc;
    if (is_level && is_short && tiles.Pixels() >= kMinShortPixels) {
      alignas(64) int16_t thresholds[kShortThresholds * kChannelBlock];
      const int64_t most = ShortLevelBlocks(epilogue.planes) / Counter::kBlocks * Counter::kBlocks;
      for (int64_t begin = block_begin; begin < block_end; begin += most) {
        const int64_t end = begin + most < block_end ? begin + most : block_end;
        NarrowThresholds<V>(epilogue, begin, end, thresholds);
        const ShortLevelEpilogue narrowed = {epilogue, thresholds, begin};
        RunBlocks<WindowTiles<Counter, LevelCounts, ShortLevels>>(tiles, narrowed, begin, end);
      }
      return;
    }
  }
  const auto run = [&](auto finish) BNN_INLINE_LAMBDA {
    RunBlocks<WindowTiles<Counter, LevelCounts, decltype(finish)>>(tiles, epilogue, block_begin, block_end);
  };
  if (!tiles.even_base || tiles.LanesOf(block_end - 1) != kAllLanes) return run(AnyFinish{});
  WithChain(epilogue, run, LevelChains{});
}

// Chains: the epilogues that get code of their own (kernels/simd/pixel_finish.h).
template <class Counter, class Chains>
BNN_INLINE void RunBinaryTiles(const BinaryTiles& tiles, const Epilogue& epilogue) {
  for (int64_t block = tiles.block_begin; block < tiles.block_end;) {
    const int64_t end = tiles.GroupEnd(block, Counter::kBlocks);
    if (tiles.planes > 1) {
      RunLevelGroup<Counter>(tiles, epilogue, block, end);
      block = end;
      continue;
    }
    WithFinish<Chains>(epilogue, tiles.even_base, tiles.LanesOf(end - 1),
                       [&](auto finish) BNN_INLINE_LAMBDA { RunGroup<Counter>(tiles, epilogue, block, end, finish); });
    block = end;
  }
}

}  // namespace
}  // namespace bnn::kernels
