#include <immintrin.h>

#include "kernels/bitpack/bitpack_table.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

constexpr int64_t kLanes = 16;

// The mask of the first `count` lanes, count in [0, 16].
__mmask16 FirstLanes(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }

uint32_t WordOf(__mmask16 low, __mmask16 high) {
  return static_cast<uint32_t>(low) | (static_cast<uint32_t>(high) << 16);
}

// Channels contiguous (NHWC). A comparison writes its 16 results straight into a mask register, which already is half
// of the output word: two loads, two comparisons and the joining of two masks for 32 channels. That leaves the loads as
// the limit, so the thresholds of a channel block are loaded once for kPixels pixels.
template <int kPixels>
void PackPixels(const BitpackArgs& args, int64_t pixel) {
  const float* const in = args.in + pixel * args.in_pixel_stride;
  uint32_t* const bits = args.bits + pixel * args.bits_pixel_stride;
  int64_t c = 0;
  for (; c + kBitsPerWord <= args.channels; c += kBitsPerWord) {
    const __m512 t0 = _mm512_loadu_ps(args.thresholds + c);
    const __m512 t1 = _mm512_loadu_ps(args.thresholds + c + 16);
    BNN_UNROLL
    for (int i = 0; i < kPixels; ++i) {
      const float* const x = in + i * args.in_pixel_stride + c;
      bits[i * args.bits_pixel_stride + c / kBitsPerWord] =
          WordOf(_mm512_cmp_ps_mask(_mm512_loadu_ps(x), t0, _CMP_GE_OQ),
                 _mm512_cmp_ps_mask(_mm512_loadu_ps(x + 16), t1, _CMP_GE_OQ));
    }
  }
  const int64_t left = args.channels - c;
  if (left == 0) return;
  // The last, partial word: masked lanes are neither read nor compared, so its spare bits come out as 0.
  const __mmask16 low = FirstLanes(left < kLanes ? left : kLanes);
  const __mmask16 high = FirstLanes(left < kLanes ? 0 : left - kLanes);
  const __m512 t0 = _mm512_loadu_ps(args.thresholds + c);
  const __m512 t1 = _mm512_loadu_ps(args.thresholds + c + 16);
  for (int i = 0; i < kPixels; ++i) {
    const float* const x = in + i * args.in_pixel_stride + c;
    bits[i * args.bits_pixel_stride + c / kBitsPerWord] =
        WordOf(_mm512_mask_cmp_ps_mask(low, _mm512_maskz_loadu_ps(low, x), t0, _CMP_GE_OQ),
               _mm512_mask_cmp_ps_mask(high, _mm512_maskz_loadu_ps(high, x + 16), t1, _CMP_GE_OQ));
  }
}

void PackInterleaved(const BitpackArgs& args) {
  int64_t p = 0;
  for (; p + 4 <= args.pixels; p += 4) PackPixels<4>(args, p);
  for (; p < args.pixels; ++p) PackPixels<1>(args, p);
}

// Words of neighbouring pixels lie `stride` apart. A scatter instruction is slower than storing the vector to the stack
// and copying its lanes, which costs 16 loads and stores for 512 floats of input.
void StoreWords(uint32_t* bits, int64_t stride, __m512i words, int64_t count) {
  if (stride == 1) {
    _mm512_mask_storeu_epi32(bits, FirstLanes(count), words);
    return;
  }
  alignas(64) uint32_t lane[kLanes];
  _mm512_store_si512(lane, words);
  for (int64_t i = 0; i < count; ++i) bits[i * stride] = lane[i];
}

// Pixels contiguous (NCHW). Reading a pixel's channels would touch one float of each cache line. Instead 16 pixels of
// one channel are compared at once and each lane builds the word of its own pixel:
//
//   word[pixel] |= (x[c][pixel] >= t[c]) ? 1 << c : 0      for the 32 channels of a block
//
// The lanes being pixels, the transposition from planes to pixels costs nothing: one comparison and one masked OR per
// 16 floats. kVectors accumulators share the broadcasts and read kVectors whole cache lines of each plane. `count` is
// the number of pixels in the last vector.
template <int kVectors>
void PackPlanarTile(const BitpackArgs& args, int64_t pixel, int64_t first_channel, int64_t count) {
  const int64_t left = args.channels - first_channel;
  const int64_t channels = left < kBitsPerWord ? left : kBitsPerWord;
  const __mmask16 last = FirstLanes(count);
  const float* x = args.in + pixel + first_channel * args.in_channel_stride;
  __m512i words[kVectors];
  BNN_UNROLL
  for (int v = 0; v < kVectors; ++v) words[v] = _mm512_setzero_si512();
  __m512i bit = _mm512_set1_epi32(1);
  for (int64_t c = 0; c < channels; ++c) {
    const __m512 t = _mm512_set1_ps(args.thresholds[first_channel + c]);
    BNN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const __m512 values =
          v + 1 < kVectors ? _mm512_loadu_ps(x + v * kLanes) : _mm512_maskz_loadu_ps(last, x + v * kLanes);
      const __mmask16 at_least = _mm512_cmp_ps_mask(values, t, _CMP_GE_OQ);
      words[v] = _mm512_mask_or_epi32(words[v], at_least, words[v], bit);
    }
    bit = _mm512_add_epi32(bit, bit);
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
    for (; p + 8 * kLanes <= args.pixels; p += 8 * kLanes) PackPlanarTile<8>(args, p, c, kLanes);
    for (; p + 4 * kLanes <= args.pixels; p += 4 * kLanes) PackPlanarTile<4>(args, p, c, kLanes);
    for (; p + kLanes <= args.pixels; p += kLanes) PackPlanarTile<1>(args, p, c, kLanes);
    if (p < args.pixels) PackPlanarTile<1>(args, p, c, args.pixels - p);
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

// Four bytes of output for each bit of input: the stores are the limit. Half a word of bits is a blend mask as it is,
// so 16 floats take one blend with a masked store at the tail.
void Unpack(const BitunpackArgs& args) {
  for (int64_t p = 0; p < args.pixels; ++p) {
    const uint32_t* const bits = args.bits + p * args.bits_pixel_stride;
    float* const out = args.out + p * args.out_pixel_stride;
    for (int64_t c = 0; c < args.channels; c += kLanes) {
      const __mmask16 is_high = static_cast<__mmask16>(bits[c / kBitsPerWord] >> (c % kBitsPerWord));
      const __m512 values = _mm512_mask_blend_ps(is_high, _mm512_loadu_ps(args.lo + c), _mm512_loadu_ps(args.hi + c));
      const int64_t left = args.channels - c;
      if (left >= kLanes) {
        _mm512_storeu_ps(out + c, values);
      } else {
        _mm512_mask_storeu_ps(out + c, FirstLanes(left), values);
      }
    }
  }
}

}  // namespace

const BitpackKernel kBitpackAvx512 = {"bitpack_avx512", Isa::kAvx512, Pack, Unpack};

}  // namespace bnn::kernels
