// The reference of the element-wise epilogue.
#include "kernels/eltwise/eltwise_table.h"
#include "kernels/epilogue_ref.h"

namespace bnn::kernels {
namespace {

void RunPixel(const EltwiseArgs& args, const OutputPixel& at) {
  const float* in = args.in + PixelOffset(args.in_strides, at);
  for (int64_t begin = 0; begin < args.channels; begin += kChannelBlock) {
    const int64_t left = args.channels - begin;
    ReferenceEpilogue(args.epilogue, at, begin, left < kChannelBlock ? left : kChannelBlock, in + begin);
  }
}

void Run(const EltwiseArgs& args) {
  for (int64_t image = args.image_begin; image < args.image_end; ++image) {
    for (int64_t row = args.row_begin; row < args.row_end; ++row) {
      for (int64_t col = 0; col < args.out_w; ++col) RunPixel(args, {image, row, col});
    }
  }
}

}  // namespace

const EltwiseKernel kEltwiseRef = {"eltwise_ref", Isa::kReference, Run};

}  // namespace bnn::kernels
