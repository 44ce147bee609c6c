// A part of the pixels of a call. ISA files only.
#pragma once

#include <cstdint>

#include "kernels/bitpack/bitpack.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

struct PixelRange {
  int64_t first = 0;
  int64_t count = 0;
};

BNN_INLINE BitpackArgs PixelsOf(BitpackArgs args, PixelRange range) {
  args.pixels = range.count;
  args.in += range.first * args.in_pixel_stride;
  args.bits += range.first * args.bits_pixel_stride;
  return args;
}
BNN_INLINE BitunpackArgs PixelsOf(BitunpackArgs args, PixelRange range) {
  args.pixels = range.count;
  args.bits += range.first * args.bits_pixel_stride;
  args.out += range.first * args.out_pixel_stride;
  return args;
}

}  // namespace
}  // namespace bnn::kernels
