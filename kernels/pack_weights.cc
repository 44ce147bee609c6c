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

// How many nibbles of `word` have an odd number of ones.
uint32_t OddNibbles(uint32_t word) {
  const uint32_t of_pairs = word ^ (word >> 1);
  const uint32_t of_nibbles = (of_pairs ^ (of_pairs >> 2)) & 0x11111111u;
  return static_cast<uint32_t>(__builtin_popcount(of_nibbles));
}

// One input word of a block of output channels as bytes of kBits (4 or 8) of its bits, one a channel, in 32 / kBits
// runs of 8 words.
template <int kBits>
void PackBytes(const uint32_t (&words)[kChannelBlock], uint32_t* packed) {
  for (int shift = 0; shift < kBitsPerWord; shift += kBits) {
    for (int lane = 0; lane < 8; ++lane) {
      uint32_t bytes = 0;
      for (int v = 0; v < 4; ++v) bytes |= (words[8 * v + lane] >> shift & ((1u << kBits) - 1)) << (8 * v);
      *packed++ = bytes;
    }
  }
}

template <int kBits>
void UnpackBytes(const uint32_t* packed, uint32_t (&words)[kChannelBlock]) {
  for (uint32_t& word : words) word = 0;
  for (int shift = 0; shift < kBitsPerWord; shift += kBits) {
    for (int lane = 0; lane < 8; ++lane) {
      const uint32_t bytes = *packed++;
      for (int v = 0; v < 4; ++v) words[8 * v + lane] |= (bytes >> (8 * v) & ((1u << kBits) - 1)) << shift;
    }
  }
}

// The orders with a header of odd nibbles.
template <int kBits>
void PackWithHeader(const PackedOrder& order, const WeightShape& shape, const uint32_t* weights, uint32_t* packed) {
  for (int64_t block = 0; block < PaddedChannels(shape.out_channels); block += kChannelBlock) {
    uint32_t* header = packed;
    for (int channel = 0; channel < kChannelBlock; ++channel) *packed++ = 0;
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      for (int64_t word = 0; word < WordsFor(shape.in_channels); ++word, packed += order.words_per_word) {
        uint32_t words[kChannelBlock];
        for (int64_t i = 0; i < kChannelBlock; ++i) {
          words[i] = block + i < shape.out_channels ? WeightWord(shape, weights, block + i, tap, word) : 0;
          header[i] += OddNibbles(words[i]);
        }
        PackBytes<kBits>(words, packed);
      }
    }
  }
}

template <int kBits>
void UnpackWithHeader(const PackedOrder& order, const WeightShape& shape, const uint32_t* packed, uint32_t* weights) {
  ClearWeights(shape, weights);
  for (int64_t block = 0; block < PaddedChannels(shape.out_channels); block += kChannelBlock) {
    packed += order.header_words;
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      for (int64_t word = 0; word < WordsFor(shape.in_channels); ++word, packed += order.words_per_word) {
        uint32_t words[kChannelBlock];
        UnpackBytes<kBits>(packed, words);
        for (int64_t i = 0; i < kChannelBlock && block + i < shape.out_channels; ++i) {
          AddWeightWord(shape, weights, block + i, tap, word, words[i]);
        }
      }
    }
  }
}

int64_t WordsOf(const PackedOrder& order, const WeightShape& shape) {
  return PaddedChannels(shape.out_channels) / kChannelBlock *
         order.BlockWords(shape.taps * WordsFor(shape.in_channels));
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

int64_t ReadAheadWeightWords(const WeightShape& shape) { return BlockedWeightWords(shape) + kReadAheadWords; }

void PackReadAheadWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackBlockedWeights(shape, weights, packed);
  uint32_t* const behind = packed + BlockedWeightWords(shape);
  for (int64_t i = 0; i < kReadAheadWords; ++i) behind[i] = 0;
}

int64_t NibbleWeightWords(const WeightShape& shape) { return WordsOf(kNibbleOrder, shape); }

void PackNibbleWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackWithHeader<4>(kNibbleOrder, shape, weights, packed);
}

void UnpackNibbleWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackWithHeader<4>(kNibbleOrder, shape, packed, weights);
}

int64_t ByteWeightWords(const WeightShape& shape) { return WordsOf(kByteOrder, shape); }

void PackByteWeights(const WeightShape& shape, const uint32_t* weights, uint32_t* packed) {
  PackWithHeader<8>(kByteOrder, shape, weights, packed);
}

void UnpackByteWeights(const WeightShape& shape, const uint32_t* packed, uint32_t* weights) {
  UnpackWithHeader<8>(kByteOrder, shape, packed, weights);
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
