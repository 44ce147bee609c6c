// What the vector kernels of binary convolution share outside their inner loops: they all read the blocked weight order
// of kernels/pack_weights.h and walk the output in the same way. Compiled for any CPU; the ISA files call it once a
// run.
#pragma once

#include <cstdint>

#include "kernels/bconv2d/bconv2d.h"
#include "kernels/pack_weights.h"
#include "kernels/simd/extent.h"
#include "kernels/simd/tap_walk.h"

namespace bnn::kernels {

// The entries refuse, packed_words and pack of a vector kernel.
const char* RefuseBlockedBConv2d(const BConv2dShape& shape);
int64_t BlockedBConv2dWords(const BConv2dShape& shape);
void PackBlockedBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed);

// A shape and its arguments, resolved to what the tile loops need.
struct BConv2dGeometry {
  Extent extent;         // of output pixels, rows merged where memory allows
  Strides in_steps;      // input words from one output pixel, row, image to the next
  TapWalk walk;          // the window under one output pixel
  int64_t block_words;   // packed weights of one channel block
  int64_t group_blocks;  // channel blocks that a tile of pixels passes through before the next tile
  int64_t base_step;     // from the constants of one border class to the next
  bool even_base;        // every constant is even: half accumulators lose nothing (kernels/simd/epilogue_tile.h)
  int64_t last_block;    // the block that holds the last output channel
  uint32_t last_lanes;   // which of its channels exist

  // The end of the group of blocks with equal lanes that starts at `block`.
  BNN_KERNEL_INLINE int64_t GroupEnd(int64_t block, int64_t block_end) const {
    int64_t end = block + group_blocks;
    if (end > block_end) end = block_end;
    return end > last_block && block < last_block && last_lanes != ~uint32_t{0} ? last_block : end;
  }

  BNN_KERNEL_INLINE uint32_t LanesOf(int64_t block) const { return block == last_block ? last_lanes : ~uint32_t{0}; }
};
BConv2dGeometry ResolveBConv2d(const BConv2dShape& shape, const BConv2dArgs& args, const PackedOrder& order);

}  // namespace bnn::kernels
