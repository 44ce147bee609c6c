#include "kernels/bdense/bdense_blocked.h"

#include "kernels/pack_weights.h"

namespace bnn::kernels {
namespace {

WeightShape WeightsOf(const BDenseShape& shape) { return {shape.out_features, 1, shape.in_features}; }

}  // namespace

const char* RefuseBlockedBDense(const BDenseShape& shape) {
  return shape.max_acc() > kMaxTerms ? "more terms per output than a float counts exactly" : nullptr;
}

int64_t BlockedBDenseWords(const BDenseShape& shape) { return BlockedWeightWords(WeightsOf(shape)); }

void PackBlockedBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackBlockedWeights(WeightsOf(shape), weights, packed);
}

void UnpackBlockedBDense(const BDenseShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackBlockedWeights(WeightsOf(shape), packed, weights);
}

int64_t ReadAheadBDenseWords(const BDenseShape& shape) { return ReadAheadWeightWords(WeightsOf(shape)); }

void PackReadAheadBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackReadAheadWeights(WeightsOf(shape), weights, packed);
}

int64_t NibbleBDenseWords(const BDenseShape& shape) { return NibbleWeightWords(WeightsOf(shape)); }

void PackNibbleBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackNibbleWeights(WeightsOf(shape), weights, packed);
}

void UnpackNibbleBDense(const BDenseShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackNibbleWeights(WeightsOf(shape), packed, weights);
}

int64_t ByteBDenseWords(const BDenseShape& shape) { return ByteWeightWords(WeightsOf(shape)); }

void PackByteBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackByteWeights(WeightsOf(shape), weights, packed);
}

void UnpackByteBDense(const BDenseShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackByteWeights(WeightsOf(shape), packed, weights);
}

BinaryTiles ResolveBDense(const BDenseShape& shape, const BDenseArgs& args, const PackedOrder& order,
                          int32_t (&base)[kChannelBlock]) {
  for (int32_t& k : base) k = static_cast<int32_t>(shape.max_acc());
  BinaryTiles tiles;
  tiles.in = args.in;
  tiles.in_steps = {0, 0, args.in_row_stride, args.in_plane_stride};
  tiles.planes = shape.planes;
  tiles.walk.words = WordsFor(shape.in_features);
  tiles.tap_channels = shape.in_features;
  tiles.extent = {0, 1, 0, 1, args.row_begin, args.row_end};

  tiles.base = base;
  tiles.row_class = tiles.col_class = nullptr;
  tiles.num_col_classes = 1;
  tiles.class_step = 0;
  tiles.base_block_step = 0;
  tiles.max_acc = shape.max_acc();
  tiles.even_base = shape.in_features % 2 == 0;

  tiles.weights = args.weights;
  tiles.block_begin = args.block_begin;
  tiles.block_end = args.block_end;
  tiles.block_words = order.BlockWords(tiles.walk.words);
  // A single tile of rows has no next tile to come back for.
  const int64_t all = args.block_end - args.block_begin;
  tiles.group_blocks = args.row_end - args.row_begin == 1 ? all : order.GroupBlocks(tiles.walk.words);
  tiles.last_block = PaddedChannels(shape.out_features) / kChannelBlock - 1;
  tiles.last_lanes = TailMask(shape.out_features);
  return tiles;
}

}  // namespace bnn::kernels
