// The reference of binary convolution: obvious loops that specify what every other kernel computes, bit by bit.
#include <bit>

#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/epilogue_ref.h"
#include "kernels/pack_weights.h"

namespace bnn::kernels {
namespace {

WeightShape WeightsOf(const BConv2dShape& shape) {
  return {shape.out_channels, shape.kernel_h * shape.kernel_w, shape.in_channels};
}

const char* Refuse(const BConv2dShape& shape) { return nullptr; }
int64_t PackedWords(const BConv2dShape& shape) { return RowWeightWords(WeightsOf(shape)); }
void Pack(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackRowWeights(WeightsOf(shape), weights, packed);
}
void Unpack(const BConv2dShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackRowWeights(WeightsOf(shape), packed, weights);
}

// The number of taps and channels where a plane of the window at `at` and the weights of output channel `out` differ.
int32_t CountDifferences(const BConv2dShape& shape, const BConv2dArgs& args, int plane, const OutputPixel& at,
                         int64_t out) {
  const int64_t words = WordsFor(shape.in_channels);
  const uint32_t* weights = args.weights + out * shape.kernel_h * shape.kernel_w * words;
  int32_t differences = 0;
  for (int64_t i = 0; i < shape.kernel_h; ++i) {
    for (int64_t j = 0; j < shape.kernel_w; ++j) {
      const OutputPixel tap = {at.image, at.row * shape.stride_h + i * shape.dilation_h,
                               at.col * shape.stride_w + j * shape.dilation_w};
      const uint32_t* in = args.in + plane * args.in_strides.plane + PixelOffset(args.in_strides, tap);
      for (int64_t w = 0; w < words; ++w) differences += std::popcount(in[w] ^ *weights++);
    }
  }
  return differences;
}

void RunPixel(const BConv2dShape& shape, const BConv2dArgs& args, const OutputPixel& at) {
  int64_t border_class = 0;
  if (args.row_class != nullptr) border_class = args.row_class[at.row] * args.num_col_classes + args.col_class[at.col];
  const int32_t* base = args.base + border_class * PaddedChannels(shape.out_channels);
  for (int64_t block = args.block_begin; block < args.block_end; ++block) {
    const int64_t begin = block * kChannelBlock;
    const int64_t left = shape.out_channels - begin;
    const int64_t channels = left < kChannelBlock ? left : kChannelBlock;
    int32_t acc[kChannelBlock];
    for (int64_t c = 0; c < channels; ++c) {
      acc[c] = base[begin + c];
      for (int p = 0; p < shape.planes; ++p) acc[c] -= (2 << p) * CountDifferences(shape, args, p, at, begin + c);
    }
    ReferenceEpilogue(args.epilogue, at, begin, channels, acc);
  }
}

void Run(const BConv2dShape& shape, const BConv2dArgs& args) {
  for (int64_t image = args.image_begin; image < args.image_end; ++image) {
    for (int64_t row = args.row_begin; row < args.row_end; ++row) {
      for (int64_t col = 0; col < shape.out_w(); ++col) RunPixel(shape, args, {image, row, col});
    }
  }
}

}  // namespace

const BConv2dKernel kBConv2dRef = {"bconv2d_ref", Isa::kReference, Refuse, PackedWords, Pack, Unpack, Run};

}  // namespace bnn::kernels
