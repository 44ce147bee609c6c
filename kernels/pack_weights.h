// From the weights of the model file to the orders that kernels read.
//
// The file holds, per output channel, the bits in (tap, in_channel) order without gaps, padded to whole words once at
// the end. Kernels want every tap to start at a word, as activations do: pixel (tap) by pixel, WordsFor(in) words each.
//
// Each order loses nothing: Unpack...() writes the very words that Pack...() read. So a process may hold its weights in
// one order only, and still make another one when it wants to run another kernel.
#pragma once

#include <cstdint>

namespace bnn::kernels {

// The geometry of weights: a convolution has kernel_h * kernel_w taps, a dense layer one.
struct WeightShape {
  int64_t out_channels = 0;
  int64_t taps = 1;
  int64_t in_channels = 0;
};

// An order of packed weights by channel blocks: what precedes a block, and what a word of input takes in it.
struct PackedOrder {
  int64_t header_words = 0;    // a block
  int64_t words_per_word = 0;  // a block and word of input
  int64_t group_bytes = 0;     // of neighbouring blocks that a tile of pixels should pass through before the next tile
  int64_t group_step = 1;      // their number is a multiple of this: what kernels count at once

  constexpr int64_t BlockWords(int64_t input_words) const { return header_words + input_words * words_per_word; }
  constexpr int64_t GroupBlocks(int64_t input_words) const {
    const int64_t blocks = group_bytes / (BlockWords(input_words) * static_cast<int64_t>(sizeof(uint32_t)));
    return blocks > group_step ? blocks / group_step * group_step : group_step;
  }
};

// The order of vector kernels, whose lanes are output channels: [out / 32][tap][in_word][32]. Word `w` of tap `t` of 32
// neighbouring output channels is one run of 128 bytes. Output channels beyond the last one are 0.
// A group's blocks share L1.
inline constexpr PackedOrder kBlockedOrder = {0, 32, 20 << 10};
int64_t BlockedWeightWords(const WeightShape& shape);
void PackBlockedWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackBlockedWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights);

// The same order for kernels that load the next weights while they count: so many words of zeros follow, to be read.
// UnpackBlockedWeights unpacks it.
inline constexpr int64_t kReadAheadWords = 2 * 32;
int64_t ReadAheadWeightWords(const WeightShape& shape);
void PackReadAheadWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed);

// The order of kernels that use nibbles (4 bits) of weights as indices of byte shuffles, kernels/x86/popcount_avx2.h.
// For every block of 32 output channels:
//
//   32 words   of channel 0, 1, ... 31: how many of its nibbles have an odd number of ones
//   [tap][in_word][nibble]: 8 words = 32 bytes, one a channel, with the nibble in bits 0 to 3, the others 0. Nibble i
//              of an input word is its bits 4 * i to 4 * i + 3. Byte v of word l is channel 8 * v + l: kernels that
//              widen sums of bytes in place so get vectors of 8 neighbouring channels.
//
// Output channels beyond the last one are 0. Twice the memory of the blocked order. For the kernels of this order,
// blocks of a group share what is made of the input; their weights may come from L2.
inline constexpr PackedOrder kNibbleOrder = {32, 64, 256 << 10, 2};
int64_t NibbleWeightWords(const WeightShape& shape);
void PackNibbleWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackNibbleWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights);

// The order of kernels that take both nibbles of a byte of weights as indices, kernels/x86/popcount_avx512.h. As the
// nibble order, but with whole bytes:
//
//   [tap][in_word][byte]: 8 words = 32 bytes, one a channel, in the same order of channels. Byte i of an input word is
//              its bits 8 * i to 8 * i + 7.
//
// As much memory as the blocked order.
inline constexpr PackedOrder kByteOrder = {32, 32, 512 << 10, 2};
int64_t ByteWeightWords(const WeightShape& shape);
void PackByteWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackByteWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights);

// The order of the reference: [out][tap][in_word].
int64_t RowWeightWords(const WeightShape& shape);
void PackRowWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed);
void UnpackRowWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights);

}  // namespace bnn::kernels
