// The specification of bitpack: obvious loops, any strides.
#include "kernels/bitpack/bitpack_table.h"

namespace bnn::kernels {
namespace {

void Pack(const BitpackArgs& args) {
  for (int64_t p = 0; p < args.pixels; ++p) {
    uint32_t* const bits = args.bits + p * args.bits_pixel_stride;
    for (int i = 0; i < args.planes; ++i) {
      for (int64_t w = 0; w < WordsFor(args.channels); ++w) bits[i * args.bits_plane_stride + w] = 0;
    }
    for (int64_t c = 0; c < args.channels; ++c) {
      const float x = args.in[p * args.in_pixel_stride + c * args.in_channel_stride];
      const float signed_x = args.signs == nullptr ? x : x * args.signs[c];
      uint32_t level = 0;
      for (int j = 0; j < HighestLevel(args.planes); ++j) {
        level += signed_x >= args.thresholds[j * args.threshold_stride + c] ? 1 : 0;  // false where x is NaN
      }
      for (int i = 0; i < args.planes; ++i) SetBit(bits + i * args.bits_plane_stride, c, (level >> i) & 1);
    }
  }
}

void Unpack(const BitunpackArgs& args) {
  for (int64_t p = 0; p < args.pixels; ++p) {
    const uint32_t* const bits = args.bits + p * args.bits_pixel_stride;
    float* const out = args.out + p * args.out_pixel_stride;
    for (int64_t c = 0; c < args.channels; ++c) {
      uint32_t level = 0;
      for (int i = 0; i < args.planes; ++i) level |= GetBit(bits + i * args.bits_plane_stride, c) << i;
      out[c] = args.values[level * args.value_stride + c];
    }
  }
}

}  // namespace

const BitpackKernel kBitpackRef = {"bitpack_ref", Isa::kReference, Pack, Unpack};

}  // namespace bnn::kernels
