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

// The inverse of ReadBits, into words where these bits are 0 so far. `bits` has no others.
void AddBits(uint32_t* words, int64_t first, int64_t count, uint32_t bits) {
  const int64_t word = first / kBitsPerWord;
  const int64_t shift = first % kBitsPerWord;
  const uint64_t shifted = uint64_t{bits} << shift;
  words[word] |= static_cast<uint32_t>(shifted);
  if (shift + count > kBitsPerWord) words[word + 1] |= static_cast<uint32_t>(shifted >> kBitsPerWord);
}

// The inverse of WeightWord, into rows that are 0 so far.
void AddWeightWord(const WeightShape& shape, uint32_t* weights, int64_t out, int64_t tap, int64_t word, uint32_t bits) {
  uint32_t* row = weights + out * WordsFor(shape.taps * shape.in_channels);
  const int64_t channel = word * kBitsPerWord;
  const int64_t left = shape.in_channels - channel;
  AddBits(row, tap * shape.in_channels + channel, left < kBitsPerWord ? left : kBitsPerWord, bits);
}

void ClearWeights(const WeightShape& shape, uint32_t* weights) {
  const int64_t words = shape.out_channels * WordsFor(shape.taps * shape.in_channels);
  for (int64_t i = 0; i < words; ++i) weights[i] = 0;
}

constexpr int kNibblesPerWord = 8;

// How many nibbles of `word` have an odd number of ones.
uint32_t OddNibbles(uint32_t word) {
  const uint32_t of_pairs = word ^ (word >> 1);
  const uint32_t of_nibbles = (of_pairs ^ (of_pairs >> 2)) & 0x11111111u;
  return static_cast<uint32_t>(__builtin_popcount(of_nibbles));
}

// One input word of a block of output channels: adds to its header, writes its 8 * 8 words.
void PackNibbles(const uint32_t (&words)[kChannelBlock], uint32_t* header, uint32_t* packed) {
  for (int channel = 0; channel < kChannelBlock; ++channel) header[channel] += OddNibbles(words[channel]);
  for (int nibble = 0; nibble < kNibblesPerWord; ++nibble) {
    for (int lane = 0; lane < 8; ++lane) {
      uint32_t bytes = 0;
      for (int v = 0; v < 4; ++v) bytes |= (words[8 * v + lane] >> (4 * nibble) & 15u) << (8 * v);
      *packed++ = bytes;
    }
  }
}

void UnpackNibbles(const uint32_t* packed, uint32_t (&words)[kChannelBlock]) {
  for (uint32_t& word : words) word = 0;
  for (int nibble = 0; nibble < kNibblesPerWord; ++nibble) {
    for (int lane = 0; lane < 8; ++lane) {
      const uint32_t bytes = *packed++;
      for (int v = 0; v < 4; ++v) words[8 * v + lane] |= (bytes >> (8 * v) & 15u) << (4 * nibble);
    }
  }
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

void UnpackBlockedWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights) {
  ClearWeights(shape, weights);
  for (int64_t block = 0; block < PaddedChannels(shape.out_channels); block += kChannelBlock) {
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      for (int64_t word = 0; word < WordsFor(shape.in_channels); ++word) {
        for (int64_t out = block; out < block + kChannelBlock; ++out, ++packed) {
          if (out < shape.out_channels) AddWeightWord(shape, weights, out, tap, word, *packed);
        }
      }
    }
  }
}

int64_t NibbleWeightWords(const WeightShape& shape) {
  return PaddedChannels(shape.out_channels) / kChannelBlock *
         kNibbleOrder.BlockWords(shape.taps * WordsFor(shape.in_channels));
}

void PackNibbleWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed) {
  for (int64_t block = 0; block < PaddedChannels(shape.out_channels); block += kChannelBlock) {
    uint32_t* header = packed;
    for (int channel = 0; channel < kChannelBlock; ++channel) *packed++ = 0;
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      for (int64_t word = 0; word < WordsFor(shape.in_channels); ++word) {
        uint32_t words[kChannelBlock];
        for (int64_t i = 0; i < kChannelBlock; ++i) {
          words[i] = block + i < shape.out_channels ? WeightWord(shape, weights, block + i, tap, word) : 0;
        }
        PackNibbles(words, header, packed);
        packed += kNibblesPerWord * 8;
      }
    }
  }
}

void UnpackNibbleWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights) {
  ClearWeights(shape, weights);
  for (int64_t block = 0; block < PaddedChannels(shape.out_channels); block += kChannelBlock) {
    packed += kNibbleOrder.header_words;
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      for (int64_t word = 0; word < WordsFor(shape.in_channels); ++word, packed += kNibbleOrder.words_per_word) {
        uint32_t words[kChannelBlock];
        UnpackNibbles(packed, words);
        for (int64_t i = 0; i < kChannelBlock && block + i < shape.out_channels; ++i) {
          AddWeightWord(shape, weights, block + i, tap, word, words[i]);
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

void UnpackRowWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights) {
  ClearWeights(shape, weights);
  for (int64_t out = 0; out < shape.out_channels; ++out) {
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      for (int64_t word = 0; word < WordsFor(shape.in_channels); ++word) {
        AddWeightWord(shape, weights, out, tap, word, *packed++);
      }
    }
  }
}

}  // namespace bnn::kernels
