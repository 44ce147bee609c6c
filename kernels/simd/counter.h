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
//   kHeldWords     words of input that it can hold in registers while it counts windows of a few words for one channel
//                  block after the other (HeldTiles, binary_loops.h). Like what follows, only counters that can do so
//                  have it.
//   Hold(word)     a word of input, in a register
//   CountHeld<kPixels, kWords>(input, weights, start, finish)
//                  for every pixel in order: finish.Finish(halves of `start` minus the numbers of differing bits)
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

template <class Counter>
concept HoldsInput = requires {
  Counter::kHeldWords;
};

// The choices of a counter that reads activations and blocked weights as they are.
struct PlainCounter {
  static constexpr int kBlocks = 1;
  static constexpr int kPixelStep = 1;
  static constexpr PackedOrder kOrder = kBlockedOrder;

  template <int kPixels>
  struct Input : TileInput {
    BNN_INLINE void Start(const TileInput& where) { static_cast<TileInput&>(*this) = where; }
  };
};

}  // namespace
}  // namespace bnn::kernels
