// What the vector kernels of binary convolution share outside their inner loops: how a shape and its arguments become
// what the loops of kernels/simd/binary_loops.h walk, and the entries for the weight orders of kernels/pack_weights.h.
// Compiled for any CPU; the ISA files call it once a run.
#pragma once

#include <cstdint>

#include "kernels/bconv2d/bconv2d.h"
#include "kernels/pack_weights.h"
#include "kernels/simd/binary_tiles.h"

namespace bnn::kernels {

// The entries refuse, packed_words, pack and unpack of a kernel of the blocked order.
const char* RefuseBlockedBConv2d(const BConv2dShape& shape);
int64_t BlockedBConv2dWords(const BConv2dShape& shape);
void PackBlockedBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackBlockedBConv2d(const BConv2dShape& shape, const uint32_t* packed, uint32_t* weights);
// packed_words and pack of one that reads ahead; it unpacks with UnpackBlockedBConv2d.
int64_t ReadAheadBConv2dWords(const BConv2dShape& shape);
void PackReadAheadBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed);
// packed_words, pack and unpack of a kernel of the nibble order.
int64_t NibbleBConv2dWords(const BConv2dShape& shape);
void PackNibbleBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackNibbleBConv2d(const BConv2dShape& shape, const uint32_t* packed, uint32_t* weights);
// The same of the byte order.
int64_t ByteBConv2dWords(const BConv2dShape& shape);
void PackByteBConv2d(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackByteBConv2d(const BConv2dShape& shape, const uint32_t* packed, uint32_t* weights);

// A shape and its arguments, resolved to what the loops need.
BinaryTiles ResolveBConv2d(const BConv2dShape& shape, const BConv2dArgs& args, const PackedOrder& order);

}  // namespace bnn::kernels
