#include "kernels/bconv2d/bconv2d_blocked.h"

#include "kernels/pack_weights.h"

namespace bnn::kernels {
namespace {

WeightShape WeightsOf(const BConv2dShape& shape) {
  return {shape.out_channels, shape.kernel_h * shape.kernel_w, shape.in_channels};
}

// The window as few and long runs: taps that touch become one run, and so do kernel rows that touch.
TapWalk ResolveWalk(const BConv2dShape& shape, const BConv2dArgs& args) {
  TapWalk walk;
  walk.rows = shape.kernel_h;
  walk.row_step = shape.dilation_h * args.in_strides.row;
  walk.cols = shape.kernel_w;
  walk.col_step = shape.dilation_w * args.in_strides.pixel;
  walk.words = WordsFor(shape.in_channels);
  if (walk.cols == 1 || walk.col_step == walk.words) {
    walk.words *= walk.cols;
    walk.cols = 1;
  }
  if (walk.cols == 1 && (walk.rows == 1 || walk.row_step == walk.words)) {
    walk.words *= walk.rows;
    walk.rows = 1;
  }
  return walk;
}

// True when the constants of all border classes and channels are even, which follows from the shape: a constant is
// K = kernel_h * kernel_w * in_channels and, for each tap in the halo, a sum of in_channels weights of +-1, which is
// odd or even as in_channels. Several planes multiply it by an odd number.
bool IsEvenBase(const BConv2dShape& shape, const BConv2dArgs& args) {
  return shape.in_channels % 2 == 0 || (args.row_class == nullptr && shape.terms() % 2 == 0);
}

}  // namespace

const char* RefuseBlockedBConv2d(const BConv2dShape& shape) {
  return shape.max_acc() > kMaxTerms ? "more terms per output than a float counts exactly" : nullptr;
}

int64_t BlockedBConv2dWords(const BConv2dShape& shape) { return BlockedWeightWords(WeightsOf(shape)); }

void PackBlockedBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackBlockedWeights(WeightsOf(shape), weights, packed);
}

void UnpackBlockedBConv2d(const BConv2dShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackBlockedWeights(WeightsOf(shape), packed, weights);
}

int64_t ReadAheadBConv2dWords(const BConv2dShape& shape) { return ReadAheadWeightWords(WeightsOf(shape)); }

void PackReadAheadBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackReadAheadWeights(WeightsOf(shape), weights, packed);
}

int64_t NibbleBConv2dWords(const BConv2dShape& shape) { return NibbleWeightWords(WeightsOf(shape)); }

void PackNibbleBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackNibbleWeights(WeightsOf(shape), weights, packed);
}

void UnpackNibbleBConv2d(const BConv2dShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackNibbleWeights(WeightsOf(shape), packed, weights);
}

int64_t ByteBConv2dWords(const BConv2dShape& shape) { return ByteWeightWords(WeightsOf(shape)); }

void PackByteBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackByteWeights(WeightsOf(shape), weights, packed);
}

void UnpackByteBConv2d(const BConv2dShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackByteWeights(WeightsOf(shape), packed, weights);
}

BinaryTiles ResolveBConv2d(const BConv2dShape& shape, const BConv2dArgs& args, const PackedOrder& order) {
  BinaryTiles tiles;
  tiles.in = args.in;
  tiles.in_steps = {args.in_strides.image, shape.stride_h * args.in_strides.row, shape.stride_w * args.in_strides.pixel,
                    args.in_strides.plane};
  tiles.planes = shape.planes;
  tiles.walk = ResolveWalk(shape, args);
  tiles.tap_channels = shape.in_channels;

  tiles.base = args.base;
  tiles.row_class = args.row_class;
  tiles.col_class = args.col_class;
  tiles.num_col_classes = args.num_col_classes;
  tiles.class_step = PaddedChannels(shape.out_channels);
  tiles.base_block_step = kChannelBlock;
  tiles.max_acc = shape.max_acc();
  tiles.even_base = IsEvenBase(shape, args);

  const int64_t input_words = shape.kernel_h * shape.kernel_w * WordsFor(shape.in_channels);
  tiles.weights = args.weights;
  tiles.block_begin = args.block_begin;
  tiles.block_end = args.block_end;
  tiles.block_words = order.BlockWords(input_words);
  tiles.group_blocks = order.GroupBlocks(input_words);
  tiles.last_block = PaddedChannels(shape.out_channels) / kChannelBlock - 1;
  tiles.last_lanes = TailMask(shape.out_channels);

  const Extent rows = {args.image_begin, args.image_end, args.row_begin, args.row_end, 0, shape.out_w()};
  // Border classes belong to rows and columns as they are.
  const bool merge = args.row_class == nullptr;
  tiles.extent = merge ? MergeRows(rows, shape.out_h(), shape.out_w(), tiles.in_steps, args.epilogue) : rows;
  return tiles;
}

}  // namespace bnn::kernels
