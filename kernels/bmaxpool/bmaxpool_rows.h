// Max-pooling of bits, row by row of the output, written once for all vector instruction sets. ISA files only.
//
// A word of output is the OR of the window's words: one load and one OR for each tap, so the work is to load every word
// once and not once for each window that it is in. Three ways to walk along a row, for windows of 2 x 2 and 3 x 3:
//
//   flat     stride 1: a row is one array; the taps of a kernel row lie `words` apart.
//   packed   stride 2, pixels of few words: a vector holds several whole pixels.
//   pixels   all else: a vector of words of one pixel, and the columns that the next window shares stay in registers.
//
// All start by combining the window's rows, so that what follows handles one row of columns. Rows outside the input
// are replaced by rows inside it: the OR of a word with itself is that word. Border columns, and windows of other sizes,
// go tap by tap.
//
// V supplies: Int (a vector of kLanes words), kLanes, Zero, Or, LoadWords, StoreWords, and LoadWordsPart,
// StoreWordsPart of the lanes whose bit is set (the others are not touched in memory); Selection, SelectionOf(index) and
// Select(a, b, selection): lane l is word index[l] of the 2 * kLanes words of a and b.
#pragma once

#include <cstdint>

#include "kernels/bmaxpool/bmaxpool_window.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// The mask of the first `count` lanes; none below 0, all 32 from there on.
BNN_INLINE uint32_t FirstLanes(int64_t count) {
  if (count <= 0) return 0;
  return count >= 32 ? ~uint32_t{0} : (uint32_t{1} << count) - 1;
}

// One output row of one image.
struct PoolRow {
  const uint32_t* in;  // row 0 of the image
  uint32_t* out;
  WindowTaps taps;    // tap rows that are inside the input
  int64_t words;      // of a pixel
  int64_t in_pixel;   // strides, in words
  int64_t out_pixel;
};

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

// The rows under a window of kRows rows.
template <class V, int kRows>
struct WindowRows {
  const uint32_t* row[kRows];  // of the leftmost window inside the input

  // The OR of the rows, `offset` words behind their beginning.
  BNN_INLINE typename V::Int Any(int64_t offset) const {
    typename V::Int any = V::LoadWords(row[0] + offset);
    BNN_UNROLL for (int i = 1; i < kRows; ++i) any = V::Or(any, V::LoadWords(row[i] + offset));
    return any;
  }
  BNN_INLINE typename V::Int Any(int64_t offset, uint32_t lanes) const {
    typename V::Int any = V::LoadWordsPart(row[0] + offset, lanes);
    BNN_UNROLL for (int i = 1; i < kRows; ++i) any = V::Or(any, V::LoadWordsPart(row[i] + offset, lanes));
    return any;
  }
};

// Stride 1, pixels without gaps: `count` words of output.
template <class V, int kSize>
BNN_INLINE void PoolFlat(const WindowRows<V, kSize>& rows, uint32_t* out, int64_t count, int64_t words) {
  int64_t k = 0;
  for (; k + V::kLanes <= count; k += V::kLanes) {
    typename V::Int any = rows.Any(k);
    BNN_UNROLL for (int j = 1; j < kSize; ++j) any = V::Or(any, rows.Any(k + j * words));
    V::StoreWords(out + k, any);
  }
  if (k == count) return;
  const uint32_t lanes = FirstLanes(count - k);
  typename V::Int any = rows.Any(k, lanes);
  BNN_UNROLL for (int j = 1; j < kSize; ++j) any = V::Or(any, rows.Any(k + j * words, lanes));
  V::StoreWordsPart(out + k, lanes, any);
}

// Stride 2, `count` pixels of output, their words in blocks of a vector. Of the columns under a window of 3, the last is
// the first of the next window: it stays in a register.
template <class V, int kSize>
BNN_INLINE void PoolPixels(const WindowRows<V, kSize>& rows, const PoolRow& row, uint32_t* out, int64_t count) {
  for (int64_t word = 0; word < row.words; word += V::kLanes) {
    const uint32_t lanes = FirstLanes(row.words - word);
    const bool is_full = row.words - word >= V::kLanes;
    const auto column = [&](int64_t offset) { return is_full ? rows.Any(offset) : rows.Any(offset, lanes); };
    int64_t offset = word;
    typename V::Int shared = kSize == 3 ? column(offset) : V::Zero();
    for (int64_t x = 0; x < count; ++x) {
      typename V::Int any = kSize == 3 ? shared : column(offset);
      any = V::Or(any, column(offset + row.in_pixel));
      offset += 2 * row.in_pixel;
      if (kSize == 3) {
        shared = column(offset);
        any = V::Or(any, shared);
      }
      uint32_t* const to = out + x * row.out_pixel + word;
      if (is_full) {
        V::StoreWords(to, any);
      } else {
        V::StoreWordsPart(to, lanes, any);
      }
    }
  }
}

// Stride 2, pixels without gaps whose words divide a vector. A vector of output is kLanes / words pixels; the columns
// under them are the pixels of two vectors of input, of which even pixels are first columns of a window and odd ones
// second columns. The third column of a window is the first one of the next window:
//
//   words = 2, kLanes = 8     low  a0 a1 b0 b1 c0 c1 d0 d1    high  e0 e1 f0 f1 g0 g1 h0 h1    next  i0 i1
//                             even a0 a1 c0 c1 e0 e1 g0 g1
//                             odd  b0 b1 d0 d1 f0 f1 h0 h1
//                             third                c0 c1 e0 e1 g0 g1 i0 i1   (of even and next)
template <class V>
struct PackedPlan {
  int64_t pixels;  // output pixels in a vector, fewer where the row has fewer; 0: the shape does not qualify
  uint32_t out_lanes, low_lanes, high_lanes, next_lanes;
  typename V::Selection even, odd, third;
};

template <class V>
PackedPlan<V> PlanPacked(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t words, int64_t interior) {
  PackedPlan<V> plan;
  plan.pixels = 0;
  const bool is_dense = args.in_strides.pixel == words && args.out_strides.pixel == words;
  if (shape.stride_w != 2 || !is_dense || words > V::kLanes / 2 || V::kLanes % words != 0) return plan;
  const int64_t full = V::kLanes / words;
  plan.pixels = interior < full ? interior : full;
  const int64_t in_words = 2 * plan.pixels * words;  // a window has 2 columns at least, so all these exist
  plan.out_lanes = FirstLanes(plan.pixels * words);
  plan.low_lanes = FirstLanes(in_words);
  plan.high_lanes = FirstLanes(in_words - V::kLanes);
  plan.next_lanes = FirstLanes(words);
  int32_t even[V::kLanes], odd[V::kLanes], third[V::kLanes];
  for (int64_t lane = 0; lane < V::kLanes; ++lane) {
    even[lane] = static_cast<int32_t>(lane / words * 2 * words + lane % words);
    odd[lane] = even[lane] + static_cast<int32_t>(words);
    const int64_t next = lane + words;  // the lane of the next window; the last window's is in `next`
    const int64_t used = plan.pixels * words;
    third[lane] = static_cast<int32_t>(next < used ? next : V::kLanes + (next - used) % words);
  }
  plan.even = V::SelectionOf(even);
  plan.odd = V::SelectionOf(odd);
  plan.third = V::SelectionOf(third);
  return plan;
}

template <class V, int kSize>
BNN_INLINE void PoolPacked(const WindowRows<V, kSize>& rows, const PackedPlan<V>& plan, uint32_t* out, int64_t words,
                           int64_t count) {
  for (int64_t begin = 0; begin < count; begin += plan.pixels) {
    // The last vector ends with the row, over pixels that have been there already.
    const int64_t x = begin + plan.pixels <= count ? begin : count - plan.pixels;
    const int64_t offset = 2 * x * words;
    const typename V::Int low = rows.Any(offset, plan.low_lanes);
    const typename V::Int high = rows.Any(offset + V::kLanes, plan.high_lanes);
    const typename V::Int even = V::Select(low, high, plan.even);
    typename V::Int any = V::Or(even, V::Select(low, high, plan.odd));
    if (kSize == 3) {
      const typename V::Int next = rows.Any(offset + 2 * plan.pixels * words, plan.next_lanes);
      any = V::Or(any, V::Select(even, next, plan.third));
    }
    V::StoreWordsPart(out + x * words, plan.out_lanes, any);
  }
}

// Windows of kSize x kSize without dilation.
template <class V, int kSize>
void PoolRows(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t n) {
  const int64_t words = WordsFor(shape.channels);
  const ColumnRange interior = InteriorColumns(shape);
  const int64_t count = interior.end - interior.begin;
  const PackedPlan<V> plan = PlanPacked<V>(shape, args, words, count);
  const bool is_flat = shape.stride_w == 1 && args.in_strides.pixel == words && args.out_strides.pixel == words;
  for (int64_t y = args.row_begin; y < args.row_end; ++y) {
    const PoolRow row = {args.in + n * args.in_strides.image,
                         args.out + n * args.out_strides.image + y * args.out_strides.row,
                         TapsInside(y, shape.stride_h, 1, shape.pad_top, kSize, shape.in_h),
                         words,
                         args.in_strides.pixel,
                         args.out_strides.pixel};
    for (int64_t x = 0; x < interior.begin; ++x) PoolPixel<V>(shape, args.in_strides.row, row, x);
    if (count > 0) {
      const uint32_t* const left = row.in + (interior.begin * shape.stride_w - shape.pad_left) * row.in_pixel;
      uint32_t* const out = row.out + interior.begin * row.out_pixel;
      WindowRows<V, kSize> rows;
      for (int64_t i = 0; i < kSize; ++i) {
        const int64_t below_top = i < row.taps.begin ? row.taps.begin : i;
        const int64_t inside = below_top < row.taps.end ? below_top : row.taps.end - 1;
        rows.row[i] = left + (row.taps.first + inside) * args.in_strides.row;
      }
      if (is_flat) {
        PoolFlat<V, kSize>(rows, out, count * words, words);
      } else if (plan.pixels > 0) {
        PoolPacked<V, kSize>(rows, plan, out, words, count);
      } else {
        PoolPixels<V, kSize>(rows, row, out, count);
      }
    }
    for (int64_t x = interior.end; x < shape.out_w; ++x) PoolPixel<V>(shape, args.in_strides.row, row, x);
  }
}

// Any window.
template <class V>
void PoolTapByTap(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t n) {
  for (int64_t y = args.row_begin; y < args.row_end; ++y) {
    const PoolRow row = {args.in + n * args.in_strides.image,
                         args.out + n * args.out_strides.image + y * args.out_strides.row,
                         TapsInside(y, shape.stride_h, shape.dilation_h, shape.pad_top, shape.kernel_h, shape.in_h),
                         WordsFor(shape.channels),
                         args.in_strides.pixel,
                         args.out_strides.pixel};
    for (int64_t x = 0; x < shape.out_w; ++x) PoolPixel<V>(shape, args.in_strides.row, row, x);
  }
}

template <class V>
void Pool(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  const int64_t words = WordsFor(shape.channels);
  const bool is_dense = args.in_strides.pixel == words && args.out_strides.pixel == words;
  const bool is_walkable = shape.dilation_h == 1 && shape.dilation_w == 1 && shape.kernel_h == shape.kernel_w &&
                           (shape.stride_w == 2 || (shape.stride_w == 1 && is_dense));
  for (int64_t n = args.image_begin; n < args.image_end; ++n) {
    if (is_walkable && shape.kernel_h == 2) {
      PoolRows<V, 2>(shape, args, n);
    } else if (is_walkable && shape.kernel_h == 3) {
      PoolRows<V, 3>(shape, args, n);
    } else {
      PoolTapByTap<V>(shape, args, n);
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
