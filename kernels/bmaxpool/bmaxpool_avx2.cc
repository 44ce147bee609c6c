#include <immintrin.h>

#include "kernels/bmaxpool/bmaxpool_table.h"
#include "kernels/bmaxpool/bmaxpool_window.h"

namespace bnn::kernels {
namespace {

constexpr int64_t kLanes = 8;

// One output row of one image: what its pixels share.
struct Row {
  const uint32_t* in;  // input row 0 of the image
  uint32_t* out;
  WindowTaps taps;  // tap rows that are inside the input
  int64_t words;    // of a pixel
};

__m256i Load(const uint32_t* words) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words)); }
__m128i LoadHalf(const uint32_t* words) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(words)); }

// One output pixel: a load and an OR for each tap. Its words go in blocks of 8, then of 4, then one by one, because
// masked stores are slow on some CPUs with AVX2.
void PoolPixel(const BMaxPoolShape& shape, const BMaxPoolArgs& args, const Row& row, int64_t x) {
  const WindowTaps columns =
      TapsInside(x, shape.stride_w, shape.dilation_w, shape.pad_left, shape.kernel_w, shape.in_w);
  const int64_t down = shape.dilation_h * args.in_strides.row;
  const int64_t right = shape.dilation_w * args.in_strides.pixel;
  const uint32_t* const first = row.in + (row.taps.first + row.taps.begin * shape.dilation_h) * args.in_strides.row +
                                (columns.first + columns.begin * shape.dilation_w) * args.in_strides.pixel;
  const int64_t rows = row.taps.end - row.taps.begin;
  const int64_t cols = columns.end - columns.begin;
  uint32_t* const out = row.out + x * args.out_strides.pixel;

  int64_t word = 0;
  for (; word + 8 <= row.words; word += 8) {
    __m256i any = _mm256_setzero_si256();
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) any = _mm256_or_si256(any, Load(first + i * down + j * right + word));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + word), any);
  }
  for (; word + 4 <= row.words; word += 4) {
    __m128i any = _mm_setzero_si128();
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) any = _mm_or_si128(any, LoadHalf(first + i * down + j * right + word));
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + word), any);
  }
  for (; word < row.words; ++word) {
    uint32_t any = 0;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) any |= first[i * down + j * right + word];
    }
    out[word] = any;
  }
}

// Networks pool where they have few channels: 64 channels are two words, and a load for each pixel would use a quarter
// of the vector. Where pixels of both tensors are dense and their words divide 8, one vector holds 8 / words whole
// output pixels. Their taps (i, j) lie `stride_w` pixels apart in the input: with stride 1 they are one contiguous
// load, with stride 2 they are every other pixel of two neighbouring vectors. Both are permuted by the same indices
// modulo 8 and a blend takes the low output lanes from the first and the high ones from the second:
//
//   words = 2, stride 2      in   a0 a1 .. .. b0 b1 .. .. | c0 c1 .. .. d0 d1 (.. ..)
//                            any |= a0 a1 b0 b1 c0 c1 d0 d1            (4 output pixels)
//
// The second load ends with the last tap that is wanted, so it stays in the row.
struct DensePlan {
  int64_t pixels = 0;  // output pixels in a vector; 0: the shape does not qualify
  __m256i load_high = _mm256_setzero_si256();
  __m256i collect = _mm256_setzero_si256();
};

DensePlan PlanDense(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t words) {
  DensePlan plan;
  const bool dense = args.in_strides.pixel == words && args.out_strides.pixel == words;
  if (!dense || words > kLanes / 2 || kLanes % words != 0 || shape.stride_w > 2) return plan;
  plan.pixels = kLanes / words;
  const int64_t in_words = ((plan.pixels - 1) * shape.stride_w + 1) * words;  // 8, or 16 - words
  alignas(32) int32_t index[kLanes];
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    index[lane] = static_cast<int32_t>((lane / words * shape.stride_w * words + lane % words) % kLanes);
  }
  plan.collect = _mm256_load_si256(reinterpret_cast<const __m256i*>(index));
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  plan.load_high = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(in_words - kLanes)), lane);
  return plan;
}

void PoolDense(const BMaxPoolShape& shape, const BMaxPoolArgs& args, const Row& row, const DensePlan& plan, int64_t x) {
  const uint32_t* const first = row.in + (x * shape.stride_w - shape.pad_left) * row.words;
  __m256i any = _mm256_setzero_si256();
  for (int64_t i = row.taps.begin; i < row.taps.end; ++i) {
    const uint32_t* tap = first + (row.taps.first + i * shape.dilation_h) * args.in_strides.row;
    for (int64_t j = 0; j < shape.kernel_w; ++j) {
      __m256i values = Load(tap);
      if (shape.stride_w == 2) {
        const __m256i high = _mm256_maskload_epi32(reinterpret_cast<const int*>(tap + kLanes), plan.load_high);
        values = _mm256_blend_epi32(_mm256_permutevar8x32_epi32(values, plan.collect),
                                    _mm256_permutevar8x32_epi32(high, plan.collect), 0xF0);
      }
      any = _mm256_or_si256(any, values);
      tap += shape.dilation_w * row.words;
    }
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(row.out + x * row.words), any);
}

void Run(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  const int64_t words = WordsFor(shape.channels);
  const DensePlan plan = PlanDense(shape, args, words);
  const ColumnRange interior = InteriorColumns(shape);
  for (int64_t n = args.image_begin; n < args.image_end; ++n) {
    for (int64_t y = args.row_begin; y < args.row_end; ++y) {
      const Row row = {
          args.in + n * args.in_strides.image, args.out + n * args.out_strides.image + y * args.out_strides.row,
          TapsInside(y, shape.stride_h, shape.dilation_h, shape.pad_top, shape.kernel_h, shape.in_h), words};
      int64_t x = 0;
      if (plan.pixels > 0) {
        for (; x < interior.begin; ++x) PoolPixel(shape, args, row, x);
        for (; x + plan.pixels <= interior.end; x += plan.pixels) PoolDense(shape, args, row, plan, x);
      }
      for (; x < shape.out_w; ++x) PoolPixel(shape, args, row, x);
    }
  }
}

}  // namespace

const BMaxPoolKernel kBMaxPoolAvx2 = {"bmaxpool_avx2", Isa::kAvx2, Run};

}  // namespace bnn::kernels
