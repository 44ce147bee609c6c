// From words of one channel block, pixel by pixel, to the words of one pixel: a transposition in registers. ISA files
// only.
//
//   from  [word][pixel]     a0 a1 a2 a3 ...   b0 b1 b2 b3 ...   c0 ...   d0 ...
//   pairs of words          a0 b0 a1 b1 | ...   a2 b2 a3 b3 | ...   c0 d0 c1 d1 | ...   c2 d2 c3 d3 | ...
//   to    [pixel][word]     a0 b0 c0 d0 | ...   a1 b1 c1 d1 | ...   a2 b2 c2 d2 | ...   a3 b3 c3 d3 | ...
//
// Each step interleaves within 128 bits, so the same two steps turn one, two or four blocks of 4 x 4 at a time, and a
// pixel's words leave with one store. Vectors as long as the instruction set has them: 8 shuffles for 16 pixels instead
// of 32. On Zen 5 what remains are the stores, 1.3 cycles each, while nothing else comes from L2: 8 % of the time of
// packing NCHW sources. (Prefetching the next planes meanwhile made it slower.)
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// Lists of concrete types: gcc 12 does not shuffle vectors whose size is a template argument.
template <int kLanes>
struct WordVector;
template <>
struct WordVector<4> {
  using Type = uint32_t __attribute__((vector_size(16)));
};
template <>
struct WordVector<8> {
  using Type = uint32_t __attribute__((vector_size(32)));
};
template <>
struct WordVector<16> {
  using Type = uint32_t __attribute__((vector_size(64)));
};
template <int kLanes>
using Words = typename WordVector<kLanes>::Type;

template <int kLanes>
BNN_INLINE Words<kLanes> LoadWordLanes(const uint32_t* from) {
  Words<kLanes> words;
  __builtin_memcpy(&words, from, sizeof words);
  return words;
}

// 0, 1, ... kCount - 1.
template <int... kIndex>
struct Indices {};
template <int kCount, int... kIndex>
struct MakeIndices : MakeIndices<kCount - 1, kCount - 1, kIndex...> {};
template <int... kIndex>
struct MakeIndices<0, kIndex...> {
  using Type = Indices<kIndex...>;
};

// Where lane `lane` of an interleaving of runs of kRun lanes comes from: a lane of a, or of b behind it. The runs are
// those of the lower or the upper half of every 4 lanes.
template <int kLanes, int kRun, bool kUpper>
constexpr int SourceLane(int lane) {
  const int run = lane % 4 / kRun;
  const int within = (kUpper ? 2 : 0) + run / 2 * kRun + lane % kRun;
  return lane / 4 * 4 + within + (run % 2 == 1 ? kLanes : 0);
}
template <int kLanes, int kRun, bool kUpper, int... kIndex>
BNN_INLINE Words<kLanes> InterleaveAt(Words<kLanes> a, Words<kLanes> b, Indices<kIndex...>) {
  return __builtin_shufflevector(a, b, SourceLane<kLanes, kRun, kUpper>(kIndex)...);
}
template <int kLanes, int kRun, bool kUpper>
BNN_INLINE Words<kLanes> Interleave(Words<kLanes> a, Words<kLanes> b) {
  return InterleaveAt<kLanes, kRun, kUpper>(a, b, typename MakeIndices<kLanes>::Type());
}

// Stores the first kWords of lanes 4 * i to 4 * i + 3.
template <int kWords, int kLanes>
BNN_INLINE void StoreFourth(Words<kLanes> words, int i, uint32_t* pixel) {
  __builtin_memcpy(pixel, reinterpret_cast<const char*>(&words) + 16 * i, 4 * kWords);
}

// kWords words, at most 4, of `pixels` pixels, from [word][pixel] with `pitch` words between rows, which are whole
// vectors long.
template <int kWords, int kLanes>
BNN_NOINLINE void StorePixels(const uint32_t* from, int64_t pitch, int64_t pixels, uint32_t* to, int64_t stride) {
  int64_t p = 0;
  if constexpr (kWords > 1) {
    for (; p + kLanes <= pixels; p += kLanes) {
      Words<kLanes> word[4] = {};
      BNN_UNROLL for (int w = 0; w < kWords; ++w) word[w] = LoadWordLanes<kLanes>(from + w * pitch + p);
      const Words<kLanes> low01 = Interleave<kLanes, 1, false>(word[0], word[1]);
      const Words<kLanes> high01 = Interleave<kLanes, 1, true>(word[0], word[1]);
      const Words<kLanes> low23 = Interleave<kLanes, 1, false>(word[2], word[3]);
      const Words<kLanes> high23 = Interleave<kLanes, 1, true>(word[2], word[3]);
      const Words<kLanes> pixel[4] = {
          Interleave<kLanes, 2, false>(low01, low23), Interleave<kLanes, 2, true>(low01, low23),
          Interleave<kLanes, 2, false>(high01, high23), Interleave<kLanes, 2, true>(high01, high23)};
      BNN_UNROLL for (int i = 0; i < kLanes / 4; ++i) {
        BNN_UNROLL for (int j = 0; j < 4; ++j) StoreFourth<kWords, kLanes>(pixel[j], i, to + j * stride);
        to += 4 * stride;
        asm("" : "+r"(to));  // or compilers compute all places in advance, more than there are registers
      }
    }
  }
  if (kWords == 1 && stride == 1) {
    __builtin_memcpy(to, from, static_cast<size_t>(pixels) * sizeof(uint32_t));
    return;
  }
  for (; p < pixels; ++p) {
    BNN_UNROLL for (int w = 0; w < kWords; ++w) to[w] = from[w * pitch + p];
    to += stride;
  }
}

}  // namespace
}  // namespace bnn::kernels
