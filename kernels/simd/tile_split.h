// How a row of pixels is cut into tiles. ISA files only.
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// The fewest tiles of at most `max` pixels, of nearly equal size: 16 pixels in tiles of 7 are 6 + 5 + 5, not 7 + 7 + 2,
// because a tile of few pixels has too few independent sums to hide its loads. The first `longer` tiles have pixels +
// step pixels, the others `pixels`. Computed once for all rows: a division in the middle of a row would cost as much as
// some words of arithmetic.
//
// Where a kernel computes `step` pixels together, tiles are multiples of it, and the last one lacks what the row lacks.
struct TileSplit {
  int64_t tiles;
  int64_t pixels;
  int64_t longer;
  int64_t lacking;
};

BNN_INLINE TileSplit SplitTiles(int64_t pixels, int64_t max, int64_t step = 1) {
  if (pixels <= 0) return {0, 0, 0, 0};
  const int64_t steps = (pixels + step - 1) / step;
  const int64_t tiles = (pixels + max - 1) / max;
  return {tiles, steps / tiles * step, steps % tiles, steps * step - pixels};
}

}  // namespace
}  // namespace bnn::kernels
