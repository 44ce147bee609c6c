// What the loops around an inner loop (binary_loops.h) ask of a Counter, which is the inner loop of
// one instruction set (kernels/x86/popcount_*.h). ISA files only.
//
//   Vector         the vector wrapper of its epilogue
//   kBlocks        channel blocks that it counts at once: 1 or 2
//   kMaxPixels     pixels of the largest tile
//   kPixelStep     tiles of a multiple of this many pixels are the good ones
//   kOrder         of its packed weights
//   Input<kPixels>, Start(TileInput)
//                  what lies under kPixels pixels, of one plane. It lives as long as the tile, through all of its
//                  channel blocks, so that a counter can keep in it what it makes of the input.
//   Count<kPixels>(input, weights, block_words, halves)
//                  subtracts the numbers of differing bits between every pixel's window and the weights of kBlocks
//                  channel blocks, which are `block_words` apart, from `halves` (an IntTile for each block), lanes in
//                  the order of channels. block_words = 0 counts the last block of an odd number twice.
//   kSumsInMemory  it keeps sums in memory, not in registers, and has CountFrom in place of Count:
//   CountFrom<kFrom, kPixels>(input, weights, block_words, start, halves)
//                  the same, but halves need not be there before: see SumsFrom. `start`: [kBlocks][32], added to every
//                  pixel; nullptr: nothing
//                  and, for input of one plane and windows that it counts at once,
//   CountsAtOnce<kPixels>(input), CountSums<kPixels>(input, weights, block_words, Sums)
//                  whether it does, and the sums of a tile
//   SumsReader(Sums) with Start(base, block_step), Read(pixel, halves)
//                  what makes the half accumulators of one pixel after the other of them
//
// Only counters that can count and finish in one pipeline have
//   HasPipelineOf(walk)
//                  whether they do for windows of that length; at least 2 words
//   CountAndFinish<kRows, kPixels>(input, weights, base, same_base, start, finish)
//                  calls start() and then finish(half) with the half accumulators of one pixel after the other
//                  (RegisterTiles in window_tiles.h). They start from their constants in `base`; same_base:
//                  base.IsSame<kPixels>(). The rows of the window are single runs, without kRows there is one
// and, to keep the weights of a window of a few words of one run in registers while one pixel after the other passes
// (held_tiles.h),
//   Held<kWords>(weights, balance), HeldShorts<kWords>(weights, balance)
//                  weights of a channel block, in registers, some of their bits inverted (balance.h)
//   CountHeld<kWords>(in, held, balanced), CountHeldShorts<kWords>(in, held, balanced)
//                  the half accumulators, less balance.rest, of the window of kWords words that starts at `in` and the
//                  block, in 32 bits, and in V's 16-bit integers
#pragma once

#include <cstdint>

#include "kernels/pack_weights.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/tap_walk.h"

namespace bnn::kernels {
namespace {

// The walk of the first pixel, which starts at `in`; that of every other pixel is `pixel_step` words further.
struct TileInput {
  const TapWalk* walk;
  const uint32_t* in;
  int64_t pixel_step;
  // Words from the weights of a block to a fourth of a block that is to be prefetched while it is counted; 0: nothing.
  int64_t ahead;
};

// What a CountFrom adds to.
enum class SumsFrom { kZero, kHalves, kTwiceHalves };

template <class Counter>
concept HoldsWeights = requires {
  typename Counter::template Held<1>;
};

template <class Counter>
concept HoldsPixels = requires {
  typename Counter::template HeldPixel<1>;
};

// The choices of a counter that reads activations and blocked weights as they are.
struct PlainCounter {
  static constexpr int kBlocks = 1;
  static constexpr int kPixelStep = 1;
  static constexpr bool kSumsInMemory = false;
  static constexpr PackedOrder kOrder = kBlockedOrder;
  struct Sums {};  // none that stay in memory

  template <int kPixels>
  struct Input : TileInput {
    BNN_INLINE void Start(const TileInput& where) { static_cast<TileInput&>(*this) = where; }
  };
};

}  // namespace
}  // namespace bnn::kernels
