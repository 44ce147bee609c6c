#include "kernels/pack_weights.h"

#include "kernels/bits.h"
#include "kernels/epilogue.h"

namespace bnn::kernels {
namespace {

// `count` (1 to 32) bits from bit `first` on. Touches only words that hold one of these bits.
uint32_t ReadBits(const uint32_t* words, int64_t first, int64_t count) {
  const int64_t word = first / kBitsPerWord;
  const int64_t shift = first % kBitsPerWord;
  uint64_t bits = words[word];
  if (shift + count > kBitsPerWord) bits |= uint64_t{words[word + 1]} << kBitsPerWord;
  return static_cast<uint32_t>(bits >> shift) & TailMask(count);
}

// Word `word` of tap `tap` of output channel `out`, spare bits 0.
uint32_t WeightWord(const WeightShape& shape, const uint32_t* weights, int64_t out, int64_t tap, int64_t word) {
  const uint32_t* row = weights + out * WordsFor(shape.taps * shape.in_channels);
  const int64_t channel = word * kBitsPerWord;
  const int64_t left = shape.in_channels - channel;
  return ReadBits(row, tap * shape.in_channels + channel, left < kBitsPerWord ? left : kBitsPerWord);
}

}  // namespace

int64_t BlockedWeightWords(const WeightShape& shape) {
  return PaddedChannels(shape.out_channels) * shape.taps * WordsFor(shape.in_channels);
}

void PackBlockedWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed) {
  for (int64_t block = 0; block < PaddedChannels(shape.out_channels); block += kChannelBlock) {
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      for (int64_t word = 0; word < WordsFor(shape.in_channels); ++word) {
        for (int64_t out = block; out < block + kChannelBlock; ++out) {
          *packed++ = out < shape.out_channels ? WeightWord(shape, weights, out, tap, word) : 0;
        }
      }
    }
  }
}

int64_t RowWeightWords(const WeightShape& shape) {
  return shape.out_channels * shape.taps * WordsFor(shape.in_channels);
}

void PackRowWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed) {
  for (int64_t out = 0; out < shape.out_channels; ++out) {
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      for (int64_t word = 0; word < WordsFor(shape.in_channels); ++word) {
        *packed++ = WeightWord(shape, weights, out, tap, word);
      }
    }
  }
}

}  // namespace bnn::kernels
