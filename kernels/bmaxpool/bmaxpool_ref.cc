// The specification of bmaxpool: obvious loops, every tap tested.
#include "kernels/bmaxpool/bmaxpool_table.h"

namespace bnn::kernels {
namespace {

uint32_t PoolWord(const BMaxPoolShape& shape, const BMaxPoolArgs& args, int64_t n, int64_t y, int64_t x, int64_t word) {
  uint32_t any = 0;
  for (int64_t i = 0; i < shape.kernel_h; ++i) {
    for (int64_t j = 0; j < shape.kernel_w; ++j) {
      const int64_t in_y = y * shape.stride_h + i * shape.dilation_h - shape.pad_top;
      const int64_t in_x = x * shape.stride_w + j * shape.dilation_w - shape.pad_left;
      if (in_y < 0 || in_y >= shape.in_h || in_x < 0 || in_x >= shape.in_w) continue;
      any |= args.in[n * args.in_strides.image + in_y * args.in_strides.row + in_x * args.in_strides.pixel + word];
    }
  }
  return any;
}

void Run(const BMaxPoolShape& shape, const BMaxPoolArgs& args) {
  for (int64_t n = args.image_begin; n < args.image_end; ++n) {
    for (int64_t y = args.row_begin; y < args.row_end; ++y) {
      for (int64_t x = 0; x < shape.out_w; ++x) {
        uint32_t* const out =
            args.out + n * args.out_strides.image + y * args.out_strides.row + x * args.out_strides.pixel;
        for (int64_t word = 0; word < WordsFor(shape.channels); ++word) {
          out[word] = PoolWord(shape, args, n, y, x, word);
        }
      }
    }
  }
}

}  // namespace

const BMaxPoolKernel kBMaxPoolRef = {"bmaxpool_ref", Isa::kReference, Run};

}  // namespace bnn::kernels
