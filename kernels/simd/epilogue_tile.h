// The epilogue of kernels/epilogue.h over a register tile: kPixels neighbouring pixels times 32 channels. Written once;
// the vector wrapper V (kernels/x86/vec_*.h) turns it into the code of one instruction set. Included by ISA files only,
// hence the anonymous namespace: nothing here may become a symbol that another file could link to.
//
// Each step is one switch and then straight code over the whole tile, so that the cost of interpreting the list is
// spread over 32 * kPixels elements. Within a step, the parameters of a vector of channels are loaded once and used for
// every pixel.
//
// Strides and pointers are copied before the first store: a vector store may alias anything, and what lies behind a
// reference would be read again after each. (Not so for a residual: there gcc 12, free to move loads across stores,
// gathers them all in front, which is a tenth slower than one after the other.)
//
// V supplies: Float, Int, Mask (vectors of kLanes elements and a comparison's result), kLanes, kVectors = 32 / kLanes;
// Load, LoadPart, Store, StorePart (of the lanes whose bit is set; the others are not touched in memory), Splat, Fma,
// Mul, Add, Less, Select, PRelu (x * slope where x is less than 0, else x), AtLeast (of the 32 channels as bits, false
// for NaN), Min and Max of a limit and x (x unless the limit is less, or greater: x where either is NaN or both
// are zeros); LoadInt, SplatInt, Half (floor), HalfUp (ceil), TwicePlusOdd (2 * x + the lowest bit of odd), Add,
// ToFloat; and for levels the Mask IsAtLeast of floats (false for NaN) and Less of integers, Xor of masks, ToWord of
// the masks of 32 channels.
#pragma once

#include <cstdint>

#include "kernels/epilogue.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/levels.h"

namespace bnn::kernels {
namespace {

// Where the tile lies in the output.
struct TilePlace {
  int64_t image;
  int64_t row;
  int64_t col;      // of the first pixel
  int64_t channel;  // the first of the block, a multiple of 32
  uint32_t lanes;   // bit i: channel + i exists
};

// The way from a tile to the next one: `pixels` to the right, or, at the end of a row, to the left and a row down.
struct TileStep {
  int64_t pixels;
  int64_t rows;
};

inline constexpr uint32_t kAllLanes = ~uint32_t{0};

template <class V, int kPixels>
using FloatTile = typename V::Float[kPixels][V::kVectors];
template <class V, int kPixels>
using IntTile = typename V::Int[kPixels][V::kVectors];

BNN_INLINE int64_t TileOffset(const Strides& strides, const TilePlace& at) {
  return at.image * strides.image + at.row * strides.row + at.col * strides.pixel;
}

template <class V, int kPixels>
BNN_INLINE void TileAffine(const EpilogueStep& step, const TilePlace& at, float factor, FloatTile<V, kPixels>& y) {
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
    const typename V::Float scale = V::Mul(V::Load(step.a + at.channel + v * V::kLanes), V::Splat(factor));
    const typename V::Float bias = V::Load(step.b + at.channel + v * V::kLanes);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) y[p][v] = V::Fma(y[p][v], scale, bias);
  }
}

template <class V, int kPixels>
BNN_INLINE void TilePRelu(const EpilogueStep& step, const TilePlace& at, FloatTile<V, kPixels>& y) {
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
    const typename V::Float slope = V::Load(step.a + at.channel + v * V::kLanes);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) { y[p][v] = V::PRelu(y[p][v], slope); }
  }
}

// Comparisons and selections as specified, not min and max instructions: those treat NaN and signed zeros by operand
// order, which differs between instruction sets.
template <class V, int kPixels>
BNN_INLINE void TileClamp(const EpilogueStep& step, FloatTile<V, kPixels>& y) {
  const typename V::Float lo = V::Splat(step.lo);
  const typename V::Float hi = V::Splat(step.hi);
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      const typename V::Float below_hi = V::Select(V::Less(hi, y[p][v]), hi, y[p][v]);
      y[p][v] = V::Select(V::Less(y[p][v], lo), lo, below_hi);
    }
  }
}

template <class V, int kPixels>
BNN_INLINE void TileAdd(const EpilogueStep& step, const TilePlace& at, FloatTile<V, kPixels>& y) {
  const float* residual = step.a + TileOffset(step.strides, at) + at.channel;
  if (at.lanes == kAllLanes) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        y[p][v] = V::Add(y[p][v], V::Load(residual + p * step.strides.pixel + v * V::kLanes));
      }
    }
    return;
  }
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      const float* part = residual + p * step.strides.pixel + v * V::kLanes;
      y[p][v] = V::Add(y[p][v], V::LoadPart(part, at.lanes >> (v * V::kLanes)));
    }
  }
}

template <class V, int kPixels>
BNN_INLINE void TileSteps(const Epilogue& epilogue, const TilePlace& at, int first_step, FloatTile<V, kPixels>& y) {
  for (int s = first_step; s < epilogue.num_steps; ++s) {
    const EpilogueStep& step = epilogue.steps[s];
    switch (step.kind) {
      case StepKind::kAffine:
        TileAffine<V, kPixels>(step, at, 1, y);
        break;
      case StepKind::kPRelu:
        TilePRelu<V, kPixels>(step, at, y);
        break;
      case StepKind::kClamp:
        TileClamp<V, kPixels>(step, y);
        break;
      case StepKind::kAdd:
        TileAdd<V, kPixels>(step, at, y);
        break;
    }
  }
}

template <class V, int kPixels>
BNN_INLINE void StoreFloats(const Epilogue& epilogue, const TilePlace& at, const FloatTile<V, kPixels>& y) {
  float* const out = epilogue.out + TileOffset(epilogue.out_strides, at) + at.channel;
  const int64_t out_step = epilogue.out_strides.pixel;
  if (at.lanes == kAllLanes) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) { V::Store(out + p * out_step + v * V::kLanes, y[p][v]); }
    }
    return;
  }
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      V::StorePart(out + p * out_step + v * V::kLanes, at.lanes >> (v * V::kLanes), y[p][v]);
    }
  }
}

// The bits of a pixel: one word, lane i of the block in bit i. `flip` is XORed before the spare bits are cleared.
template <class V, int kPixels, class Vector>
BNN_INLINE void StoreBits(const Epilogue& epilogue, const TilePlace& at, const Vector (&y)[kPixels][V::kVectors],
                          const Vector (&thresholds)[V::kVectors], uint32_t flip) {
  uint32_t* bits = epilogue.bits + TileOffset(epilogue.bits_strides, at) + at.channel / kChannelBlock;
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    bits[p * epilogue.bits_strides.pixel] = (V::AtLeast(y[p], thresholds) ^ flip) & at.lanes;
  }
}

// The same for levels: a word in every plane. `thresholds`: of channel 0.
template <class V, int kPixels, class Vector, class T>
BNN_INLINE void StoreTileLevels(const Epilogue& epilogue, const TilePlace& at, const Vector (&y)[kPixels][V::kVectors],
                                const T* thresholds, uint32_t flip) {
  uint32_t* const bits = epilogue.bits + TileOffset(epilogue.bits_strides, at) + at.channel / kChannelBlock;
  const int64_t stride = epilogue.threshold_stride;
  const int64_t plane_step = epilogue.bits_strides.plane;
  const int64_t pixel_step = epilogue.bits_strides.pixel;
  const int planes = epilogue.planes;
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    StoreLevels<V>(y[p], thresholds + at.channel, stride, planes, {bits + p * pixel_step, plane_step, flip, at.lanes});
  }
}

// Steps, from `first_step` on, and outputs of a tile that starts as floats.
template <class V, int kPixels>
BNN_INLINE void FinishFloats(const Epilogue& epilogue, const TilePlace& at, int first_step, FloatTile<V, kPixels>& y) {
  TileSteps<V, kPixels>(epilogue, at, first_step, y);
  if (epilogue.out != nullptr) StoreFloats<V, kPixels>(epilogue, at, y);
  if (epilogue.bits != nullptr) {
    if (epilogue.signs != nullptr) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        const typename V::Float signs = V::Load(epilogue.signs + at.channel + v * V::kLanes);
        BNN_UNROLL for (int p = 0; p < kPixels; ++p) y[p][v] = V::Mul(y[p][v], signs);
      }
    }
    if (epilogue.planes > 1) {
      return StoreTileLevels<V, kPixels>(epilogue, at, y, epilogue.thresholds, 0);
    }
    typename V::Float thresholds[V::kVectors];
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      thresholds[v] = V::Load(epilogue.thresholds + at.channel + v * V::kLanes);
    }
    StoreBits<V, kPixels>(epilogue, at, y, thresholds, 0);
  }
}

// Half accumulators
//   Counters do not count up from 0. They count down from half of the constant:
//
//     h = floor(base / 2) - popcount(in XOR w),        acc = base - 2 * popcount(in XOR w) = 2 * h + (base mod 2)
//
//   where floor(base / 2) merely replaces the 0 that a sum starts from. For an even base, and K is even in nearly every
//   layer, the accumulator costs nothing more: the factor 2 goes into the scale of the affine step that follows, or
//   into the integer threshold (2 * h >= T is h >= ceil(T / 2)). Both are exact. With 14 sums a tile, doubling and
//   subtracting would cost 28 vector operations: 3.5 % of a 3x3 convolution over 64 channels.
//
//   Several planes of input are counted from the highest one down by Horner's rule, in the same registers:
//
//     s = -popcount(in_top XOR w);  for each plane i below:  s = 2 * s - popcount(in_i XOR w)
//
//   and floor(base / 2) is added before the lowest plane, so that h is the last s.

// The constants of a tile's pixels for one channel block: 32 for each border class.
struct TileBase {
  const int32_t* classes;     // of class 0
  int64_t class_step;         // from the constants of one class to the next
  const uint16_t* col_class;  // of the tile's first pixel; nullptr: all pixels are of class 0
  int32_t half = 0;           // where they are: half of the constant, of which all channels have the same

  BNN_INLINE const int32_t* Of(int pixel) const {
    return col_class == nullptr ? classes : classes + col_class[pixel] * class_step;
  }
  template <int kPixels>
  BNN_INLINE bool IsSame() const {
    if (col_class == nullptr) return true;
    uint32_t different = 0;
    BNN_UNROLL for (int p = 1; p < kPixels; ++p) different |= static_cast<uint32_t>(col_class[p] ^ col_class[0]);
    return different == 0;
  }
};

// What a pixel starts from: half the constants of a channel block.
template <class V>
BNN_INLINE void LoadHalf(const int32_t* constants, typename V::Int (&half)[V::kVectors]) {
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) half[v] = V::Half(V::LoadInt(constants + v * V::kLanes));
}

template <class V, int kPixels>
BNN_INLINE void StartHalves(const TileBase& base, bool same, IntTile<V, kPixels>& half) {
  if (same) {
    typename V::Int start[V::kVectors];
    LoadHalf<V>(base.Of(0), start);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) half[p][v] = start[v];
    }
    return;
  }
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) LoadHalf<V>(base.Of(p), half[p]);
}

// Where a tile did not start from its constants.
template <class V, int kPixels>
BNN_INLINE void AddHalves(const TileBase& base, IntTile<V, kPixels>& half) {
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    typename V::Int start[V::kVectors];
    LoadHalf<V>(base.Of(p), start);
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) half[p][v] = V::Add(half[p][v], start[v]);
  }
}

template <class V, int kPixels>
BNN_INLINE void TwiceTile(IntTile<V, kPixels>& x) {
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) x[p][v] = V::Add(x[p][v], x[p][v]);
  }
}

// acc in place of h.
template <class V, int kPixels>
BNN_INLINE void DoubleHalves(const TileBase& base, IntTile<V, kPixels>& half) {
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      half[p][v] = V::TwicePlusOdd(half[p][v], V::LoadInt(base.Of(p) + v * V::kLanes));
    }
  }
}

// The general epilogue of a tile of half accumulators.
template <class V, int kPixels>
BNN_INLINE void FinishAny(const Epilogue& epilogue, const TilePlace& at, const TileBase& base, bool even_base,
                          IntTile<V, kPixels>& half) {
  if (!even_base) DoubleHalves<V, kPixels>(base, half);
  if (epilogue.bits != nullptr && epilogue.int_thresholds != nullptr) {
    const uint32_t flip = epilogue.flip[at.channel / kChannelBlock];
    if (even_base) TwiceTile<V, kPixels>(half);
    if (epilogue.planes > 1) {
      return StoreTileLevels<V, kPixels>(epilogue, at, half, epilogue.int_thresholds, flip);
    }
    typename V::Int thresholds[V::kVectors];
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      thresholds[v] = V::LoadInt(epilogue.int_thresholds + at.channel + v * V::kLanes);
    }
    StoreBits<V, kPixels>(epilogue, at, half, thresholds, flip);
    return;
  }
  FloatTile<V, kPixels> y;
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) y[p][v] = V::ToFloat(half[p][v]);
  }
  int first_step = 0;
  if (even_base) {
    if (epilogue.num_steps > 0 && epilogue.steps[0].kind == StepKind::kAffine) {
      TileAffine<V, kPixels>(epilogue.steps[0], at, 2, y);
      first_step = 1;
    } else {
      BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
        BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) y[p][v] = V::Add(y[p][v], y[p][v]);
      }
    }
  }
  FinishFloats<V, kPixels>(epilogue, at, first_step, y);
}

}  // namespace
}  // namespace bnn::kernels
