// Levels of elements of several bits (kernels/bits.h, kernels/epilogue.h) in vector code: 32 channels of a pixel, which
// are a word in every plane. ISA files only.
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// Where 32 channels of a pixel reach thresholds, or else where they miss them, whichever is one operation: `marks`.
// Each bit of a level is the XOR of the marks of an odd number of thresholds, so missed ones make its inverse.
template <class V>
BNN_INLINE typename V::Mask Mark(typename V::Float y, const float* thresholds) {
  return V::IsAtLeast(y, V::Load(thresholds));
}
template <class V>
BNN_INLINE typename V::Mask Mark(typename V::Int y, const int32_t* thresholds) {
  return V::Less(y, V::LoadInt(thresholds));
}
template <class T>
inline constexpr uint32_t kMarksToBits = 0;  // what turns marks into bits
template <>
inline constexpr uint32_t kMarksToBits<int32_t> = ~uint32_t{0};

// Where the words of a pixel go: plane 0, the distance of planes, what turns their bits over and which lanes exist.
struct LevelsPlace {
  uint32_t* word;
  int64_t plane_step;
  uint32_t flip;
  uint32_t lanes;
};

// Stores the levels of 32 channels: how many of the 2^planes - 1 thresholds they reach. `thresholds`: those of level 1
// of the first channel, `stride` from level to level.
//
// Bit i of a level is the XOR of the marks at all multiples of 2^i. Those are the multiples of 2^(i + 1), which the
// plane above has gathered, and the odd multiples. So planes come from the highest one down, and every threshold is
// compared once, as an operand from L1.
template <class V, class Vector, class T>
BNN_INLINE void StoreLevels(const Vector (&y)[V::kVectors], const T* thresholds, int64_t stride, int planes,
                            const LevelsPlace& place) {
  const int64_t top = int64_t{1} << (planes - 1);
  uint32_t* word = place.word + (planes - 1) * place.plane_step;
  typename V::Mask marks[V::kVectors];
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
    marks[v] = Mark<V>(y[v], thresholds + (top - 1) * stride + v * V::kLanes);
  }
  for (int64_t step = top;;) {
    *word = (V::ToWord(marks) ^ place.flip ^ kMarksToBits<T>)&place.lanes;
    if (step == 1) break;
    word -= place.plane_step;
    step /= 2;
    for (int64_t level = step; level < 2 * top; level += 2 * step) {
      const T* const threshold = thresholds + (level - 1) * stride;
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        marks[v] = V::Xor(marks[v], Mark<V>(y[v], threshold + v * V::kLanes));
      }
    }
  }
}

// Which levels one vector of elements reaches, for instruction sets whose comparisons write mask registers: `planes[i]`
// is where bit i of the level is 1. `thresholds`: those of the levels from 1 on.
//
// Thresholds ascend, so a level is found as a number is in a sorted list: the middle threshold decides its highest bit,
// and with it which half of the others still matters. For b bits that is b comparisons and 2^b - 1 - b selections, for
// StoreLevels 2^b - 1 comparisons and nearly as many XORs, each of which costs more in mask registers than a selection.
// Thresholds that are never reached (NaN) stand at the end, where a comparison that fails leads away from them.
template <class V, int kPlanes, class Vector, class Mask>
BNN_INLINE void FindLevels(Vector y, const Vector* thresholds, Mask* planes) {
  constexpr int kMiddle = (1 << (kPlanes - 1)) - 1;
  planes[kPlanes - 1] = V::IsAtLeast(y, thresholds[kMiddle]);
  if constexpr (kPlanes > 1) {
    Vector left[kMiddle];
    BNN_UNROLL for (int j = 0; j < kMiddle; ++j) {
      left[j] = V::Select(planes[kPlanes - 1], thresholds[kMiddle + 1 + j], thresholds[j]);
    }
    FindLevels<V, kPlanes - 1>(y, left, planes);
  }
}

// The values of the levels of one vector of channels: the highest plane chooses between the upper and the lower half of
// the table, and so on. `words`: of the planes, as V::Spread gives them. value_of(q): the values of level q, wherever
// they are; the levels from kFirst on are asked for.
template <class V, int kPlanes, int kFirst = 0, class ValueOf>
BNN_INLINE typename V::Float ValueOfLevel(const typename V::Int* words, int v, const ValueOf& value_of) {
  if constexpr (kPlanes == 0) {
    return value_of(kFirst);
  } else {
    constexpr int kUpper = kFirst + (1 << (kPlanes - 1));
    const typename V::Float lower = ValueOfLevel<V, kPlanes - 1, kFirst>(words, v, value_of);
    const typename V::Float upper = ValueOfLevel<V, kPlanes - 1, kUpper>(words, v, value_of);
    return V::Choose(words[kPlanes - 1], v, lower, upper);
  }
}

}  // namespace
}  // namespace bnn::kernels
