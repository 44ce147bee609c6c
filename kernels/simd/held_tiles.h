// Tiles of windows of a few words in one run (1x1 over 64 channels: 2 words), for counters that hold weights. ISA files
// only.
//
// The window costs so little that loads, stores and the steps of the epilogue must overlap with it. So it is the
// weights of a channel block that stay in registers, with the parameters of its epilogue, while the pixels of the tile
// pass one by one: each is counted, plane by plane, and finished at once. A window's words are broadcast from L1, which
// costs a load for two vectors of channels.
//
// From the first word to the store is one chain of operations, so short of work that others must fill it up, but a core
// has only so many of them in its schedulers. So a pixel is counted before the one in front of it is finished: two
// chains to work on. (1x1 over 64 channels on Zen 4, cycles for 7 pixels of 32 channels: floats 66 one after the other,
// 63 like this, 62 since the constant that all accumulators share has but one register; with residual and PReLU 96, 87
// and 85. Of these 77 are the operations, 7 what those of three sources hold up, see pixel_finish.h; of 450 orders of a
// loop in assembly the best took 82 with data in L2 and 84 in L3. From 4 to 4 bits, where the search for the level
// (short_levels.h) makes the chain longer, on Zen 5: 24 and 18.5 for one pixel, 17 the operations.) A tile begins and
// ends with one chain alone, and loads what is held, so it is long: on Zen 4 56 pixels are up to 3 % faster than 28.
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

// Finish: levels of sums, or another one that takes half accumulators of 32 bits.
template <class Counter, int kWords, class Finish>
struct HeldTiles {
  static constexpr int kMaxPixels = 56;
  static constexpr int kPixelStep = 1;

  static BNN_NOINLINE void Run(int64_t pixels, const BinaryTiles& tiles, const EpilogueOf<Finish>& epilogue,
                               int64_t blocks, int64_t count, TileCursor& tile) {
    for (; count > 0; --count) {
      const PixelFinish<V, Finish> finish(epilogue, tile.place);
      int64_t done = 0;
      for (; done + kTogether <= blocks; done += kTogether) RunTogether<kTogether>(pixels, tiles, tile, finish, done);
      if constexpr (kTogether > 1) {
        if (done < blocks) RunTogether<1>(pixels, tiles, tile, finish, done);
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
  static constexpr int kTogether = kWords <= 2 && !kIsBits ? 2 : 1;

  // What is held of a channel block.
  struct Block {
    typename Sums::Held held;
    typename V::Int start;
    PixelFinish<V, Finish> finish;
    Pixel counted;   // the differing bits of a pixel
    Pixel previous;  // and of the one in front of it

    BNN_INLINE Block(const TileCursor& tile, const PixelFinish<V, Finish>& row, int64_t block)
        : held(tile.weights + block * (kWords * kChannelBlock)), start(V::SplatInt(tile.base.half)), finish(row) {
      finish.Start(tile.place.channel + block * kChannelBlock, tile.place.lanes);
    }

    template <int kPlanes>
    BNN_INLINE void CountPixel(const uint32_t* in, int64_t plane_step) {
      Count<kPlanes>(in, plane_step, held, counted);
    }

    BNN_INLINE void KeepPixel() { BNN_UNROLL for (int v = 0; v < Sums::kVectors; ++v) previous[v] = counted[v]; }

    BNN_INLINE void FinishPrevious() {
      if constexpr (kIsLevel) {
        finish.Finish(previous);
      } else {
        Pixel half;
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) half[v] = V::Sub(start, previous[v]);
        finish.Finish(half);
      }
    }
  };

  // Channel blocks `block` and, of two together, the next one.
  template <int kBlocks>
  static BNN_INLINE void RunTogether(int64_t pixels, const BinaryTiles& tiles, const TileCursor& tile,
                                     const PixelFinish<V, Finish>& finish, int64_t block) {
    Block first(tile, finish, block);
    if constexpr (kBlocks == 1) {
      WithPlanes(pixels, tiles, tile.in, first);
    } else {
      Block second(tile, finish, block + 1);
      WithPlanes(pixels, tiles, tile.in, first, second);
    }
  }

  template <class... Blocks>
  static BNN_INLINE void WithPlanes(int64_t pixels, const BinaryTiles& tiles, const uint32_t* in, Blocks&... blocks) {
    static_assert(kMaxPlanes == 4);
    if (tiles.planes == 1) {
      RunPixels<1>(pixels, tiles, in, blocks...);
    } else if (tiles.planes == 2) {
      RunPixels<2>(pixels, tiles, in, blocks...);
    } else if (tiles.planes == 3) {
      RunPixels<3>(pixels, tiles, in, blocks...);
    } else {
      RunPixels<4>(pixels, tiles, in, blocks...);
    }
  }

  // The word of a plane, as a pointer of its own: gcc 12 else adds the step to the place of each word, and keeps so
  // many sums that it spills them.
  template <int kPlane>
  static BNN_INLINE const uint32_t* Plane(const uint32_t* in, int64_t plane_step) {
    if constexpr (kPlane > 0) Step(in, kPlane * plane_step);
    return in;
  }

  // The differing bits of a pixel.
  template <int kPlanes>
  static BNN_INLINE void Count(const uint32_t* in, int64_t plane_step, const typename Sums::Held& held, Pixel& sum) {
    Sums::Count(Plane<kPlanes - 1>(in, plane_step), held, sum);
    BNN_UNROLL for (int plane = kPlanes - 2; plane >= 0; --plane) {
      Pixel differences;
      Sums::Count(plane == 0 ? in : Plane<1>(in, plane * plane_step), held, differences);
      BNN_UNROLL for (int v = 0; v < Sums::kVectors; ++v) {
        sum[v] = Sums::Add(Sums::Add(sum[v], sum[v]), differences[v]);
      }
    }
  }

  template <int kPlanes, class... Blocks>
  static BNN_INLINE void RunPixels(int64_t pixels, const BinaryTiles& tiles, const uint32_t* in, Blocks&... blocks) {
    const int64_t in_step = tiles.in_steps.pixel;
    const int64_t plane_step = tiles.in_steps.plane;
    (blocks.template CountPixel<kPlanes>(in, plane_step), ...);
    BNN_NO_UNROLL for (int64_t p = pixels - 1; p > 0; --p) {
      (blocks.KeepPixel(), ...);
      Step(in, in_step);
      (blocks.template CountPixel<kPlanes>(in, plane_step), ...);
      (blocks.FinishPrevious(), ...);
    }
    (blocks.KeepPixel(), ...);
    (blocks.FinishPrevious(), ...);
  }
};

}  // namespace
}  // namespace bnn::kernels
