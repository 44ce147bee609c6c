// Which taps of a pooling window lie inside the input, so that inner loops need no border tests.
// (The structs have no member initializers: those would make constructors, which are weak symbols in every object.)
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/bmaxpool/bmaxpool.h"

namespace bnn::kernels {

// One axis of a window: tap k reads input index first + k * dilation; taps [begin, end) are inside the input.
struct WindowTaps {
  int64_t first;
  int64_t begin;
  int64_t end;
};

// By counting: windows have few taps, and a division takes as long as pooling several pixels.
BNN_KERNEL_INLINE WindowTaps TapsInside(int64_t out_index, int64_t stride, int64_t dilation, int64_t pad,
                                        int64_t kernel, int64_t in_size) {
  WindowTaps taps;
  taps.first = out_index * stride - pad;
  taps.begin = 0;
  while (taps.begin < kernel && taps.first + taps.begin * dilation < 0) ++taps.begin;
  taps.end = kernel;
  while (taps.end > taps.begin && taps.first + (taps.end - 1) * dilation >= in_size) --taps.end;
  return taps;
}

// The output columns whose windows lie inside the input as a whole: [begin, end), possibly empty.
struct ColumnRange {
  int64_t begin;
  int64_t end;
};

BNN_KERNEL_INLINE ColumnRange InteriorColumns(const BMaxPoolShape& shape) {
  ColumnRange range;
  // x * stride - pad >= 0, and x * stride - pad + (kernel - 1) * dilation <= in_w - 1.
  range.begin = (shape.pad_left + shape.stride_w - 1) / shape.stride_w;
  const int64_t last = shape.in_w - 1 + shape.pad_left - (shape.kernel_w - 1) * shape.dilation_w;
  range.end = last >= 0 ? last / shape.stride_w + 1 : 0;
  if (range.end > shape.out_w) range.end = shape.out_w;
  if (range.begin > range.end) range.begin = range.end;
  return range;
}

}  // namespace bnn::kernels
