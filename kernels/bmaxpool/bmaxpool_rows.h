// Max-pooling of bits, row by row of the output, written once for all vector instruction sets; elements of several bits
// are in bmaxpool_levels.h. ISA files only.
//
// A word of output is the OR of the window's words: one load and one OR for each tap, so the work is to load every word
// once and not once for each window that it is in. Three ways to walk along a row, for windows of 2 x 2 and 3 x 3:
//
//   flat     stride 1: a row is one array; the taps of a kernel row lie `words` apart.
//   packed   stride 2, pixels of few words: a vector holds several whole pixels.
//   pixels   all else: a vector of words of one pixel, and the columns that the next window shares stay in registers.
//
// All start by combining the window's rows, so that what follows handles one row of columns. Rows outside the input
// are replaced by rows inside it: the OR of a word with itself is that word. Border columns, and windows of other
// sizes, go tap by tap.
//
// All loads have a mask, also where it is full. Rows of bits that come from L2 then arrive at 155 to 175 GB/s on Zen 5,
// with plain loads at 120 to 130: loads at a constant stride get in the way of each other there, unless they are masked
// (bitpack_tiles.h says more). A pool with stride 2 also writes a fourth of what it reads. Of merely reading as
// many bytes as it reads and writes that is 88 to 98 %; of reading the input and then writing the output, each at full
// speed, 80 to 102 %. With AVX2, where a window of 3 x 3 reads every second row twice, it is 63 to 89 % of reading as
// many bytes. On Zen 4 both reach 84 to 97 %.
//
// V supplies: Int (a vector of kLanes words), kLanes, Zero, Or, StoreWords, and LoadWordsPart, StoreWordsPart of the
// lanes whose bit is set (the others are not touched in memory); Selection, SelectionOf(index) and Select(a, b,
// selection): lane l is word index[l] of the 2 * kLanes words of a and b.
#pragma once

#include <cstdint>

#include "kernels/bmaxpool/bmaxpool_levels.h"
#include "kernels/bmaxpool/bmaxpool_window.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/lanes.h"

namespace bnn::kernels {
namespace {

// One output row of one image.
struct PoolRow {
  const uint32_t* in;  // row 0 of the image
  uint32_t* out;
  WindowTaps taps;   // tap rows that are inside the input
  int64_t words;     // of a pixel
  int64_t in_pixel;  // strides, in words
  int64_t out_pixel;
};

BNN_INLINE PoolRow MakeRow(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t n, int64_t y) {
  return {args.in + n * args.in_strides.image,
          args.out + n * args.out_strides.image + y * args.out_strides.row,
          TapsInside(y, shape.stride_h, shape.dilation_h, shape.pad_top, shape.kernel_h, shape.in_h),
          WordsFor(shape.channels),
          args.in_strides.pixel,
          args.out_strides.pixel};
}

// One output pixel, tap by tap, whatever the window.
template <class V>
BNN_NOINLINE void PoolPixel(const BMaxPoolShape& shape, int64_t in_row, PoolRow row, int64_t x) {
  const WindowTaps cols = TapsInside(x, shape.stride_w, shape.dilation_w, shape.pad_left, shape.kernel_w, shape.in_w);
  const int64_t down = shape.dilation_h * in_row;
  const int64_t right = shape.dilation_w * row.in_pixel;
  const uint32_t* const first = row.in + (row.taps.first + row.taps.begin * shape.dilation_h) * in_row +
                                (cols.first + cols.begin * shape.dilation_w) * row.in_pixel;
  const int64_t num_rows = row.taps.end - row.taps.begin;
  const int64_t num_cols = cols.end - cols.begin;
  uint32_t* const out = row.out + x * row.out_pixel;
  for (int64_t word = 0; word < row.words; word += V::kLanes) {
    const uint32_t lanes = FirstLanes(row.words - word);
    typename V::Int any = V::Zero();
    for (int64_t i = 0; i < num_rows; ++i) {
      for (int64_t j = 0; j < num_cols; ++j) {
        any = V::Or(any, V::LoadWordsPart(first + i * down + j * right + word, lanes));
      }
    }
    V::StoreWordsPart(out + word, lanes, any);
  }
}

// The rows under a window of kSize rows.
template <class V, int kSize>
struct WindowRows {
  const uint32_t* row[kSize];  // column 0

  // The OR of the rows, `offset` words behind their beginning.
  BNN_INLINE typename V::Int Any(int64_t offset, uint32_t lanes) const {
    typename V::Int any = V::LoadWordsPart(row[0] + offset, lanes);
    BNN_UNROLL for (int i = 1; i < kSize; ++i) any = V::Or(any, V::LoadWordsPart(row[i] + offset, lanes));
    return any;
  }
};

template <class V>
BNN_INLINE void StoreLanes(uint32_t* words, uint32_t lanes, typename V::Int x) {
  if (lanes >= FirstLanes(V::kLanes)) {
    V::StoreWords(words, x);
  } else {
    V::StoreWordsPart(words, lanes, x);
  }
}

// Stride 1, pixels without gaps: `count` words of output whose first tap is `offset` words behind column 0.
template <class V, int kSize>
BNN_INLINE void PoolFlat(const WindowRows<V, kSize>& rows, int64_t offset, uint32_t* out, int64_t count,
                         int64_t words) {
  for (int64_t k = 0; k < count; k += V::kLanes) {
    const uint32_t lanes = FirstLanes(count - k);
    typename V::Int any = rows.Any(offset + k, lanes);
    BNN_UNROLL for (int j = 1; j < kSize; ++j) any = V::Or(any, rows.Any(offset + k + j * words, lanes));
    StoreLanes<V>(out + k, lanes, any);
  }
}

// Stride 2. A window is a pair of columns, whose first one is `pair` for the first window, and with kSize = 3 the
// column to the left of the pair, which is the last one of the window before: it stays in a register. To the left of
// the input is nothing, which is 0 for an OR. Of a pixel, kBlocks vectors from `word` on.
template <class V, int kSize, int kBlocks>
BNN_INLINE void PoolVectors(const WindowRows<V, kSize>& rows, const PoolRow& row, int64_t pair, uint32_t* out,
                            int64_t count, int64_t word) {
  uint32_t lanes[kBlocks];
  typename V::Int left[kBlocks];
  int64_t offset = pair * row.in_pixel + word;
  BNN_UNROLL for (int b = 0; b < kBlocks; ++b) {
    lanes[b] = FirstLanes(row.words - word - b * V::kLanes);
    left[b] = kSize == 3 && pair > 0 ? rows.Any(offset - row.in_pixel + b * V::kLanes, lanes[b]) : V::Zero();
  }
  for (int64_t x = 0; x < count; ++x) {
    BNN_UNROLL for (int b = 0; b < kBlocks; ++b) {
      const int64_t here = offset + b * V::kLanes;
      const typename V::Int right = rows.Any(here + row.in_pixel, lanes[b]);
      typename V::Int any = V::Or(rows.Any(here, lanes[b]), right);
      if (kSize == 3) {
        any = V::Or(any, left[b]);
        left[b] = right;
      }
      StoreLanes<V>(out + x * row.out_pixel + word + b * V::kLanes, lanes[b], any);
    }
    offset += 2 * row.in_pixel;
  }
}

// All words of the pixels, in pairs of vectors: a vector of AVX2 is half a cache line, and lines that come by halves,
// the second ones in another pass over the row, take 1.3 times as long (512 channels, Zen 4).
template <class V, int kSize>
BNN_INLINE void PoolPixels(const WindowRows<V, kSize>& rows, const PoolRow& row, int64_t pair, uint32_t* out,
                           int64_t count) {
  int64_t word = 0;
  for (; row.words - word > V::kLanes; word += 2 * V::kLanes) {
    PoolVectors<V, kSize, 2>(rows, row, pair, out, count, word);
  }
  if (word < row.words) PoolVectors<V, kSize, 1>(rows, row, pair, out, count, word);
}

// Stride 2, pixels without gaps whose words divide a vector. A vector of output is kLanes / words pixels, and the pairs
// of columns under them are two vectors of input. The column to the left of a pair is the second one of the pair
// before:
//
//   words = 2, kLanes = 8      low  a0 a1 b0 b1 c0 c1 d0 d1     high e0 e1 f0 f1 g0 g1 h0 h1
//                              even a0 a1 c0 c1 e0 e1 g0 g1
//                              odd  b0 b1 d0 d1 f0 f1 h0 h1     odd of the vector before .. .. .. .. .. .. z0 z1
//                              left z0 z1 b0 b1 d0 d1 f0 f1
//
// Pairs, not windows, decide where vectors begin: with a padding of 1 that is column 0, where rows are aligned.
template <class V>
struct PackedPlan {
  bool qualifies;
  int64_t full_words, rest_words;  // of output: all full vectors of a row, and the last one, if it is not full
  typename V::Selection even, odd, left;
  typename V::Selection to_end;  // moves the first pixel of a vector to its end
};

template <class V>
PackedPlan<V> PlanPacked(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t words, int64_t count) {
  PackedPlan<V> plan;
  const bool is_dense = args.in_strides.pixel == words && args.out_strides.pixel == words;
  plan.qualifies = shape.stride_w == 2 && is_dense && words <= V::kLanes / 2 && V::kLanes % words == 0;
  if (!plan.qualifies) return plan;
  plan.rest_words = count * words % V::kLanes;
  plan.full_words = count * words - plan.rest_words;
  int32_t even[V::kLanes], odd[V::kLanes], left[V::kLanes], to_end[V::kLanes];
  for (int64_t pixel = 0; pixel < V::kLanes; pixel += words) {
    for (int64_t word = 0; word < words; ++word) {
      const int64_t lane = pixel + word;
      even[lane] = static_cast<int32_t>(2 * pixel + word);
      odd[lane] = static_cast<int32_t>(2 * pixel + words + word);
      left[lane] = static_cast<int32_t>((pixel == 0 ? 2 * V::kLanes : 0) + lane - words);
      to_end[lane] = static_cast<int32_t>(word);
    }
  }
  plan.even = V::SelectionOf(even);
  plan.odd = V::SelectionOf(odd);
  plan.left = V::SelectionOf(left);
  plan.to_end = V::SelectionOf(to_end);
  return plan;
}

template <class V, int kSize>
BNN_INLINE void PoolPacked(const WindowRows<V, kSize>& rows, const PackedPlan<V>& plan, int64_t pair, uint32_t* out,
                           int64_t words) {
  typename V::Int before = V::Zero();
  if (kSize == 3 && pair > 0) {
    const typename V::Int column = rows.Any((pair - 1) * words, FirstLanes(words));
    before = V::Select(column, column, plan.to_end);
  }
  int64_t done = 0;
  const auto pool = [&](uint32_t low_lanes, uint32_t high_lanes) {
    const int64_t offset = pair * words + 2 * done;
    const typename V::Int low = rows.Any(offset, low_lanes);
    const typename V::Int high = rows.Any(offset + V::kLanes, high_lanes);
    const typename V::Int odd = V::Select(low, high, plan.odd);
    typename V::Int any = V::Or(V::Select(low, high, plan.even), odd);
    if (kSize == 3) any = V::Or(any, V::Select(odd, before, plan.left));
    before = odd;
    return any;
  };
  const uint32_t all_lanes = FirstLanes(plan.full_words);  // at least a vector, if there is one
  for (; done < plan.full_words; done += V::kLanes) V::StoreWords(out + done, pool(all_lanes, all_lanes));
  if (plan.rest_words == 0) return;
  V::StoreWordsPart(out + done, FirstLanes(plan.rest_words),
                    pool(FirstLanes(2 * plan.rest_words), FirstLanes(2 * plan.rest_words - V::kLanes)));
}

// How the rows of a run are walked, windows of kSize x kSize without dilation; the same for all rows of all images.
template <class V, int kSize>
struct RowPlan {
  bool is_flat;
  ColumnRange walk;     // output columns; the others go tap by tap
  int64_t first, pair;  // input column of the first tap, and of the pair of PoolPixels, of the first of them
  PackedPlan<V> packed;
};

template <class V, int kSize>
RowPlan<V, kSize> PlanRows(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  RowPlan<V, kSize> plan;
  plan.is_flat = shape.stride_w == 1;
  plan.walk = InteriorColumns(shape);
  // With stride 2 the first of three columns may be the one before the input.
  const bool starts_before = plan.walk.begin > 0 && plan.walk.begin * 2 - shape.pad_left == 1;
  if (!plan.is_flat && kSize == 3 && starts_before) --plan.walk.begin;
  plan.first = plan.walk.begin * shape.stride_w - shape.pad_left;
  plan.pair = plan.first + kSize - 2;
  plan.packed = PlanPacked<V>(shape, args, WordsFor(shape.channels), plan.walk.end - plan.walk.begin);
  return plan;
}

template <class V, int kSize>
BNN_INLINE void PoolInterior(const RowPlan<V, kSize>& plan, const BMaxPoolArgs& args, const PoolRow& row) {
  const int64_t count = plan.walk.end - plan.walk.begin;
  if (count <= 0) return;
  WindowRows<V, kSize> rows;
  for (int64_t i = 0; i < kSize; ++i) {
    const int64_t below_top = i < row.taps.begin ? row.taps.begin : i;
    const int64_t inside = below_top < row.taps.end ? below_top : row.taps.end - 1;
    rows.row[i] = row.in + (row.taps.first + inside) * args.in_strides.row;
  }
  uint32_t* const out = row.out + plan.walk.begin * row.out_pixel;
  if (plan.is_flat) {
    PoolFlat<V, kSize>(rows, plan.first * row.words, out, count * row.words, row.words);
  } else if (plan.packed.qualifies) {
    PoolPacked<V, kSize>(rows, plan.packed, plan.pair, out, row.words);
  } else {
    PoolPixels<V, kSize>(rows, row, plan.pair, out, count);
  }
}

template <class V, int kSize>
void PoolRows(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  const RowPlan<V, kSize> plan = PlanRows<V, kSize>(shape, args);
  for (int64_t n = args.image_begin; n < args.image_end; ++n) {
    for (int64_t y = args.row_begin; y < args.row_end; ++y) {
      const PoolRow row = MakeRow(shape, args, n, y);
      for (int64_t x = 0; x < plan.walk.begin; ++x) PoolPixel<V>(shape, args.in_strides.row, row, x);
      PoolInterior<V, kSize>(plan, args, row);
      for (int64_t x = plan.walk.end; x < shape.out_w; ++x) PoolPixel<V>(shape, args.in_strides.row, row, x);
    }
  }
}

// Any window.
template <class V>
void PoolTapByTap(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  for (int64_t n = args.image_begin; n < args.image_end; ++n) {
    for (int64_t y = args.row_begin; y < args.row_end; ++y) {
      const PoolRow row = MakeRow(shape, args, n, y);
      for (int64_t x = 0; x < shape.out_w; ++x) PoolPixel<V>(shape, args.in_strides.row, row, x);
    }
  }
}

template <class V>
void Pool(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  static_assert(kMaxPlanes == 4);
  if (shape.planes == 2) return PoolLevels<V, 2>(shape, args);
  if (shape.planes == 3) return PoolLevels<V, 3>(shape, args);
  if (shape.planes == 4) return PoolLevels<V, 4>(shape, args);
  const int64_t words = WordsFor(shape.channels);
  const bool is_dense = args.in_strides.pixel == words && args.out_strides.pixel == words;
  const bool is_walkable = shape.dilation_h == 1 && shape.dilation_w == 1 && shape.kernel_h == shape.kernel_w &&
                           (shape.stride_w == 2 || (shape.stride_w == 1 && is_dense));
  if (is_walkable && shape.kernel_h == 2) {
    PoolRows<V, 2>(shape, args);
  } else if (is_walkable && shape.kernel_h == 3) {
    PoolRows<V, 3>(shape, args);
  } else {
    PoolTapByTap<V>(shape, args);
  }
}

}  // namespace
}  // namespace bnn::kernels
