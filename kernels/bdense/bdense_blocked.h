// What the vector kernels of the binary dense layer share outside their inner loops. They read the blocked weight order
// of kernels/pack_weights.h. Compiled for any CPU; the ISA files call it once a run.
#pragma once

#include <cstdint>

#include "kernels/bdense/bdense.h"
#include "kernels/pack_weights.h"
#include "kernels/simd/tap_walk.h"

namespace bnn::kernels {

// The entries refuse, packed_words and pack of a vector kernel.
const char* RefuseBlockedBDense(const BDenseShape& shape);
int64_t BlockedBDenseWords(const BDenseShape& shape);
void PackBlockedBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed);

// A shape, resolved to what the tile loops need.
struct BDenseGeometry {
  TapWalk walk;                 // one run: the words of a row
  int64_t block_words;          // packed weights of one channel block
  int64_t group_blocks;         // channel blocks that a tile of rows passes through before the next tile
  int64_t last_block;           // the block that holds the last output feature
  uint32_t last_lanes;          // which of its features exist
  int32_t base[kChannelBlock];  // K for every feature
  bool even_base;               // K is even
};
BDenseGeometry ResolveBDense(const BDenseShape& shape, const PackedOrder& order);

}  // namespace bnn::kernels
