// The entry run of a vector kernel of the binary dense layer. ISA files only.
//
// A row is a pixel of a convolution with one tap, so the loops are the same. A single row uses each weight once and is
// bound by reading them; one block after the other reads them in the order of memory. (Several blocks at once, that is
// several streams, were slower: 980 instead of 1240 GMAC/s at 1024 -> 1024 on Zen 5.)
#pragma once

#include "kernels/bdense/bdense_blocked.h"
#include "kernels/simd/binary_loops.h"

namespace bnn::kernels {
namespace {

template <class Counter>
void RunBDenseTiles(const BDenseShape& shape, const BDenseArgs& args) {
  int32_t base[kChannelBlock];
  RunBinaryTiles<Counter, DenseChains>(ResolveBDense(shape, args, Counter::kOrder, base), args.epilogue);
}

}  // namespace
}  // namespace bnn::kernels
