// The entry run of a vector kernel of the binary dense layer. ISA files only.
//
// A row is a pixel of a convolution with one tap, so the loops are the same. For a single row see also
// bdense_one_row.h.
#pragma once

#include "kernels/bdense/bdense_blocked.h"
#include "kernels/simd/binary_loops.h"

namespace bnn::kernels {
namespace {

template <class Counter, Tuning kTuning = Tuning{}>
void RunBDenseTiles(const BDenseShape& shape, const BDenseArgs& args) {
  int32_t base[kChannelBlock];
  BinaryTiles tiles = ResolveBDense(shape, args, Counter::kOrder, base);
  tiles.walk.tuning = kTuning;
  RunBinaryTiles<Counter, DenseChains>(tiles, args.epilogue);
}

}  // namespace
}  // namespace bnn::kernels
