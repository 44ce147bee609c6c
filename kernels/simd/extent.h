// Which pixels a kernel walks, and when several rows are in truth one long row.
//
// Vector kernels work on tiles of neighbouring pixels of a row. Where rows follow each other in memory without a gap
// (a 1x1 convolution without a halo, say), two rows of 7 pixels are one row of 14: fewer and fuller tiles.
#pragma once

#include <cstdint>

#include "kernels/epilogue.h"

namespace bnn::kernels {

// Pixels [begin, end) of each level, counted from the tensor's origin.
struct Extent {
  int64_t image_begin = 0, image_end = 0;
  int64_t row_begin = 0, row_end = 0;
  int64_t col_begin = 0, col_end = 0;
};

// The extent as fewer, longer rows where `in` and every tensor of the epilogue allow it. `in` are the input's steps
// from one output pixel, row and image to the next. `rows` and `cols` are the size of an image; the extent covers whole
// rows. The result addresses the same elements through the same strides: its columns may run beyond `cols`.
Extent MergeRows(const Extent& extent, int64_t rows, int64_t cols, const Strides& in, const Epilogue& epilogue);

}  // namespace bnn::kernels
