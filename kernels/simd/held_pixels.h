// Tiles of windows of 2 words (1x1 over 64 channels) behind which a residual is added and the sum goes to another
// place, for counters that hold weights. ISA files only.
//
// What does not fit into L2 decides here. Of 1x1 56x56 64 -> 256 the residual and the output are 3.2 MB each, and L3
// takes or gives a line every 2.4 cycles (Zen 4): 28 lines for 7 pixels of 32 channels are 67 cycles at least, while 14
// vectors of 10 operations are 70. Both are possible at once, 80, but only where memory is passed in an order that the
// hardware foresees. Merely adding a constant to the one and storing it to the other takes, in cycles,
//
//   67   pixel by pixel, from end to end
//   78   one to four lines of each pixel, then the next lines of all of them, which is the order of held_tiles.h
//   77   4 pixels that follow each other side by side; 2 76, 8 77
//   70   4 pixels side by side that lie 5 apart, 3 72; 90 where they lie 4 apart, or 8, or 28: multiples of 4 KB
//
// and from 73 to 87 where lines are asked for by hints, whichever, however far ahead. So 4 pixels pass side by side,
// each from its first channel to its last, of which each walks through a fourth of the tile, pixel by pixel: four runs
// of memory without gaps. They lie apart by such a number of pixels that their lines are a fourth of 4 KB apart, or
// three fourths, where neither the sets of L1 nor the addresses of stores that are under way collide.
//
//   pixel   0 1 2 ... 48 | 49 50 ... 97 | 98 ... 146 | 147 ... 195      first 0, 49, 98, 147, then 1, 50, 99, 148, ...
//
// The words of these pixels are held, and weights and parameters come from a table in L1, one vector of channels after
// the other, in one run of memory as well (from their own places they take 2 cycles more). As in held_tiles.h chains of
// operations overlap: of a vector the bits that differ are found, counted and added up, converted, and finished, each
// while a later pixel has the step before, and no vector, not even the first one of other pixels, begins anew. (With a
// new beginning for each 4 pixels 3 cycles more.)
//
// Zen 4, cycles for 7 pixels of 32 channels, before (held_tiles.h) and after: 56x56 64 -> 128 100 and 82, 192 90 and
// 80, 256 86 and 80, 384 89 and 82; 28x28 64 -> 256 85 and 81. 64 -> 64 is better there, 82 and 84, and so is
// everything that is in place: half of the lines.
#pragma once

#include <cstdint>

#include "kernels/simd/binary_tiles.h"
#include "kernels/simd/counter.h"
#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/held_tiles.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/pixel_finish.h"
#include "kernels/simd/tile_cursor.h"

namespace bnn::kernels {
namespace {

// Whether a finish is one of theirs. (Longer chains have more parameters than registers are left.)
template <class Finish>
inline constexpr bool kHasHeldPixels = false;
template <>
inline constexpr bool kHasHeldPixels<Chain<false, kA, kR>> = true;
template <>
inline constexpr bool kHasHeldPixels<Chain<false, kA, kR, kP>> = true;

template <class Counter, int kWords, class Finish>
struct HeldPixels {
  static constexpr int kMaxPixels = 196;
  static constexpr int kPixelStep = 1;

  static BNN_INLINE bool Suits(const BinaryTiles& tiles, const Epilogue& epilogue, int64_t blocks) {
    constexpr int64_t kFewestBlocks = 4;
    return tiles.planes == 1 && epilogue.out != epilogue.steps[1].a && blocks >= kFewestBlocks &&
           blocks * kBlockVectors <= kMaxVectors && ApartOf(kMaxPixels, epilogue) > 0;
  }

  static BNN_NOINLINE void Run(int64_t pixels, const BinaryTiles& tiles, const Epilogue& epilogue, int64_t blocks,
                               int64_t count, TileCursor& tile) {
    if (count == 0) return;
    const int64_t apart = ApartOf(pixels, epilogue);
    if (apart == 0) return HeldTiles<Counter, kWords, Finish>::Run(pixels, tiles, epilogue, blocks, count, tile);
    alignas(64) float table[kMaxVectors * kVectorFloats];
    FillTable(tiles, epilogue, blocks, tile, table);
    for (; count > 0; --count) {
      RunApart(apart, tiles, epilogue, blocks * kBlockVectors, table, tile);
      const int64_t done = kPixels * apart;
      if (done < pixels) {
        TileCursor rest = tile;
        rest.in += done * tiles.in_steps.pixel;
        rest.place.col += done;
        HeldTiles<Counter, kWords, Finish>::Run(pixels - done, tiles, epilogue, blocks, 1, rest);
      }
      tile.Advance(pixels, tiles.in_steps);
    }
  }

 private:
  using V = typename Counter::Vector;

  // One vector of channels at a time, in the order in which it is written.
  struct One : V {
    using Float = typename V::Float;
    static constexpr int kVectors = 1;

    static BNN_INLINE Float Keep(Float x) {
      __asm__ volatile("" : "+" BNN_VECTOR_REGISTER(x));
      return x;
    }
    static BNN_INLINE Float ToFloat(typename V::Int x) { return Keep(V::ToFloat(x)); }
    static BNN_INLINE Float Fma(Float x, Float scale, Float bias) { return Keep(V::Fma(x, scale, bias)); }
    static BNN_INLINE Float Add(Float a, Float b) { return Keep(V::Add(a, b)); }
    static BNN_INLINE Float PRelu(Float x, Float slope) { return Keep(V::PRelu(x, slope)); }
  };
  using PixelsFinish = PixelFinish<One, Finish>;
  using Pixel = typename Counter::template HeldPixel<kWords>;
  using Words = typename Counter::template VectorWords<kWords>;

  static constexpr int kPixels = 4;
  static constexpr int kBlockVectors = V::kVectors;
  static constexpr int kWeightFloats = kWords * V::kLanes;
  static constexpr int kVectorFloats = kWeightFloats + PixelsFinish::kParameters * V::kLanes;
  static constexpr int kMaxVectors = 8192 / (kVectorFloats * static_cast<int>(sizeof(float)));

  // How far apart pixels are that pass side by side, of a tile of so many; 0: there is no such distance.
  static BNN_INLINE int64_t ApartOf(int64_t pixels, const Epilogue& epilogue) {
    constexpr int64_t kLeast = 5, kTries = 8, kQuarter = 1024, kNear = 256;
    const int64_t most = pixels / kPixels;
    for (int64_t apart = most; apart >= kLeast && apart > most - kTries; --apart) {
      const int64_t bytes = apart * epilogue.out_strides.pixel * static_cast<int64_t>(sizeof(float)) % (2 * kQuarter);
      if (bytes >= kQuarter - kNear && bytes <= kQuarter + kNear) return apart;
    }
    return 0;
  }

  // By vector of channels: its weights, word by word, and the parameters of the steps.
  static BNN_INLINE void FillTable(const BinaryTiles& tiles, const Epilogue& epilogue, int64_t blocks,
                                   const TileCursor& tile, float* to) {
    PixelsFinish finish(epilogue, tile.place);
    for (int64_t block = 0; block < blocks; ++block) {
      const typename Counter::template Held<kWords> held(tile.weights + block * (kWords * kChannelBlock),
                                                         tiles.balance);
      BNN_UNROLL for (int v = 0; v < kBlockVectors; ++v) {
        BNN_UNROLL for (int k = 0; k < kWords; ++k) {
          V::StoreInt(reinterpret_cast<int32_t*>(to + k * V::kLanes), held.weights[k][v]);
        }
        finish.Start(tile.place.channel + block * kChannelBlock + v * V::kLanes, kAllLanes);
        finish.Save(to + kWeightFloats);
        to += kVectorFloats;
      }
    }
  }

  // kPixels * apart pixels.
  static BNN_INLINE void RunApart(int64_t apart, const BinaryTiles& tiles, const Epilogue& epilogue, int64_t vectors,
                                  const float* table, const TileCursor& tile) {
    PixelsFinish finish(epilogue, tile.place);
    finish.TakeEvery(apart);
    const uint32_t* in = tile.in;
    const int64_t in_step = apart * tiles.in_steps.pixel;
    const float* from = table;
    int64_t channel = tile.place.channel;
    int64_t left = vectors;
    Pixel held[kPixels];
    Words words[kPixels];
    Load(in, in_step, held);
    Pass<Part::kBegin>(held, from, channel, finish, words);
    for (;;) {
      if (--left == 0) {
        if (--apart == 0) break;
        Step(in, tiles.in_steps.pixel);
        Load(in, in_step, held);
        finish.Advance({0, 1});
        from = table;
        channel = tile.place.channel;
        left = vectors;
      } else {
        Step(from, kVectorFloats);
        channel += V::kLanes;
      }
      Pass<Part::kMiddle>(held, from, channel, finish, words);
    }
    BNN_UNROLL for (int p = 0; p < kBehind; ++p) PassPixel<Part::kEnd>(p, finish, words, [] {});
  }

  static constexpr int kBehind = 3;  // steps from the bits that differ to the end
  static constexpr int Before(int pixel, int by) { return (pixel + kPixels - by) % kPixels; }

  static BNN_INLINE void Load(const uint32_t* in, int64_t step, Pixel (&held)[kPixels]) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) held[p].Load(in + p * step);
  }
  static BNN_INLINE void Convert(Words& words) {
    const auto floats = One::ToFloat(reinterpret_cast<typename V::Int>(words.words[0]));
    words.words[0] = reinterpret_cast<typename Counter::Sum>(floats);
  }
  static BNN_INLINE void FinishPixel(PixelsFinish& finish, const Words& words) {
    PixelFloats<One> y = {reinterpret_cast<typename V::Float>(words.words[0])};
    finish.Finish(y);
  }

  // Of a tile: the first vector of channels, all others, and what is left to do of the last one.
  enum class Part { kBegin, kMiddle, kEnd };

  // One step of each pixel that is under way; differ() begins pixel p.
  template <Part kPart, class Fn>
  static BNN_INLINE void PassPixel(int p, PixelsFinish& finish, Words (&words)[kPixels], const Fn& differ) {
    const auto is_under_way = [p](int by) BNN_INLINE_LAMBDA {
      return kPart == Part::kMiddle || (kPart == Part::kBegin ? p >= by : p < by);
    };
    if (is_under_way(1)) Counter::CountEach(words[Before(p, 1)]);
    if (is_under_way(2)) Counter::AddUp(words[Before(p, 2)]);
    if (is_under_way(kBehind)) FinishPixel(finish, words[Before(p, kBehind)]);
    differ();
    if (is_under_way(2)) Convert(words[Before(p, 2)]);
  }

  // A vector of channels of all pixels. Its parameters come when the last kBehind pixels of the vector in front of it,
  // which `finish` still knows, are finished.
  template <Part kPart>
  static BNN_INLINE void Pass(const Pixel (&held)[kPixels], const float* from, int64_t channel, PixelsFinish& finish,
                              Words (&words)[kPixels]) {
    Words weights;
    Counter::LoadVector(reinterpret_cast<const uint32_t*>(from), weights);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      if (p == kBehind) finish.Restart(channel, from + kWeightFloats);
      PassPixel<kPart>(p, finish, words, [&]() BNN_INLINE_LAMBDA { Counter::Differ(held[p], weights, words[p]); });
    }
  }
};

}  // namespace
}  // namespace bnn::kernels
