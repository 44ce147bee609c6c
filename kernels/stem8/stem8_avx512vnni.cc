// One instruction adds 16 channels' products of four terms each.
//
// A tile is 6 output pixels by up to 64 channels: 24 sums stay in registers while the terms pass. A step multiplies
// four terms: 4 loads of weights and 6 broadcasts of a pixel's bytes serve 24 vpdpbusd, 12 cycles on two ports; loads
// take half of that. Tiles go on from one output row to the next, so only the last of a call is incomplete.
//
// The terms of a pixel are gathered on the stack, one vector a kernel row, masked at the borders; each overwrites its
// predecessor's excess. Pixel p of the next tile is gathered before the p-th part of this tile's steps: products that
// wait for their ports fill those moments (gathering a whole tile at once costs 12 % more time), and no broadcast waits
// for a store that has not reached the cache.
//
// vpdpbusd multiplies unsigned by signed: signed inputs are moved by 128, and so is their zero point. The sums begin
// with -zero_point * (sum of weights).
#include <immintrin.h>

#include "kernels/simd/inline.h"
#include "kernels/stem8/stem8_table.h"

namespace bnn::kernels {
namespace {

constexpr int kPixels = 6;
constexpr int kVectors = 4;        // of channels
constexpr int64_t kRowBytes = 32;  // of a vector that gathers
constexpr int64_t kMaxTerms = 512;
constexpr int64_t kLanes = kStem8Lanes;
constexpr __mmask16 kAll = 0xFFFF;  // costs nothing: gcc 12 warns of its own header's unmasked forms

// The bytes of a tile, pixel by pixel. The last vector of a pixel reaches beyond its terms.
using Terms = uint8_t[kPixels][kMaxTerms + kRowBytes];

// The same pointer, of which the compiler knows nothing: what is read through it is not kept in vector registers from
// one tile to the next. The sums need those.
template <class T>
BNN_INLINE const T* Hide(const T* pointer) {
  __asm__ volatile("" : "+r"(pointer));
  return pointer;
}

// Output pixels of a call, one after the other.
class Gather {
 public:
  Gather(const Stem8Shape& shape, const Stem8Args& args)
      : s_(shape),
        flip_(_mm256_set1_epi8(args.in_is_signed ? -128 : 0)),
        zero_point_(_mm256_set1_epi8(static_cast<char>(args.zero_point))),
        image_(args.in + args.row_begin / shape.out_h * ImageBytes()),
        out_row_(args.row_begin % shape.out_h),
        row_terms_(shape.row_terms()),
        row_step_(shape.dilation_h * shape.in_w * shape.in_c),
        last_left_(shape.in_w - shape.kernel_w),
        last_begin_(ImageBytes() - kRowBytes - (shape.kernel_h - 1) * row_step_) {}

  // The next pixel.
  BNN_INLINE void Pixel(uint8_t* terms) {
    Copy(terms);
    Next();
  }

 private:
  int64_t ImageBytes() const { return s_.in_h * s_.in_w * s_.in_c; }

  BNN_INLINE void Copy(uint8_t* terms) const {
    const __m256i flip = *Hide(&flip_);
    const int64_t top = out_row_ * s_.stride_h - s_.pad_top;
    const int64_t left = out_col_ * s_.stride_w - s_.pad_left;
    const int64_t begin = (top * s_.in_w + left) * s_.in_c;
    if (top >= 0 && left >= 0 && left <= last_left_ && begin <= last_begin_) {
      const uint8_t* row = image_ + begin;
      BNN_NO_UNROLL
      for (int64_t kh = 0; kh < s_.kernel_h; ++kh) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(terms), _mm256_xor_si256(bytes, flip));
        terms += row_terms_;
        row += row_step_;
      }
    } else {
      CopyBorder(top, left, terms);
    }
  }

  // Windows that reach outside, or whose vectors would.
  BNN_INLINE void CopyBorder(int64_t top, int64_t left, uint8_t* terms) const {
    const int64_t first = left < 0 ? -left : 0;
    const int64_t last = left + s_.kernel_w > s_.in_w ? s_.in_w - left : s_.kernel_w;
    const uint32_t inside = BytesBelow(last * s_.in_c) & ~BytesBelow(first * s_.in_c);
    const __m256i flip = *Hide(&flip_), zero_point = *Hide(&zero_point_);
    for (int64_t kh = 0; kh < s_.kernel_h; ++kh) {
      const int64_t y = top + kh * s_.dilation_h;
      const uint32_t valid = y >= 0 && y < s_.in_h ? inside : 0;
      // May begin outside of the map: what lies there is masked.
      const uintptr_t row =
          reinterpret_cast<uintptr_t>(image_) + static_cast<uintptr_t>((y * s_.in_w + left) * s_.in_c);
      const __m256i bytes = _mm256_mask_loadu_epi8(zero_point, valid, reinterpret_cast<const void*>(row));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(terms), _mm256_xor_si256(bytes, flip));
      terms += row_terms_;
    }
  }

  BNN_INLINE void Next() {
    if (++out_col_ < s_.out_w) return;
    out_col_ = 0;
    if (++out_row_ < s_.out_h) return;
    out_row_ = 0;
    image_ += ImageBytes();
  }

  static BNN_INLINE uint32_t BytesBelow(int64_t count) {
    if (count >= kRowBytes) return ~uint32_t{0};
    return count <= 0 ? 0 : _bzhi_u32(~uint32_t{0}, static_cast<uint32_t>(count));
  }

  const Stem8Shape s_;
  const __m256i flip_, zero_point_;
  const uint8_t* image_;
  int64_t out_row_, out_col_ = 0;
  const int64_t row_terms_, row_step_;
  // Of windows that are copied whole. The vector of the last row must end within the image, so rows need no limit.
  const int64_t last_left_, last_begin_;
};

// What a block of N vectors of channels adds and how it ends.
template <int N>
struct Block {
  const int8_t* weights;
  const float *scale, *bias;
  __m512i start[N];
};

// sum += a * w. Written out: around the intrinsic gcc 12 copies sums and then runs out of registers.
BNN_INLINE void AddProducts(__m512i& sum, __m512i a, __m512i w) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(w));
}

// The quads [begin, end) of a tile.
template <int N>
BNN_INLINE void Sum(const Block<N>& block, int64_t quads, int64_t begin, int64_t end, const Terms& terms,
                    __m512i (&sums)[kPixels][N]) {
  BNN_NO_UNROLL
  for (int64_t q = begin; q < end; ++q) {
    __m512i w[N];
    BNN_UNROLL
    for (int v = 0; v < N; ++v) w[v] = _mm512_loadu_si512(block.weights + (v * quads + q) * kLanes * 4);
    BNN_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      int32_t four;
      __builtin_memcpy(&four, terms[p] + q * 4, sizeof(four));
      const __m512i a = _mm512_set1_epi32(four);
      BNN_UNROLL
      for (int v = 0; v < N; ++v) AddProducts(sums[p][v], a, w[v]);
    }
  }
}

template <int N>
BNN_INLINE void Finish(const Block<N>& block, const Stem8Args& args, int64_t count, int64_t out_c,
                       const __m512i (&sums)[kPixels][N], float* out) {
  const __m512 low = _mm512_set1_ps(args.low), high = _mm512_set1_ps(args.high);
  BNN_UNROLL
  for (int v = 0; v < N; ++v) {
    const __m512 scale = _mm512_loadu_ps(block.scale + v * kLanes);
    // x + -0 is x, also where x is -0.
    const __m512 bias = block.bias != nullptr ? _mm512_loadu_ps(block.bias + v * kLanes) : _mm512_set1_ps(-0.0f);
    BNN_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      if (p >= count) continue;
      const __m512 y = _mm512_add_ps(_mm512_mul_ps(_mm512_maskz_cvtepi32_ps(kAll, sums[p][v]), scale), bias);
      // Of two zeros and of NaN, these take the second.
      const __m512 clipped = _mm512_maskz_min_ps(kAll, high, _mm512_maskz_max_ps(kAll, low, y));
      _mm512_storeu_ps(out + p * out_c + v * kLanes, clipped);
    }
  }
}

template <int N>
Block<N> BlockAt(int64_t channel, const Stem8Args& args, int64_t quads) {
  Block<N> block;
  block.weights = args.weights + channel * quads * 4;
  block.scale = args.scale + channel;
  block.bias = args.bias != nullptr ? args.bias + channel : nullptr;
  const __m512i zero_point = _mm512_set1_epi32(args.zero_point + (args.in_is_signed ? 128 : 0));
  for (int v = 0; v < N; ++v) {
    __m512i sum = _mm512_setzero_si512();
    for (int64_t q = 0; q < quads; ++q) {
      AddProducts(sum, _mm512_set1_epi8(1), _mm512_loadu_si512(block.weights + (v * quads + q) * kLanes * 4));
    }
    block.start[v] = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_mullo_epi32(sum, zero_point));
  }
  return block;
}

template <int N>
void RunBlock(const Stem8Shape& shape, const Stem8Args& args, int64_t channel) {
  const int64_t quads = shape.quads(), share = quads / kPixels;
  const Block<N> block = BlockAt<N>(channel, args, quads);
  Terms terms[2];
  // Pixels behind the last one and bytes behind the last term may have any value, but not an undefined one.
  __builtin_memset(terms, 0, sizeof(terms));
  Gather gather(shape, args);
  int64_t left = (args.row_end - args.row_begin) * shape.out_w;
  float* out = args.out + (args.row_begin - args.first_row) * shape.out_w * shape.out_c + channel;
  for (int64_t p = 0; p < kPixels && p < left; ++p) gather.Pixel(terms[0][p]);
  for (int current = 0; left > 0; current ^= 1) {
    const int64_t count = left < kPixels ? left : kPixels;
    left -= count;
    const Block<N>* const hidden = Hide(&block);
    __m512i sums[kPixels][N];
    BNN_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL
      for (int v = 0; v < N; ++v) sums[p][v] = hidden->start[v];
    }
    BNN_NO_UNROLL
    for (int64_t p = 0; p < kPixels; ++p) {
      if (p < left) gather.Pixel(terms[current ^ 1][p]);
      Sum<N>(block, quads, p * share, p + 1 < kPixels ? (p + 1) * share : quads, terms[current], sums);
    }
    Finish<N>(*hidden, *Hide(&args), count, shape.out_c, sums, out);
    out += count * shape.out_c;
  }
}

void Run(const Stem8Shape& shape, const Stem8Args& args) {
  int64_t channel = 0;
  for (; channel + kVectors * kLanes <= shape.out_c; channel += kVectors * kLanes) {
    RunBlock<kVectors>(shape, args, channel);
  }
  for (; channel + 2 * kLanes <= shape.out_c; channel += 2 * kLanes) RunBlock<2>(shape, args, channel);
  if (channel < shape.out_c) RunBlock<1>(shape, args, channel);
}

const char* Refuse(const Stem8Shape& shape) {
  if (shape.dilation_w > 1) return "kernel rows are not contiguous";
  if (shape.row_terms() > kRowBytes) return "kernel rows exceed a vector";
  if (shape.terms() > kMaxTerms) return "too many terms";
  return nullptr;
}

}  // namespace

const Stem8Kernel kStem8Avx512Vnni = {"stem8_avx512vnni", Isa::kAvx512, /*needs_vnni=*/true, Refuse, Run};

}  // namespace bnn::kernels
