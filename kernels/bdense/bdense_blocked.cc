#include "kernels/bdense/bdense_blocked.h"

#include "kernels/pack_weights.h"

namespace bnn::kernels {
namespace {

WeightShape WeightsOf(const BDenseShape& shape) { return {shape.out_features, 1, shape.in_features}; }

}  // namespace

const char* RefuseBlockedBDense(const BDenseShape& shape) {
  return shape.in_features > kMaxTerms ? "more terms per output than a float counts exactly" : nullptr;
}

int64_t BlockedBDenseWords(const BDenseShape& shape) { return BlockedWeightWords(WeightsOf(shape)); }

void PackBlockedBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackBlockedWeights(WeightsOf(shape), weights, packed);
}

BDenseGeometry ResolveBDense(const BDenseShape& shape, const PackedOrder& order) {
  BDenseGeometry geometry;
  geometry.walk.words = WordsFor(shape.in_features);
  geometry.block_words = order.BlockWords(geometry.walk.words);
  geometry.group_blocks = order.GroupBlocks(geometry.walk.words);
  geometry.last_block = PaddedChannels(shape.out_features) / kChannelBlock - 1;
  geometry.last_lanes = TailMask(shape.out_features);
  for (int32_t& k : geometry.base) k = static_cast<int32_t>(shape.in_features);
  geometry.even_base = shape.in_features % 2 == 0;
  return geometry;
}

}  // namespace bnn::kernels
