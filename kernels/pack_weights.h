// From the weights of the model file to the orders that kernels read.
//
// The file holds, per output channel, the bits in (tap, in_channel) order without gaps, padded to whole words once at
// the end. Kernels want every tap to start at a word, as activations do: pixel (tap) by pixel, WordsFor(in) words each.
#pragma once

#include <cstdint>

namespace bnn::kernels {

// The geometry of weights: a convolution has kernel_h * kernel_w taps, a dense layer one.
struct WeightShape {
  int64_t out_channels = 0;
  int64_t taps = 1;
  int64_t in_channels = 0;
};

// The order of vector kernels, whose lanes are output channels: [out / 32][tap][in_word][32]. Word `w` of tap `t` of 32
// neighbouring output channels is one run of 128 bytes. Output channels beyond the last one are 0.
int64_t BlockedWeightWords(const WeightShape& shape);
void PackBlockedWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed);

// The order of the reference: [out][tap][in_word].
int64_t RowWeightWords(const WeightShape& shape);
void PackRowWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed);

}  // namespace bnn::kernels
