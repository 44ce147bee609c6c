// Where a tile of output pixels starts: what the loops of binary_loops.h hand to their tiles. ISA files only.
#pragma once

#include <cstdint>

#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"

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

// The first of a tile's pixels, the first of its channel blocks.
struct TileCursor {
  const uint32_t* in;       // the first word under the first pixel
  const uint32_t* weights;  // of the first block
  TileBase base;            // of the row and the first block
  TilePlace place;
  WeightsAhead ahead;
  int64_t tiles_in_row;  // all of the same number of pixels, where one run of tiles is several rows of one border
                         // class; else 0
  int64_t left_in_row;   // of them

  // To the next tile, which is in the next row behind the last one of a row. Neither a branch nor a call for each row
  // (3x3 56x56x64 on Zen 5: 211 cycles a tile instead of 213, bits 204 instead of 206).
  BNN_INLINE TileStep Advance(int64_t pixels, const Strides& in_steps) {
    --left_in_row;
    const int64_t is_end = -static_cast<int64_t>(left_in_row == 0);
    left_in_row += tiles_in_row & is_end;
    const TileStep step = {pixels - (tiles_in_row * pixels & is_end), -is_end};
    in += step.pixels * in_steps.pixel + step.rows * in_steps.row;
    place.col += step.pixels;
    place.row += step.rows;
    if (base.col_class != nullptr) base.col_class += pixels;
    return step;
  }
};

}  // namespace
}  // namespace bnn::kernels
