// What the vector kernels of the binary dense layer share outside their inner loops, as kernels/bconv2d/
// bconv2d_blocked.h for convolution. Compiled for any CPU; the ISA files call it once a run.
#pragma once

#include <cstdint>

#include "kernels/bdense/bdense.h"
#include "kernels/pack_weights.h"
#include "kernels/simd/binary_tiles.h"

namespace bnn::kernels {

// The entries refuse, packed_words, pack and unpack of a kernel of the blocked order.
const char* RefuseBlockedBDense(const BDenseShape& shape);
int64_t BlockedBDenseWords(const BDenseShape& shape);
void PackBlockedBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackBlockedBDense(const BDenseShape& shape, const uint32_t* packed, uint32_t* weights);
// packed_words and pack of one that reads ahead; it unpacks with UnpackBlockedBDense.
int64_t ReadAheadBDenseWords(const BDenseShape& shape);
void PackReadAheadBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed);
// packed_words, pack and unpack of a kernel of the nibble order.
int64_t NibbleBDenseWords(const BDenseShape& shape);
void PackNibbleBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackNibbleBDense(const BDenseShape& shape, const uint32_t* packed, uint32_t* weights);
// The same of the byte order.
int64_t ByteBDenseWords(const BDenseShape& shape);
void PackByteBDense(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackByteBDense(const BDenseShape& shape, const uint32_t* packed, uint32_t* weights);

// A shape and its arguments, resolved to what the loops need. `base` receives the constants of a channel block, which
// the result points to: the same for every feature.
BinaryTiles ResolveBDense(const BDenseShape& shape, const BDenseArgs& args, const PackedOrder& order,
                          int32_t (&base)[kChannelBlock]);

}  // namespace bnn::kernels
