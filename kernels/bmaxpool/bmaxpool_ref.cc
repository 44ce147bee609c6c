// The specification of bmaxpool: obvious loops, every tap tested.
#include "kernels/bmaxpool/bmaxpool_table.h"

namespace bnn::kernels {
namespace {

// Levels of 32 channels, a word a plane; at first the lowest ones.
struct Levels {
  uint32_t plane[kMaxPlanes] = {};
};

// Each channel's higher level of the two. As with other numbers, the highest digit that differs decides.
Levels Higher(int planes, const Levels& a, const Levels& b) {
  uint32_t equal = ~uint32_t{0}, b_wins = 0;  // so far, from the highest plane down
  for (int p = planes - 1; p >= 0; --p) {
    b_wins |= equal & ~a.plane[p] & b.plane[p];
    equal &= ~(a.plane[p] ^ b.plane[p]);
  }
  Levels higher;
  for (int p = 0; p < planes; ++p) higher.plane[p] = (a.plane[p] & ~b_wins) | (b.plane[p] & b_wins);
  return higher;
}

Levels PoolWord(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t n, int64_t y, int64_t x, int64_t word) {
  Levels highest;
  for (int64_t i = 0; i < shape.kernel_h; ++i) {
    for (int64_t j = 0; j < shape.kernel_w; ++j) {
      const int64_t in_y = y * shape.stride_h + i * shape.dilation_h - shape.pad_top;
      const int64_t in_x = x * shape.stride_w + j * shape.dilation_w - shape.pad_left;
      if (in_y < 0 || in_y >= shape.in_h || in_x < 0 || in_x >= shape.in_w) continue;
      const uint32_t* const in =
          args.in + n * args.in_strides.image + in_y * args.in_strides.row + in_x * args.in_strides.pixel + word;
      Levels here;
      for (int p = 0; p < shape.planes; ++p) here.plane[p] = in[p * args.in_strides.plane];
      highest = Higher(shape.planes, highest, here);
    }
  }
  return highest;
}

void Run(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  for (int64_t n = args.image_begin; n < args.image_end; ++n) {
    for (int64_t y = args.row_begin; y < args.row_end; ++y) {
      for (int64_t x = 0; x < shape.out_w; ++x) {
        uint32_t* const out =
            args.out + n * args.out_strides.image + y * args.out_strides.row + x * args.out_strides.pixel;
        for (int64_t word = 0; word < WordsFor(shape.channels); ++word) {
          const Levels highest = PoolWord(shape, args, n, y, x, word);
          for (int p = 0; p < shape.planes; ++p) out[p * args.out_strides.plane + word] = highest.plane[p];
        }
      }
    }
  }
}

}  // namespace

const BMaxPoolKernel kBMaxPoolRef = {"bmaxpool_ref", Isa::kReference, Run};

}  // namespace bnn::kernels
