// The entry run of a vector kernel of binary convolution. ISA files only.
#pragma once

#include "kernels/bconv2d/bconv2d_blocked.h"
#include "kernels/simd/binary_loops.h"

namespace bnn::kernels {
namespace {

template <class Counter, Tuning kTuning = Tuning{}>
void RunBConv2dTiles(const BConv2dShape& shape, const BConv2dArgs& args) {
  BinaryTiles tiles = ResolveBConv2d(shape, args, Counter::kOrder);
  tiles.walk.tuning = kTuning;
  RunBinaryTiles<Counter, ConvChains>(tiles, args.epilogue);
}

}  // namespace
}  // namespace bnn::kernels
