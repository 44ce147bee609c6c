// Tiles of windows of a few words in one run (1x1 over 64 channels: 2 words), for counters that hold weights. ISA files
// only.
//
// The window costs so little that loads, stores and the steps of the epilogue must overlap with it. So it is the
// weights of a channel block that stay in registers, with the parameters of its epilogue, while the pixels of the tile
// pass one by one: each is counted, plane by plane, and finished at once. A window's words are broadcast from L1, which
// costs a load for two vectors of channels.
//
// Finding a level is a long chain of operations (short_levels.h), behind which the next pixels would wait in the core's
// schedulers. So a pixel is counted before the one in front of it is finished, and the core has two chains to work on.
// (1x1 over 64 channels, from 4 to 4 bits, on Zen 5: 24 cycles for 32 channels of a pixel one after the other, 18.5
// like this; 17 is what 68 vector operations take at least. One bit takes 4.2, floats 4.8, of which stores are 2.)
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
  static constexpr int kMaxPixels = 28;
  static constexpr int kPixelStep = 1;

  static BNN_NOINLINE void Run(int64_t pixels, const BinaryTiles& tiles, const EpilogueOf<Finish>& epilogue,
                               int64_t blocks, int64_t count, TileCursor& tile) {
    for (; count > 0; --count) {
      PixelFinish<V, Finish> finish(epilogue, tile.place);
      const uint32_t* weights = tile.weights;
      const int32_t* base = tile.base.classes;
      int64_t channel = tile.place.channel;
      for (int64_t left = blocks; left > 0; --left) {
        const typename Sums::Held held(weights);
        IntTile<V, 1> start;
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) start[0][v] = V::Half(V::LoadInt(base + v * V::kLanes));
        finish.Start(channel, tile.place.lanes);
        static_assert(kMaxPlanes == 4);
        if (tiles.planes == 1) {
          RunBlock<1>(pixels, tiles, tile.in, held, start[0], finish);
        } else if (tiles.planes == 2) {
          RunBlock<2>(pixels, tiles, tile.in, held, start[0], finish);
        } else if (tiles.planes == 3) {
          RunBlock<3>(pixels, tiles, tile.in, held, start[0], finish);
        } else {
          RunBlock<4>(pixels, tiles, tile.in, held, start[0], finish);
        }
        weights += kWords * kChannelBlock;
        base += tiles.base_block_step;
        channel += kChannelBlock;
      }
      tile.Advance(pixels, tiles.in_steps.pixel);
    }
  }

 private:
  using V = typename Counter::Vector;
  static constexpr bool kIsLevel = !std::is_same_v<EpilogueOf<Finish>, Epilogue>;
  using Sums = std::conditional_t<kIsLevel, ShortSums<Counter, kWords>, WideSums<Counter, kWords>>;
  using Pixel = typename Sums::Vector[Sums::kVectors];

  // The differing bits of a pixel.
  template <int kPlanes>
  static BNN_INLINE void Count(const uint32_t* in, int64_t plane_step, const typename Sums::Held& held, Pixel& sum) {
    Sums::Count(in + (kPlanes - 1) * plane_step, held, sum);
    BNN_UNROLL for (int plane = kPlanes - 2; plane >= 0; --plane) {
      Pixel differences;
      Sums::Count(in + plane * plane_step, held, differences);
      BNN_UNROLL for (int v = 0; v < Sums::kVectors; ++v) {
        sum[v] = Sums::Add(Sums::Add(sum[v], sum[v]), differences[v]);
      }
    }
  }

  template <int kPlanes>
  static BNN_INLINE void RunBlock(int64_t pixels, const BinaryTiles& tiles, const uint32_t* in,
                                  const typename Sums::Held& held, const typename V::Int (&start)[V::kVectors],
                                  PixelFinish<V, Finish>& finish) {
    const int64_t in_step = tiles.in_steps.pixel;
    const int64_t plane_step = tiles.in_steps.plane;
    if constexpr (kIsLevel) {
      Pixel sum;
      Count<kPlanes>(in, plane_step, held, sum);
      BNN_NO_UNROLL for (int64_t p = pixels - 1; p > 0; --p) {
        Step(in, in_step);
        Pixel next;
        Count<kPlanes>(in, plane_step, held, next);
        finish.Finish(sum);
        BNN_UNROLL for (int v = 0; v < Sums::kVectors; ++v) sum[v] = next[v];
      }
      finish.Finish(sum);
    } else {
      BNN_NO_UNROLL for (int64_t p = pixels; p > 0; --p) {
        Pixel half;
        Count<kPlanes>(in, plane_step, held, half);
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) half[v] = V::Sub(start[v], half[v]);
        finish.Finish(half);
        Step(in, in_step);
      }
    }
  }
};

}  // namespace
}  // namespace bnn::kernels
