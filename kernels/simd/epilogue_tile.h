// The epilogue of kernels/epilogue.h over a register tile: kPixels neighbouring pixels times 32 channels. Written once;
// the vector wrapper V (kernels/x86/vec_*.h) turns it into the code of one instruction set. Included by ISA files only,
// hence the anonymous namespace: nothing here may become a symbol that another file could link to.
//
// Each step is one switch and then straight code over the whole tile, so that the cost of interpreting the list is
// spread over 32 * kPixels elements. Within a step, the parameters of a vector of channels are loaded once and used for
// every pixel.
//
// V supplies: Float, Int, Mask (vectors of kLanes elements and a comparison's result), kLanes, kVectors = 32 / kLanes;
// Load, LoadPart, Store, StorePart (of the lanes whose bit is set; the others are not touched in memory), Splat, Fma,
// Mul, Add, Less, Select, AtLeast (as bits, false for NaN); LoadInt, Zero, Sub2 (a - 2 * b), ToFloat.
#pragma once

#include <cstdint>

#include "kernels/epilogue.h"
#include "kernels/simd/inline.h"

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

inline constexpr uint32_t kAllLanes = ~uint32_t{0};

template <class V, int kPixels>
using FloatTile = typename V::Float[kPixels][V::kVectors];
template <class V, int kPixels>
using IntTile = typename V::Int[kPixels][V::kVectors];

BNN_INLINE int64_t TileOffset(const Strides& strides, const TilePlace& at) {
  return at.image * strides.image + at.row * strides.row + at.col * strides.pixel;
}

template <class V, int kPixels>
BNN_INLINE void TileAffine(const EpilogueStep& step, const TilePlace& at, FloatTile<V, kPixels>& y) {
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
    const typename V::Float scale = V::Load(step.a + at.channel + v * V::kLanes);
    const typename V::Float bias = V::Load(step.b + at.channel + v * V::kLanes);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) y[p][v] = V::Fma(y[p][v], scale, bias);
  }
}

template <class V, int kPixels>
BNN_INLINE void TilePRelu(const EpilogueStep& step, const TilePlace& at, FloatTile<V, kPixels>& y) {
  const typename V::Float zero = V::Splat(0.0f);
  BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
    const typename V::Float slope = V::Load(step.a + at.channel + v * V::kLanes);
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      y[p][v] = V::Select(V::Less(y[p][v], zero), V::Mul(y[p][v], slope), y[p][v]);
    }
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
BNN_INLINE void TileSteps(const Epilogue& epilogue, const TilePlace& at, FloatTile<V, kPixels>& y) {
  for (int s = 0; s < epilogue.num_steps; ++s) {
    const EpilogueStep& step = epilogue.steps[s];
    switch (step.kind) {
      case StepKind::kAffine:
        TileAffine<V, kPixels>(step, at, y);
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
  float* out = epilogue.out + TileOffset(epilogue.out_strides, at) + at.channel;
  if (at.lanes == kAllLanes) {
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        V::Store(out + p * epilogue.out_strides.pixel + v * V::kLanes, y[p][v]);
      }
    }
    return;
  }
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      V::StorePart(out + p * epilogue.out_strides.pixel + v * V::kLanes, at.lanes >> (v * V::kLanes), y[p][v]);
    }
  }
}

// The bits of a pixel: one word, lane i of the block in bit i. `flip` is XORed before the spare bits are cleared.
template <class V, int kPixels, class Vector>
BNN_INLINE void StoreBits(const Epilogue& epilogue, const TilePlace& at, const Vector (&y)[kPixels][V::kVectors],
                          const Vector (&thresholds)[V::kVectors], uint32_t flip) {
  uint32_t* bits = epilogue.bits + TileOffset(epilogue.bits_strides, at) + at.channel / kChannelBlock;
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    uint32_t word = 0;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) word |= V::AtLeast(y[p][v], thresholds[v]) << (v * V::kLanes);
    bits[p * epilogue.bits_strides.pixel] = (word ^ flip) & at.lanes;
  }
}

// Steps and outputs of a tile that starts as floats.
template <class V, int kPixels>
BNN_INLINE void FinishFloats(const Epilogue& epilogue, const TilePlace& at, FloatTile<V, kPixels>& y) {
  TileSteps<V, kPixels>(epilogue, at, y);
  if (epilogue.out != nullptr) StoreFloats<V, kPixels>(epilogue, at, y);
  if (epilogue.bits != nullptr) {
    typename V::Float thresholds[V::kVectors];
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      thresholds[v] = V::Load(epilogue.thresholds + at.channel + v * V::kLanes);
    }
    StoreBits<V, kPixels>(epilogue, at, y, thresholds, 0);
  }
}

// The whole epilogue of a tile of popcounts: acc = base - 2 * count, then steps and outputs. base[p] are the block's 32
// constants for pixel p.
template <class V, int kPixels>
BNN_INLINE void FinishCounts(const Epilogue& epilogue, const TilePlace& at, const int32_t* const (&base)[kPixels],
                             const IntTile<V, kPixels>& count) {
  IntTile<V, kPixels> acc;
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      acc[p][v] = V::Sub2(V::LoadInt(base[p] + v * V::kLanes), count[p][v]);
    }
  }
  if (epilogue.bits != nullptr && epilogue.int_thresholds != nullptr) {
    typename V::Int thresholds[V::kVectors];
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      thresholds[v] = V::LoadInt(epilogue.int_thresholds + at.channel + v * V::kLanes);
    }
    StoreBits<V, kPixels>(epilogue, at, acc, thresholds, epilogue.flip[at.channel / kChannelBlock]);
    return;
  }
  FloatTile<V, kPixels> y;
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) y[p][v] = V::ToFloat(acc[p][v]);
  }
  FinishFloats<V, kPixels>(epilogue, at, y);
}

}  // namespace
}  // namespace bnn::kernels
