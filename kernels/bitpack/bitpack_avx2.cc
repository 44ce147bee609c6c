#include <immintrin.h>

#include "kernels/bitpack/bitpack_table.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

constexpr int64_t kLanes = 8;

// All bits of the first `count` lanes; any count, so that -3 means none and 20 means all.
__m256i FirstLanes(int64_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
}

// The first `count` of the 8 floats at x, zeros behind; lanes that are not loaded are not read from memory.
__m256 LoadFirst(const float* x, int64_t count) { return _mm256_maskload_ps(x, FirstLanes(count)); }

__m256i IsAtLeast(__m256 x, __m256 threshold) { return _mm256_castps_si256(_mm256_cmp_ps(x, threshold, _CMP_GE_OQ)); }

// Four comparisons of 8 channels each to one word. The lanes are 0 or -1, so saturating packs narrow them to bytes
// without loss, and one vpmovmskb takes the sign of all 32 bytes. Packs work within 128-bit halves and leave the groups
// of four channels in the order 0 2 4 6 | 1 3 5 7 (of 8 groups); one cross-lane permutation restores it. That is five
// instructions for 32 channels, where four vmovmskps with shifts and ors take ten.
uint32_t WordOf(__m256i m0, __m256i m1, __m256i m2, __m256i m3) {
  const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(m0, m1), _mm256_packs_epi32(m2, m3));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_permutevar8x32_epi32(bytes, order)));
}

// Channels contiguous (NHWC). The work is a stream through memory: 128 bytes in, 4 out. To stay at the speed of the
// loads, the thresholds of a channel block are loaded once for kPixels pixels.
template <int kPixels>
void PackPixels(const BitpackArgs& args, int64_t pixel) {
  const float* const in = args.in + pixel * args.in_pixel_stride;
  uint32_t* const bits = args.bits + pixel * args.bits_pixel_stride;
  int64_t c = 0;
  for (; c + kBitsPerWord <= args.channels; c += kBitsPerWord) {
    const __m256 t0 = _mm256_loadu_ps(args.thresholds + c);
    const __m256 t1 = _mm256_loadu_ps(args.thresholds + c + 8);
    const __m256 t2 = _mm256_loadu_ps(args.thresholds + c + 16);
    const __m256 t3 = _mm256_loadu_ps(args.thresholds + c + 24);
    BNN_UNROLL
    for (int i = 0; i < kPixels; ++i) {
      const float* const x = in + i * args.in_pixel_stride + c;
      bits[i * args.bits_pixel_stride + c / kBitsPerWord] =
          WordOf(IsAtLeast(_mm256_loadu_ps(x), t0), IsAtLeast(_mm256_loadu_ps(x + 8), t1),
                 IsAtLeast(_mm256_loadu_ps(x + 16), t2), IsAtLeast(_mm256_loadu_ps(x + 24), t3));
    }
  }
  const int64_t left = args.channels - c;
  if (left == 0) return;
  // The last, partial word. Lanes behind the channels compare 0 with the thresholds' padding; the mask drops them.
  const uint32_t used = (uint32_t{1} << left) - 1;
  const float* const t = args.thresholds + c;
  for (int i = 0; i < kPixels; ++i) {
    const float* const x = in + i * args.in_pixel_stride + c;
    const uint32_t word = WordOf(IsAtLeast(LoadFirst(x, left), _mm256_loadu_ps(t)),
                                 IsAtLeast(LoadFirst(x + 8, left - 8), _mm256_loadu_ps(t + 8)),
                                 IsAtLeast(LoadFirst(x + 16, left - 16), _mm256_loadu_ps(t + 16)),
                                 IsAtLeast(LoadFirst(x + 24, left - 24), _mm256_loadu_ps(t + 24)));
    bits[i * args.bits_pixel_stride + c / kBitsPerWord] = word & used;
  }
}

void PackInterleaved(const BitpackArgs& args) {
  int64_t p = 0;
  for (; p + 4 <= args.pixels; p += 4) PackPixels<4>(args, p);
  for (; p < args.pixels; ++p) PackPixels<1>(args, p);
}

void StoreWords(uint32_t* bits, int64_t stride, __m256i words, int64_t count) {
  if (stride == 1 && count == kLanes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(bits), words);
    return;
  }
  alignas(32) uint32_t lane[kLanes];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lane), words);
  for (int64_t i = 0; i < count; ++i) bits[i * stride] = lane[i];
}

// Pixels contiguous (NCHW). Reading a pixel's channels would touch one float of each cache line. Instead 8 pixels of
// one channel are compared at once and each lane builds the word of its own pixel:
//
//   word[pixel] |= (x[c][pixel] >= t[c]) & (1 << c)      for the 32 channels of a block
//
// The lanes being pixels, the transposition from planes to pixels costs nothing: a comparison, an AND and an OR per 8
// floats. kVectors accumulators share the broadcast threshold and read kVectors * 32 contiguous bytes of each plane.
// kPartial: the last vector has `count` < 8 pixels.
template <int kVectors, bool kPartial>
void PackPlanarTile(const BitpackArgs& args, int64_t pixel, int64_t first_channel, int64_t count) {
  const int64_t left = args.channels - first_channel;
  const int64_t channels = left < kBitsPerWord ? left : kBitsPerWord;
  const float* x = args.in + pixel + first_channel * args.in_channel_stride;
  const __m256i last = FirstLanes(count);
  __m256i words[kVectors];
  BNN_UNROLL
  for (int v = 0; v < kVectors; ++v) words[v] = _mm256_setzero_si256();
  __m256i bit = _mm256_set1_epi32(1);
  for (int64_t c = 0; c < channels; ++c) {
    const __m256 t = _mm256_broadcast_ss(args.thresholds + first_channel + c);
    BNN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const bool masked = kPartial && v + 1 == kVectors;
      const __m256 values = masked ? _mm256_maskload_ps(x + v * kLanes, last) : _mm256_loadu_ps(x + v * kLanes);
      words[v] = _mm256_or_si256(words[v], _mm256_and_si256(IsAtLeast(values, t), bit));
    }
    bit = _mm256_add_epi32(bit, bit);
    x += args.in_channel_stride;
  }
  uint32_t* const bits = args.bits + pixel * args.bits_pixel_stride + first_channel / kBitsPerWord;
  BNN_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    StoreWords(bits + v * kLanes * args.bits_pixel_stride, args.bits_pixel_stride, words[v],
               v + 1 < kVectors ? kLanes : count);
  }
}

void PackPlanar(const BitpackArgs& args) {
  for (int64_t c = 0; c < args.channels; c += kBitsPerWord) {
    int64_t p = 0;
    for (; p + 4 * kLanes <= args.pixels; p += 4 * kLanes) PackPlanarTile<4, false>(args, p, c, kLanes);
    for (; p + kLanes <= args.pixels; p += kLanes) PackPlanarTile<1, false>(args, p, c, kLanes);
    if (p < args.pixels) PackPlanarTile<1, true>(args, p, c, args.pixels - p);
  }
}

void Pack(const BitpackArgs& args) {
  if (args.in_pixel_stride == 1) {
    PackPlanar(args);
  } else if (args.in_channel_stride == 1) {
    PackInterleaved(args);
  } else {
    kBitpackRef.pack(args);  // neither axis is contiguous: nothing to load as a vector
  }
}

// The first `count` lanes, at most 8, possibly none. Not a masked store, which is slow on some CPUs with AVX2.
void StoreFirst(float* out, __m256 values, int64_t count) {
  if (count >= kLanes) {
    _mm256_storeu_ps(out, values);
    return;
  }
  alignas(32) float lane[kLanes];
  _mm256_store_ps(lane, values);
  for (int64_t i = 0; i < count; ++i) out[i] = lane[i];
}

// Four bytes of output for each bit of input: the stores are the limit. The word is broadcast once; a variable shift
// moves bit 8 * k + l to the sign of lane l, which is all that vblendvps looks at. That is two instructions for 8
// floats and no comparison. `count` is the number of channels that are left, 1 or more.
BNN_INLINE void UnpackWord(uint32_t word, const float* lo, const float* hi, float* out, int64_t count) {
  const __m256i bits = _mm256_set1_epi32(static_cast<int>(word));
  BNN_UNROLL
  for (int k = 0; k < 4; ++k) {
    const int top = 31 - 8 * k;
    const __m256i to_sign = _mm256_setr_epi32(top, top - 1, top - 2, top - 3, top - 4, top - 5, top - 6, top - 7);
    const __m256 is_high = _mm256_castsi256_ps(_mm256_sllv_epi32(bits, to_sign));
    const __m256 values = _mm256_blendv_ps(_mm256_loadu_ps(lo + 8 * k), _mm256_loadu_ps(hi + 8 * k), is_high);
    StoreFirst(out + 8 * k, values, count - 8 * k);
  }
}

void Unpack(const BitunpackArgs& args) {
  for (int64_t p = 0; p < args.pixels; ++p) {
    const uint32_t* const bits = args.bits + p * args.bits_pixel_stride;
    float* const out = args.out + p * args.out_pixel_stride;
    int64_t c = 0;
    for (; c + kBitsPerWord <= args.channels; c += kBitsPerWord) {
      UnpackWord(bits[c / kBitsPerWord], args.lo + c, args.hi + c, out + c, kBitsPerWord);
    }
    if (c < args.channels) {
      UnpackWord(bits[c / kBitsPerWord], args.lo + c, args.hi + c, out + c, args.channels - c);
    }
  }
}

}  // namespace

const BitpackKernel kBitpackAvx2 = {"bitpack_avx2", Isa::kAvx2, Pack, Unpack};

}  // namespace bnn::kernels
