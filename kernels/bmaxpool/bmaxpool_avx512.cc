#include <immintrin.h>

#include "kernels/bmaxpool/bmaxpool_table.h"
#include "kernels/bmaxpool/bmaxpool_window.h"

namespace bnn::kernels {
namespace {

constexpr int64_t kLanes = 16;

// The mask of the first `count` lanes; any count, so that -3 means none and 20 means all.
__mmask16 FirstLanes(int64_t count) {
  if (count <= 0) return 0;
  return count >= kLanes ? static_cast<__mmask16>(0xFFFF) : static_cast<__mmask16>((1u << count) - 1);
}

// One output row of one image: what its pixels share.
struct Row {
  const uint32_t* in;  // input row 0 of the image
  uint32_t* out;
  WindowTaps taps;  // tap rows that are inside the input
  int64_t words;    // of a pixel
};

// One output pixel, its words in blocks of 16: a load and an OR for each tap. Masked lanes are not read or written.
void PoolPixel(const BMaxPoolShape& shape, const BMaxPoolArgs& args, const Row& row, int64_t x) {
  const WindowTaps columns =
      TapsInside(x, shape.stride_w, shape.dilation_w, shape.pad_left, shape.kernel_w, shape.in_w);
  uint32_t* const out = row.out + x * args.out_strides.pixel;
  for (int64_t word = 0; word < row.words; word += kLanes) {
    const __mmask16 lanes = FirstLanes(row.words - word);
    __m512i any = _mm512_setzero_si512();
    for (int64_t i = row.taps.begin; i < row.taps.end; ++i) {
      const uint32_t* const line = row.in + (row.taps.first + i * shape.dilation_h) * args.in_strides.row + word;
      for (int64_t j = columns.begin; j < columns.end; ++j) {
        const uint32_t* const tap = line + (columns.first + j * shape.dilation_w) * args.in_strides.pixel;
        any = _mm512_or_si512(any, _mm512_maskz_loadu_epi32(lanes, tap));
      }
    }
    _mm512_mask_storeu_epi32(out + word, lanes, any);
  }
}

// Networks pool where they have few channels: 64 channels are two words, and a vector of 16 for each pixel would be
// mostly empty. Where pixels of both tensors are dense, one vector holds 16 / words whole output pixels. Their taps
// (i, j) lie `stride_w` pixels apart in the input: with stride 1 they are one contiguous load, with stride 2 they are
// every other pixel of two neighbouring vectors, which one two-source permutation collects:
//
//   words = 2, stride 2      in   a0 a1 .. .. b0 b1 .. .. c0 c1 ...  (32 words)
//                            any |= a0 a1 b0 b1 c0 c1 ...            (16 words, 8 output pixels)
//
// That is 4 instructions a tap for 16 words. The loads end with the last tap that is wanted, so they stay in the row,
// and a vector at the end of the row simply has fewer pixels.
struct DensePlan {
  int64_t pixels;  // output pixels in a vector
  __mmask16 lanes;
  __mmask16 load_low;
  __mmask16 load_high;
  __m512i collect;
};

bool IsDense(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t words) {
  return args.in_strides.pixel == words && args.out_strides.pixel == words && words <= kLanes / 2 &&
         shape.stride_w <= 2;
}

DensePlan PlanDense(const BMaxPoolShape& shape, int64_t words, int64_t pixels) {
  DensePlan plan;
  plan.pixels = pixels;
  plan.lanes = FirstLanes(pixels * words);
  const int64_t in_words = ((pixels - 1) * shape.stride_w + 1) * words;  // at most 31
  plan.load_low = FirstLanes(in_words);
  plan.load_high = FirstLanes(in_words - kLanes);
  alignas(64) int32_t index[kLanes];
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    index[lane] = static_cast<int32_t>(lane / words * shape.stride_w * words + lane % words);
  }
  plan.collect = _mm512_load_si512(index);
  return plan;
}

void PoolDense(const BMaxPoolShape& shape, const BMaxPoolArgs& args, const Row& row, const DensePlan& plan, int64_t x) {
  const uint32_t* const first = row.in + (x * shape.stride_w - shape.pad_left) * row.words;
  __m512i any = _mm512_setzero_si512();
  for (int64_t i = row.taps.begin; i < row.taps.end; ++i) {
    const uint32_t* tap = first + (row.taps.first + i * shape.dilation_h) * args.in_strides.row;
    for (int64_t j = 0; j < shape.kernel_w; ++j) {
      __m512i values = _mm512_maskz_loadu_epi32(plan.load_low, tap);
      if (shape.stride_w == 2) {
        const __m512i high = _mm512_maskz_loadu_epi32(plan.load_high, tap + kLanes);
        values = _mm512_permutex2var_epi32(values, plan.collect, high);
      }
      any = _mm512_or_si512(any, values);
      tap += shape.dilation_w * row.words;
    }
  }
  _mm512_mask_storeu_epi32(row.out + x * row.words, plan.lanes, any);
}

void Run(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  const int64_t words = WordsFor(shape.channels);
  const bool dense = IsDense(shape, args, words);
  const int64_t full = dense ? kLanes / words : 1;
  const ColumnRange interior = InteriorColumns(shape);
  const int64_t rest = (interior.end - interior.begin) % full;
  const DensePlan full_plan = PlanDense(shape, words, full);
  const DensePlan rest_plan = PlanDense(shape, words, rest);
  for (int64_t n = args.image_begin; n < args.image_end; ++n) {
    for (int64_t y = args.row_begin; y < args.row_end; ++y) {
      const Row row = {
          args.in + n * args.in_strides.image, args.out + n * args.out_strides.image + y * args.out_strides.row,
          TapsInside(y, shape.stride_h, shape.dilation_h, shape.pad_top, shape.kernel_h, shape.in_h), words};
      int64_t x = 0;
      if (dense) {
        for (; x < interior.begin; ++x) PoolPixel(shape, args, row, x);
        for (; x + full <= interior.end; x += full) PoolDense(shape, args, row, full_plan, x);
        if (rest > 0) PoolDense(shape, args, row, rest_plan, x);
        x += rest;
      }
      for (; x < shape.out_w; ++x) PoolPixel(shape, args, row, x);
    }
  }
}

}  // namespace

const BMaxPoolKernel kBMaxPoolAvx512 = {"bmaxpool_avx512", Isa::kAvx512, Run};

}  // namespace bnn::kernels
