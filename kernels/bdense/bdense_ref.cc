// The reference of the binary dense layer.
#include <bit>

#include "kernels/bdense/bdense_table.h"
#include "kernels/epilogue_ref.h"
#include "kernels/pack_weights.h"

namespace bnn::kernels {
namespace {

WeightShape WeightsOf(const BDenseShape& shape) { return {shape.out_features, 1, shape.in_features}; }

const char* Refuse(const BDenseShape& shape) { return nullptr; }
int64_t PackedWords(const BDenseShape& shape) { return RowWeightWords(WeightsOf(shape)); }
void Pack(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackRowWeights(WeightsOf(shape), weights, packed);
}
void Unpack(const BDenseShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackRowWeights(WeightsOf(shape), packed, weights);
}

int32_t Dot(const BDenseShape& shape, const BDenseArgs& args, int64_t row, int64_t out) {
  const int64_t words = WordsFor(shape.in_features);
  const uint32_t* weights = args.weights + out * words;
  auto dot = static_cast<int32_t>(shape.max_acc());
  for (int p = 0; p < shape.planes; ++p) {
    const uint32_t* in = args.in + row * args.in_row_stride + p * args.in_plane_stride;
    int32_t differences = 0;
    for (int64_t w = 0; w < words; ++w) differences += std::popcount(in[w] ^ weights[w]);
    dot -= (2 << p) * differences;
  }
  return dot;
}

void Run(const BDenseShape& shape, const BDenseArgs& args) {
  for (int64_t row = args.row_begin; row < args.row_end; ++row) {
    for (int64_t block = args.block_begin; block < args.block_end; ++block) {
      const int64_t begin = block * kChannelBlock;
      const int64_t left = shape.out_features - begin;
      const int64_t channels = left < kChannelBlock ? left : kChannelBlock;
      int32_t acc[kChannelBlock];
      for (int64_t c = 0; c < channels; ++c) acc[c] = Dot(shape, args, row, begin + c);
      ReferenceEpilogue(args.epilogue, {0, 0, row}, begin, channels, acc);
    }
  }
}

}  // namespace

const BDenseKernel kBDenseRef = {"bdense_ref", Isa::kReference, Refuse, PackedWords, Pack, Unpack, Run};

}  // namespace bnn::kernels
