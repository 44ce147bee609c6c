// A binary convolution or dense layer, resolved to what the loops of kernels/simd/binary_loops.h need. Compiled for any
// CPU; made once a run.
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/simd/balance.h"
#include "kernels/simd/extent.h"
#include "kernels/simd/tap_walk.h"

namespace bnn::kernels {

struct BinaryTiles {
  Extent extent;     // of output pixels, rows merged where memory allows
  Strides in_steps;  // input words from one output pixel, row, image, plane to the next
  TapWalk walk;      // the window under one output pixel
  const uint32_t* in;
  int planes;  // of the input
  const uint32_t* weights;
  int64_t tap_channels;  // of a tap of the window
  Balance balance;       // of windows whose weights are held; else nothing is inverted, and no rest

  const int32_t* base;        // the constants of the accumulators (kernels/bconv2d/bconv2d.h)
  const uint16_t* row_class;  // nullptr: one border class
  const uint16_t* col_class;
  int64_t num_col_classes;
  int64_t class_step;       // from the constants of one border class to the next
  int64_t base_block_step;  // from the constants of one channel block to the next
  int64_t max_acc;          // the largest |accumulator|
  bool even_base;           // every constant is even: half accumulators lose nothing (kernels/simd/epilogue_tile.h)

  int64_t block_begin, block_end;
  int64_t block_words;   // packed weights of one channel block
  int64_t group_blocks;  // channel blocks that a tile of pixels passes through before the next tile
  int64_t last_block;    // the block that holds the last output channel
  uint32_t last_lanes;   // which of its channels exist

  // The end of the group of blocks that starts at `block`. A last block that lacks lanes, and what a kernel counts
  // together with it, is a group of its own: `together` blocks from the start of a group on.
  BNN_KERNEL_INLINE int64_t GroupEnd(int64_t block, int64_t together) const {
    const int64_t end = block + group_blocks < block_end ? block + group_blocks : block_end;
    const int64_t cut = last_block - (last_block - block) % together;
    return end > last_block && block < cut && last_lanes != ~uint32_t{0} ? cut : end;
  }

  BNN_KERNEL_INLINE int64_t Pixels() const {
    return (extent.image_end - extent.image_begin) * (extent.row_end - extent.row_begin) *
           (extent.col_end - extent.col_begin);
  }

  BNN_KERNEL_INLINE uint32_t LanesOf(int64_t block) const { return block == last_block ? last_lanes : ~uint32_t{0}; }
};

}  // namespace bnn::kernels
