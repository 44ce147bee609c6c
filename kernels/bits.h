// What a bit means, stated once for the whole project.
//
//   A bit is 1 for the high value (+1) and 0 for the low value (-1).
//   Bits are packed LSB-first into 32-bit words: element c is bit c % 32 of word c / 32.
//   The spare bits of the last word of a pixel (or of a weight row) are 0, in activations and in weights alike.
//
// Because spare bits are 0 on both sides, their XOR is 0 and they never count:
//
//   dot(a, w) = sum a_i * w_i = (#equal - #different) = K - 2 * popcount(a XOR w),
//
// where K is the real (unpadded) number of terms.
//
// Elements of several bits
//   An element of b = 1 to 4 bits is a level q in 0 to 2^b - 1. Its bits lie in b planes: plane i holds bit i of every
//   q, and a plane lies in memory as a tensor of single bits does. For arithmetic a level stands for an odd integer,
//
//     v = 2q - (2^b - 1)        b = 1: -1, 1        b = 2: -3, -1, 1, 3
//
//   because those are weighted sums of -1 and +1: with a_i = 2 * (bit i of q) - 1,
//
//     sum of 2^i * a_i = 2 * (sum of 2^i * (bit i of q)) - (sum of 2^i) = 2q - (2^b - 1) = v,
//
//   so that a dot product with weights of one bit is a weighted sum of the dot products of the planes:
//
//     dot(v, w) = sum of 2^i * dot(a_i, w) = (2^b - 1) * K - 2 * (sum of 2^i * popcount(plane_i XOR w))
//
//   A uniform grid lo + step * q is (lo + step / 2 * (2^b - 1)) + step / 2 * v: what is missing is affine, and affine
//   is what follows a dot product anyway. |dot(v, w)| <= (2^b - 1) * K.
#pragma once

#include <cstdint>

// Inline functions of headers that kernel files include are always inlined. Otherwise an unoptimized build would emit
// them as weak symbols in every object, and the linker could pick the copy compiled for AVX-512 for code that runs on
// every CPU (tests/meta checks the objects).
#define BNN_KERNEL_INLINE [[gnu::always_inline]] inline

namespace bnn::kernels {

inline constexpr int64_t kBitsPerWord = 32;
inline constexpr int kMaxPlanes = 4;  // bits of an element

// 2^planes - 1: the highest level of an element of so many bits, and its value v.
BNN_KERNEL_INLINE constexpr int HighestLevel(int planes) { return (1 << planes) - 1; }

// The number of words that hold `bits` bits.
BNN_KERNEL_INLINE constexpr int64_t WordsFor(int64_t bits) { return (bits + kBitsPerWord - 1) / kBitsPerWord; }

// The mask of the bits in use in the last word of a run of `bits` bits (bits >= 1).
BNN_KERNEL_INLINE constexpr uint32_t TailMask(int64_t bits) {
  const int64_t used = bits % kBitsPerWord;
  return used == 0 ? ~uint32_t{0} : (uint32_t{1} << used) - 1;
}

// The mask of the bits in use in word `word` of a run of `bits` bits.
BNN_KERNEL_INLINE constexpr uint32_t WordMask(int64_t bits, int64_t word) {
  if (word < bits / kBitsPerWord) return ~uint32_t{0};
  return word == bits / kBitsPerWord && bits % kBitsPerWord != 0 ? TailMask(bits) : 0;
}

BNN_KERNEL_INLINE constexpr uint32_t GetBit(const uint32_t* words, int64_t index) {
  return (words[index / kBitsPerWord] >> (index % kBitsPerWord)) & 1u;
}

BNN_KERNEL_INLINE constexpr void SetBit(uint32_t* words, int64_t index, uint32_t bit) {
  const uint32_t mask = uint32_t{1} << (index % kBitsPerWord);
  uint32_t& word = words[index / kBitsPerWord];
  word = bit != 0 ? (word | mask) : (word & ~mask);
}

}  // namespace bnn::kernels
