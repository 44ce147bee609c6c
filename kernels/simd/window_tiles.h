// Tiles of any window: the counter walks it for a few neighbouring pixels, then their sums are finished. ISA files
// only.
//
// RegisterTiles are for sums that live in registers while the window passes, of input of one plane: the epilogue is
// part of the same function, one a tile size and epilogue, so that each gets its own register allocation. Counters that
// can count and finish in one pipeline do so where the rows of the window are single runs, which leaves little but
// arithmetic: no walk over runs and taps, and none of the registers that it wants.
//
// MemoryTiles count into memory and finish from there. That suits counters that keep their sums in memory anyway, input
// of several planes, which counts so much longer, and what is rare. Counting does not know the epilogue there, and
// finishing not the size of the tile: code of sizes plus epilogues instead of sizes times epilogues, which is a fifth
// of it. What is in memory are half accumulators, or, where they can be finished as they are, a counter's narrower
// sums.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/simd/binary_tiles.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/pixel_finish.h"
#include "kernels/simd/short_levels.h"
#include "kernels/simd/tile_cursor.h"
#include "kernels/simd/tile_split.h"

namespace bnn::kernels {
namespace {

// Calls run.template operator()<kPixels>() for the kPixels from kLeast to kMost that `pixels` is; nothing for 0.
template <int kMost, int kLeast, class Run>
BNN_INLINE void WithPixels(int64_t pixels, const Run& run) {
  if (pixels == kMost) {
    run.template operator()<kMost>();
  } else if constexpr (kMost > kLeast) {
    WithPixels<kMost - 1, kLeast>(pixels, run);
  }
}

// Finishes that need no tiles of their own: levels of halves leave, which is rare where one plane comes in, or it is
// AnyFinish.
template <class Finish>
inline constexpr bool kIsRare = std::is_same_v<Finish, AnyFinish> || !std::is_same_v<EpilogueOf<Finish>, Epilogue>;

// The windows that RegisterTiles are for.
enum class Window {
  kAny,     // counted, then finished
  kRows,    // whose rows are single runs, by counters that count and finish these in one pipeline
  kOneRun,  // the same, with no code to step to the next row
};

template <class Counter, class Finish, Window kWindow>
struct RegisterTiles {
  using V = typename Counter::Vector;
  static constexpr int kMaxPixels = Counter::kMaxPixels;
  static constexpr int kPixelStep = Counter::kPixelStep;

  // Pipelines are code of tiles of the two largest sizes only: few rows of pixels are cut into smaller ones.
  static constexpr int kMinPixels = kWindow == Window::kAny ? 1 : kMaxPixels - 1;

  static BNN_INLINE bool Suits(const BinaryTiles& tiles) {
    if constexpr (kWindow == Window::kAny) {
      return tiles.planes == 1;
    } else {
      static_assert(kPixelStep == 1);
      const TapWalk& walk = tiles.walk;
      return tiles.planes == 1 && walk.cols == 1 && (kWindow == Window::kRows || walk.rows == 1) &&
             Counter::HasPipelineOf(walk) &&
             SplitTiles(tiles.extent.col_end - tiles.extent.col_begin, kMaxPixels).pixels >= kMinPixels;
    }
  }

  // `count` neighbouring tiles of `pixels` pixels, `blocks` channel blocks each; `tile` moves on behind them.
  static BNN_INLINE void Run(int64_t pixels, const BinaryTiles& tiles, const Epilogue& epilogue, int64_t blocks,
                             int64_t count, TileCursor& tile) {
    WithPixels<kMaxPixels, kMinPixels>(
        pixels, [&]<int kPixels>() BNN_INLINE_LAMBDA { RunOf<kPixels>(tiles, epilogue, blocks, count, tile); });
  }

 private:
  // A tile wants its residual all at once, when its window is counted. If that comes from L3, as where residual and
  // output together exceed L2, the core cannot look far enough ahead to have it in time: its window of instructions
  // holds a few words of counting. So the lines are asked for before a block is counted; in a window of fewer words
  // that gains nothing. (On Zen 5 3x3 28x28x512 with a residual rose from 73 to 94 % of the limit, 56x56x256 from 71 to
  // 90 %.) Without a residual it is the lines of the output: only stores wait for them, but on Zen 4 3x3 56x56x256 rose
  // from 91 to 97 %. To ask for both was slower.
  static constexpr int64_t kMinPrefetchWords = 16;

  template <int kPixels>
  static BNN_NOINLINE void RunOf(const BinaryTiles& tiles, const Epilogue& epilogue, int64_t blocks, int64_t count,
                                 TileCursor& tile) {
    const TapWalk walk = tiles.walk;
    const bool is_long = walk.TotalWords() >= kMinPrefetchWords;
    const int64_t pixel_step = tiles.in_steps.pixel;
    const int64_t block_words = tiles.block_words;
    const int64_t base_block_step = tiles.base_block_step;
    PixelFinish<V, Finish> finish(epilogue, tile.place);
    for (; count > 0; --count) {
      typename Counter::template Input<kPixels> input;
      input.Start({&walk, tile.in, pixel_step, tile.ahead.OfNextTile()});
      const uint32_t* weights = tile.weights;
      TileBase base = tile.base;
      const bool same_base = base.IsSame<kPixels>();
      const uint32_t lanes = tile.place.lanes;
      int64_t channel = tile.place.channel;
      const int64_t end = channel + blocks * kChannelBlock;
      do {
        if (is_long) finish.template Prefetch<kPixels>(channel);
        const auto start = [&]() BNN_INLINE_LAMBDA { finish.Start(channel, lanes); };
        const auto finish_pixel = [&](const typename V::Int(&half)[V::kVectors])
                                      BNN_INLINE_LAMBDA { finish.Finish(half); };
        CountAndFinish<kPixels>(input, weights, base, same_base, start, finish_pixel);
        weights += block_words;
        base.classes += base_block_step;
        channel += kChannelBlock;
      } while (channel < end);
      finish.Advance(tile.Advance(kPixels, tiles.in_steps));
    }
  }

  template <int kPixels, class Input, class Start, class FinishPixel>
  static BNN_INLINE void CountAndFinish(Input& input, const uint32_t* weights, const TileBase& base, bool same_base,
                                        const Start& start, const FinishPixel& finish_pixel) {
    if constexpr (kWindow == Window::kAny) {
      IntTile<V, kPixels> halves[1];
      StartHalves<V, kPixels>(base, same_base, halves[0]);
      Counter::template Count<kPixels>(input, weights, 0, halves);
      start();
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) finish_pixel(halves[0][p]);
    } else {
      constexpr bool kRows = kWindow == Window::kRows;
      Counter::template CountAndFinish<kRows, kPixels>(input, weights, base, same_base, start, finish_pixel);
    }
  }
};

// The sums of one pixel, of 32 channels.
template <class V>
using PixelHalves = typename V::Int[V::kVectors];

// An epilogue, and the functions that finish `pixels` pixels by it: the halves of a channel block, and the sums of
// `blocks` ones (nullptr: by their halves only).
template <class Counter>
struct MemoryEpilogue {
  void (*finish)(const Epilogue& epilogue, const TilePlace& at, const TileBase& base, bool even_base,
                 PixelHalves<typename Counter::Vector>* halves, int64_t pixels);
  void (*finish_sums)(const Epilogue& epilogue, const TilePlace& at, const BinaryTiles& tiles, const TileBase& base,
                      const typename Counter::Sums& sums, int64_t pixels, int blocks);
  const Epilogue& epilogue;
};

template <class V, class Finish>
struct FinishFromMemory {
  static BNN_NOINLINE void Run(const Epilogue& epilogue, const TilePlace& at, const TileBase&, bool,
                               PixelHalves<V>* halves, int64_t pixels) {
    PixelFinish<V, Finish> finish(static_cast<const EpilogueOf<Finish>&>(epilogue), at);
    finish.Start(at.channel, at.lanes);
    BNN_NO_UNROLL for (int64_t p = 0; p < pixels; ++p) finish.Finish(halves[p]);
  }
};

// A few pixels at a time: the list of steps is interpreted for all of them.
template <class V>
struct FinishFromMemory<V, AnyFinish> {
  static constexpr int kTogether = 4;

  static BNN_NOINLINE void Run(const Epilogue& epilogue, const TilePlace& first, const TileBase& first_base,
                               bool even_base, PixelHalves<V>* halves, int64_t pixels) {
    TilePlace at = first;
    TileBase base = first_base;
    while (pixels > 0) {
      const int64_t now = pixels < kTogether ? 1 : kTogether;
      if (now == 1) {
        FinishAny<V, 1>(epilogue, at, base, even_base, *reinterpret_cast<IntTile<V, 1>*>(halves));
      } else {
        FinishAny<V, kTogether>(epilogue, at, base, even_base, *reinterpret_cast<IntTile<V, kTogether>*>(halves));
      }
      at.col += now;
      if (base.col_class != nullptr) base.col_class += now;
      halves += now;
      pixels -= now;
    }
  }
};

// Pixel by pixel from sums to outputs, so that halves never are in memory: on Zen 4, which stores a vector of 512 bits
// in two cycles, that took as long as the finish itself.
template <class Counter, class Finish>
struct FinishFromSums {
  using V = typename Counter::Vector;

  static BNN_NOINLINE void Run(const Epilogue& epilogue, const TilePlace& at, const BinaryTiles& tiles,
                               const TileBase& base, const typename Counter::Sums& sums, int64_t pixels, int blocks) {
    const int64_t block = at.channel / kChannelBlock;
    const int64_t last = block + blocks - 1;
    PixelFinish<V, Finish> first(static_cast<const EpilogueOf<Finish>&>(epilogue), at);
    PixelFinish<V, Finish> second(static_cast<const EpilogueOf<Finish>&>(epilogue), at);
    first.Start(block * kChannelBlock, tiles.LanesOf(block));
    second.Start(last * kChannelBlock, tiles.LanesOf(last));
    const int64_t base_step = blocks > 1 ? tiles.base_block_step : 0;
    const int32_t* started = base.Of(0);
    typename Counter::SumsReader reader(sums);
    reader.Start(started, base_step);
    BNN_NO_UNROLL for (int64_t p = 0; p < pixels; ++p) {
      const int32_t* const from = base.Of(p);
      if (from != started) reader.Start(from, base_step);
      started = from;
      typename V::Int halves[Counter::kBlocks][V::kVectors];
      reader.Read(p, halves);
      first.Finish(halves[0]);
      if constexpr (Counter::kBlocks == 2) {
        if (blocks > 1) second.Finish(halves[1]);
      }
    }
  }
};

template <class Counter>
struct MemoryTiles {
  using V = typename Counter::Vector;
  static constexpr int kMaxPixels = Counter::kMaxPixels;
  static constexpr int kPixelStep = Counter::kPixelStep;
  static constexpr int kBlocks = Counter::kBlocks;

  static BNN_INLINE void Run(int64_t pixels, const BinaryTiles& tiles, const MemoryEpilogue<Counter>& epilogue,
                             int64_t blocks, int64_t count, TileCursor& tile) {
    WithPixels<kMaxPixels, 1>(
        pixels, [&]<int kPixels>() BNN_INLINE_LAMBDA { RunOf<kPixels>(tiles, epilogue, blocks, count, tile); });
  }

 private:
  template <int kPixels>
  using Halves = IntTile<V, kPixels>[kBlocks];

  // What lies under the pixels, of every plane.
  template <int kPixels>
  struct Planes {
    typename Counter::template Input<kPixels> plane[kMaxPlanes];

    BNN_INLINE Planes(const BinaryTiles& tiles, const uint32_t* in, int64_t ahead) {
      for (int i = 0; i < tiles.planes; ++i) {
        const bool is_first = i + 1 == tiles.planes;  // it alone has weights to prefetch
        plane[i].Start({&tiles.walk, in + i * tiles.in_steps.plane, tiles.in_steps.pixel, is_first ? ahead : 0});
      }
    }
  };

  // The constants of the blocks that are counted together, halved; `second`: of the second one.
  static BNN_INLINE void LoadStart(const int32_t* first, const int32_t* second, int32_t (&start)[kBlocks][32]) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      V::StoreInt(start[0] + v * V::kLanes, V::Half(V::LoadInt(first + v * V::kLanes)));
      if constexpr (kBlocks == 2) {
        V::StoreInt(start[1] + v * V::kLanes, V::Half(V::LoadInt(second + v * V::kLanes)));
      }
    }
  }

  // Plane by plane, from the highest one down. `start`: nullptr where pixels start from different constants.
  template <int kPixels>
  static BNN_INLINE void Count(Planes<kPixels>& in, int planes, const int32_t* start, const uint32_t* weights,
                               int64_t block_words, Halves<kPixels>& halves) {
    int plane = planes - 1;
    if constexpr (Counter::kSumsInMemory) {
      const int32_t* from = plane == 0 ? start : nullptr;
      Counter::template CountFrom<SumsFrom::kZero>(in.plane[plane], weights, block_words, from, halves);
      while (--plane >= 0) {
        from = plane == 0 ? start : nullptr;
        Counter::template CountFrom<SumsFrom::kTwiceHalves>(in.plane[plane], weights, block_words, from, halves);
      }
    } else {
      Halves<kPixels> sums;
      SetStart<kPixels>(plane == 0 ? start : nullptr, sums[0]);
      for (;;) {
        Counter::template Count<kPixels>(in.plane[plane], weights, block_words, sums);
        if (--plane < 0) break;
        TwicePlusStart<kPixels>(plane == 0 ? start : nullptr, sums[0]);
      }
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) halves[0][p][v] = sums[0][p][v];
      }
    }
  }

  template <int kPixels>
  static BNN_INLINE void SetStart(const int32_t* start, IntTile<V, kPixels>& sums) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      const typename V::Int from = start != nullptr ? V::LoadInt(start + v * V::kLanes) : V::Zero();
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) sums[p][v] = from;
    }
  }

  template <int kPixels>
  static BNN_INLINE void TwicePlusStart(const int32_t* start, IntTile<V, kPixels>& sums) {
    if (start == nullptr) return TwiceTile<V, kPixels>(sums);
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      const typename V::Int from = V::LoadInt(start + v * V::kLanes);
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) sums[p][v] = V::Add(V::Add(sums[p][v], sums[p][v]), from);
    }
  }

  template <int kPixels>
  static BNN_NOINLINE void RunOf(const BinaryTiles& tiles, const MemoryEpilogue<Counter>& epilogue, int64_t blocks,
                                 int64_t count, TileCursor& tile) {
    for (; count > 0; --count, tile.Advance(kPixels, tiles.in_steps)) {
      Planes<kPixels> in(tiles, tile.in, tile.ahead.OfNextTile());
      if constexpr (Counter::kSumsInMemory) {
        if (epilogue.finish_sums != nullptr && tiles.planes == 1 && Counter::CountsAtOnce(in.plane[0])) {
          RunSums<kPixels>(in.plane[0], tiles, epilogue, blocks, tile);
          continue;
        }
      }
      const uint32_t* weights = tile.weights;
      TileBase base = tile.base;
      TilePlace place = tile.place;
      const bool same_base = base.IsSame<kPixels>();
      int64_t left = blocks;
      do {
        const int together = left < kBlocks ? 1 : kBlocks;
        const int64_t block_words = together > 1 ? tiles.block_words : 0;
        Halves<kPixels> halves;
        alignas(64) int32_t start[kBlocks][32];
        if (same_base) {
          const int32_t* const first = base.Of(0);
          LoadStart(first, first + (together - 1) * tiles.base_block_step, start);
        }
        Count<kPixels>(in, tiles.planes, same_base ? start[0] : nullptr, weights, block_words, halves);
        BNN_NO_UNROLL for (int b = 0; b < together; ++b) {
          if constexpr (kBlocks == 2) place.lanes = tiles.LanesOf(place.channel / kChannelBlock);
          if (!same_base) AddHalves<V, kPixels>(base, halves[b]);
          epilogue.finish(epilogue.epilogue, place, base, tiles.even_base, halves[b], kPixels);
          weights += tiles.block_words;
          base.classes += tiles.base_block_step;
          place.channel += kChannelBlock;
        }
        left -= together;
      } while (left > 0);
    }
  }

  template <int kPixels, class Input>
  static BNN_INLINE void RunSums(const Input& input, const BinaryTiles& tiles, const MemoryEpilogue<Counter>& epilogue,
                                 int64_t blocks, const TileCursor& tile) {
    const uint32_t* weights = tile.weights;
    TileBase base = tile.base;
    TilePlace place = tile.place;
    for (int64_t left = blocks; left > 0; left -= kBlocks) {
      const int together = left < kBlocks ? 1 : kBlocks;
      typename Counter::Sums sums;
      Counter::template CountSums<kPixels>(input, weights, together > 1 ? tiles.block_words : 0, sums);
      epilogue.finish_sums(epilogue.epilogue, place, tiles, base, sums, kPixels, together);
      weights += together * tiles.block_words;
      base.classes += together * tiles.base_block_step;
      place.channel += together * kChannelBlock;
    }
  }
};

}  // namespace
}  // namespace bnn::kernels
