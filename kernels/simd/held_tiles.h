// Tiles of windows of a few words in one run (1x1 over 64 channels: 2 words), for counters that hold weights. ISA files
// only.
//
// The window costs so little that loads, stores and the steps of the epilogue must overlap with it. So it is the
// weights of a channel block that stay in registers, with the parameters of its epilogue, while the pixels of the tile
// pass one by one: each is counted, plane by plane, and finished at once. A window's words are broadcast from L1, which
// costs a load for two vectors of channels.
//
// Weights that are held can be changed on their way to the registers at no cost: some of their bits are inverted, so
// that half accumulators need no constant (balance.h). (1x1 over 64 channels on Zen 4, cycles for 7 pixels of 32
// channels: floats from 62 to 55, bits from 56 to 47, with residual and PReLU in place from 86 to 80.)
//
// From the first word to the store is one chain of operations, so short of work that others must fill it up, but a core
// has only so many of them in its schedulers. So a pixel is counted before the one in front of it is finished: two
// chains to work on. (Before weights were inverted: floats 66 one after the other, 63 like this; with residual and
// PReLU 96 and 87. From 4 to 4 bits, where the search for the level (short_levels.h) makes the chain longer, on Zen 5:
// 24 and 18.5 for one pixel, 17 the operations.) A tile begins and ends with one chain alone, and loads what is held,
// so it is long: on Zen 4 56 pixels are up to 3 % faster than 28, and 112 another 2 %; 448 gain nothing more.
//
// With residual and PReLU a vector of 1x1 over 64 channels takes 10 operations: 70 cycles for the 14 of a tile on
// Zen 4. In place, where 3.2 MB of residual come from L3, the kernel takes 78. (Where the output has a place of its
// own: held_pixels.h.) Where a pixel's channels are many, a row of blocks passes it by in strides that the hardware
// does not foresee, so the residual is asked for 16 pixels ahead: 1x1 28x28 128 -> 512 135 without and 125. That is for
// L2: into L1 it is slower than not at all. Where few channels leave, lines follow each other, and to ask for them
// costs up to a tenth.
//
// Where floats leave and registers have room (windows of up to 2 words), two blocks pass at once: the output, and a
// residual, is then 4 lines of a pixel in a row, which is better for what does not fit into L2. (1x1 56x56 64 -> 256 on
// Zen 5: from 55 to 57 % of the limit, with a residual from 20 to 28. Four at once, or two of longer windows, are
// slower. One bit would gain 3 %, levels lose.)
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

namespace bnn::kernels {
namespace {

// The sums of a pixel in 32 bits.
template <class Counter, int kWords>
struct WideSums {
  using V = typename Counter::Vector;
  using Held = typename Counter::template Held<kWords>;
  using Vector = typename V::Int;
  static constexpr int kVectors = V::kVectors;

  static BNN_INLINE void Count(const uint32_t* in, const Held& held, Vector (&sums)[kVectors]) {
    Counter::CountHeld(in, held, sums);
  }
  static BNN_INLINE Vector Add(Vector a, Vector b) { return V::Add(a, b); }
};

// The same in 16 bits, which is what finds levels wants. They fit: the window is short.
template <class Counter, int kWords>
struct ShortSums {
  using V = typename Counter::Vector;
  using Held = typename Counter::template HeldShorts<kWords>;
  using Vector = typename V::Short;
  static constexpr int kVectors = V::kShorts;

  static BNN_INLINE void Count(const uint32_t* in, const Held& held, Vector (&sums)[kVectors]) {
    Counter::CountHeldShorts(in, held, sums);
  }
  static BNN_INLINE Vector Add(Vector a, Vector b) { return V::AddShort(a, b); }
};

// Finish: levels of half accumulators of 16 bits, or another one that takes those of 32 bits.
template <class Counter, int kWords, class Finish>
struct HeldTiles {
  static constexpr int kMaxPixels = 112;
  static constexpr int kPixelStep = 1;
  static constexpr int64_t kManyChannels = 256;
  static constexpr int kPixelsAhead = 16;

  static BNN_NOINLINE void Run(int64_t pixels, const BinaryTiles& tiles, const EpilogueOf<Finish>& epilogue,
                               int64_t blocks, int64_t count, TileCursor& tile) {
    for (; count > 0; --count) {
      const PixelFinish<V, Finish> finish(epilogue, tile.place);
      // Pixels at which the residual is asked for. Behind the last tile another thread may be writing.
      const int64_t asking =
          epilogue.out_strides.pixel < kManyChannels ? 0 : pixels - 1 - (count > 1 ? 0 : kPixelsAhead);
      int64_t done = 0;
      for (; done + kTogether <= blocks; done += kTogether) {
        RunTogether<kTogether>(pixels, tiles, tile, finish, asking, done);
      }
      if constexpr (kTogether > 1) {
        if (done < blocks) RunTogether<1>(pixels, tiles, tile, finish, asking, done);
      }
      tile.Advance(pixels, tiles.in_steps);
    }
  }

 private:
  using V = typename Counter::Vector;
  static constexpr bool kIsLevel = !std::is_same_v<EpilogueOf<Finish>, Epilogue>;
  using Sums = std::conditional_t<kIsLevel, ShortSums<Counter, kWords>, WideSums<Counter, kWords>>;
  using Pixel = typename Sums::Vector[Sums::kVectors];
  static constexpr bool kIsBits = kIsLevel || std::is_same_v<Finish, ThresholdBits>;
  static constexpr bool kHasRest = kWords % 2 == 1 && !kIsLevel;         // levels have it in their thresholds
  static constexpr bool kCanAsk = kAddsResidual<Finish> && kWords <= 4;  // longer windows do not notice
  static constexpr int kTogether = kWords <= 2 && !kIsBits ? 2 : 1;

  // What is held of a channel block.
  struct Block {
    typename Sums::Held held;
    typename V::Int rest;  // of windows that are not balanced
    PixelFinish<V, Finish> finish;
    Pixel counted;  // the sums of the pixel that is counted, but not finished

    BNN_INLINE Block(const BinaryTiles& tiles, const TileCursor& tile, const PixelFinish<V, Finish>& row, int64_t block)
        : held(tile.weights + block * (kWords * kChannelBlock), tiles.balance),
          rest(V::SplatInt(tiles.balance.rest)),
          finish(row) {
      finish.Start(tile.place.channel + block * kChannelBlock, tile.place.lanes);
    }

    template <int kPlanes>
    BNN_INLINE void CountPixel(const uint32_t* in, int64_t plane_step) {
      Count<kPlanes>(in, plane_step, held, counted);
    }

    BNN_INLINE void FinishPixel(Pixel& sums) {
      if constexpr (kHasRest) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) sums[v] = V::Add(sums[v], rest);
      }
      finish.Finish(sums);
    }

    // Counts a pixel, then finishes the one in front of it.
    template <int kPlanes, bool kAsks>
    BNN_INLINE void PassPixel(const uint32_t* in, int64_t plane_step) {
      Pixel previous;
      BNN_UNROLL for (int v = 0; v < Sums::kVectors; ++v) previous[v] = counted[v];
      CountPixel<kPlanes>(in, plane_step);
      if constexpr (kAsks) finish.template PrefetchAhead<kPixelsAhead>();
      FinishPixel(previous);
    }
  };

  // Channel blocks `block` and, of two together, the next one.
  template <int kBlocks>
  static BNN_INLINE void RunTogether(int64_t pixels, const BinaryTiles& tiles, const TileCursor& tile,
                                     const PixelFinish<V, Finish>& finish, int64_t asking, int64_t block) {
    Block first(tiles, tile, finish, block);
    if constexpr (kBlocks == 1) {
      WithPlanes(pixels, tiles, tile.in, asking, first);
    } else {
      Block second(tiles, tile, finish, block + 1);
      WithPlanes(pixels, tiles, tile.in, asking, first, second);
    }
  }

  template <class... Blocks>
  static BNN_INLINE void WithPlanes(int64_t pixels, const BinaryTiles& tiles, const uint32_t* in, int64_t asking,
                                    Blocks&... blocks) {
    static_assert(kMaxPlanes == 4);
    if (tiles.planes == 1) {
      RunPixels<1>(pixels, tiles, in, asking, blocks...);
    } else if (tiles.planes == 2) {
      RunPixels<2>(pixels, tiles, in, asking, blocks...);
    } else if (tiles.planes == 3) {
      RunPixels<3>(pixels, tiles, in, asking, blocks...);
    } else {
      RunPixels<4>(pixels, tiles, in, asking, blocks...);
    }
  }

  // The word of a plane, as a pointer of its own: gcc 12 else adds the step to the place of each word, and keeps so
  // many sums that it spills them.
  template <int kPlane>
  static BNN_INLINE const uint32_t* Plane(const uint32_t* in, int64_t plane_step) {
    if constexpr (kPlane > 0) Step(in, kPlane * plane_step);
    return in;
  }

  // The balanced sums of a pixel.
  template <int kPlanes>
  static BNN_INLINE void Count(const uint32_t* in, int64_t plane_step, const typename Sums::Held& held, Pixel& sum) {
    Sums::Count(Plane<kPlanes - 1>(in, plane_step), held, sum);
    BNN_UNROLL for (int plane = kPlanes - 2; plane >= 0; --plane) {
      Pixel of_plane;
      Sums::Count(plane == 0 ? in : Plane<1>(in, plane * plane_step), held, of_plane);
      BNN_UNROLL for (int v = 0; v < Sums::kVectors; ++v) {
        sum[v] = Sums::Add(Sums::Add(sum[v], sum[v]), of_plane[v]);
      }
    }
  }

  template <int kPlanes, class... Blocks>
  static BNN_INLINE void RunPixels(int64_t pixels, const BinaryTiles& tiles, const uint32_t* in, int64_t asking,
                                   Blocks&... blocks) {
    (blocks.template CountPixel<kPlanes>(in, tiles.in_steps.plane), ...);
    int64_t left = pixels - 1;
    if constexpr (kCanAsk && kPlanes == 1) {
      if (asking > 0) {
        in = PassPixels<kPlanes, true>(asking, tiles, in, blocks...);
        left -= asking;
      }
    }
    PassPixels<kPlanes, false>(left, tiles, in, blocks...);
    (blocks.FinishPixel(blocks.counted), ...);
  }

  // The next `count` pixels. Returns the last one.
  template <int kPlanes, bool kAsks, class... Blocks>
  static BNN_INLINE const uint32_t* PassPixels(int64_t count, const BinaryTiles& tiles, const uint32_t* in,
                                               Blocks&... blocks) {
    const int64_t in_step = tiles.in_steps.pixel;
    const int64_t plane_step = tiles.in_steps.plane;
    BNN_NO_UNROLL for (; count > 0; --count) {
      Step(in, in_step);
      (blocks.template PassPixel<kPlanes, kAsks>(in, plane_step), ...);
    }
    return in;
  }
};

}  // namespace
}  // namespace bnn::kernels
