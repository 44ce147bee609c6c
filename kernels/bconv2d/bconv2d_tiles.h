// The entry run of a vector kernel of binary convolution. ISA files only.
#pragma once

#include "kernels/bconv2d/bconv2d_blocked.h"
#include "kernels/simd/binary_loops.h"

namespace bnn::kernels {
namespace {

template <class Counter>
void RunBConv2dTiles(const BConv2dShape& shape, const BConv2dArgs& args) {
  RunBinaryTiles<Counter, ConvChains>(ResolveBConv2d(shape, args, Counter::kOrder), args.epilogue);
}

}  // namespace
}  // namespace bnn::kernels
