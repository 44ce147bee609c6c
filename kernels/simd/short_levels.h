// Levels by integer thresholds where accumulators fit 16 bits, which they do in most layers: half as many vectors, and
// subtractions instead of comparisons. ISA files only.
//
// A level of 4 bits takes 15 thresholds, and at 3x3 over 64 channels that is as much as counting one of the planes
// below it. Per 32 channels of a pixel, where V::Short has that many lanes:
//
//   y - t         with saturation, which keeps the sign: 1 where a threshold is missed. 15 operations, t from L1.
//   XOR           of the signs at the multiples of 2^i, as in levels.h; where an instruction XORs three, 7 operations.
//   sign bits     to a word a plane: 4
//
// With comparisons of 32 bits it is 30 comparisons, 28 XORs and 8 words, most of them in mask registers, of which one
// or two a cycle are possible.
//
// The thresholds are halved (half accumulators, epilogue_tile.h) and narrowed once for a group of channel blocks, into
// a buffer that stays in L1. That takes as
// long as it saves on two to five pixels.
//
// V supplies Short, kShorts (vectors of 32 channels), and of these: Narrow (two or more Int, with saturation, in an
// order of its own), LoadShort, StoreShort, SubSaturated, Xor, and SignsToWord, which restores the order of channels.
#pragma once

#include <cstdint>

#include "kernels/simd/epilogue_tile.h"
#include "kernels/simd/inline.h"
#include "kernels/simd/levels.h"
#include "kernels/simd/pixel_finish.h"

namespace bnn::kernels {
namespace {

template <class V>
concept HasShorts = requires {
  typename V::Short;
};

inline constexpr int64_t kShortThresholds = 128;  // of 32 channels each: 8 KB
inline constexpr int64_t kMinShortPixels = 8;     // that make up for narrowing the thresholds
inline constexpr int64_t kMaxShortAcc = 65532;    // whose half is not yet the largest number of 16 bits

// Even base, accumulators of at most kMaxShortAcc, levels leave by integer thresholds.
struct ShortLevels {};

// An epilogue whose thresholds were narrowed: [block][level][32], from block `first_block` on.
struct ShortLevelEpilogue : Epilogue {
  const int16_t* short_thresholds;
  int64_t first_block;
};

// The epilogue that a finish is made from.
template <class Finish>
struct EpilogueFor {
  using Type = Epilogue;
};
template <>
struct EpilogueFor<ShortLevels> {
  using Type = ShortLevelEpilogue;
};
template <class Finish>
using EpilogueOf = typename EpilogueFor<Finish>::Type;

// The blocks whose thresholds fit the buffer.
BNN_INLINE int64_t ShortLevelBlocks(int planes) { return kShortThresholds / HighestLevel(planes); }

template <class V>
void NarrowThresholds(const Epilogue& epilogue, int64_t block_begin, int64_t block_end, int16_t* to) {
  for (int64_t block = block_begin; block < block_end; ++block) {
    for (int j = 0; j < HighestLevel(epilogue.planes); ++j, to += kChannelBlock) {
      const int32_t* const from = epilogue.int_thresholds + j * epilogue.threshold_stride + block * kChannelBlock;
      typename V::Int thresholds[V::kVectors];
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) thresholds[v] = V::HalfUp(V::LoadInt(from + v * V::kLanes));
      typename V::Short narrow[V::kShorts];
      V::Narrow(thresholds, narrow);
      V::StoreShort(to, narrow);
    }
  }
}

// Stores the levels of 32 channels of a pixel. `thresholds`: [level][32].
template <class V, int kPlanes>
BNN_INLINE void StoreShortLevels(const typename V::Short (&y)[V::kShorts], const int16_t* thresholds,
                                 const LevelsPlace& place) {
  constexpr int kTop = 1 << (kPlanes - 1);
  const auto missed = [&](int level, typename V::Short(&signs)[V::kShorts]) BNN_INLINE_LAMBDA {
    V::LoadShort(thresholds + (level - 1) * kChannelBlock, signs);
    BNN_UNROLL for (int s = 0; s < V::kShorts; ++s) signs[s] = V::SubSaturated(y[s], signs[s]);
  };
  typename V::Short marks[V::kShorts];
  missed(kTop, marks);
  uint32_t* word = place.word + (kPlanes - 1) * place.plane_step;
  *word = (V::SignsToWord(marks) ^ place.flip) & place.lanes;
  BNN_UNROLL for (int step = kTop / 2; step > 0; step /= 2) {
    BNN_UNROLL for (int level = step; level < 2 * kTop; level += 4 * step) {
      typename V::Short odd[V::kShorts], next_odd[V::kShorts];
      missed(level, odd);
      missed(level + 2 * step, next_odd);
      BNN_UNROLL for (int s = 0; s < V::kShorts; ++s) marks[s] = V::Xor(marks[s], odd[s], next_odd[s]);
    }
    word -= place.plane_step;
    *word = (V::SignsToWord(marks) ^ place.flip) & place.lanes;
  }
}

template <class V, int kPixels>
class TileFinish<V, kPixels, ShortLevels> {
 public:
  BNN_INLINE TileFinish(const ShortLevelEpilogue& epilogue, const TilePlace& at, bool)
      : thresholds_(epilogue.short_thresholds),
        first_block_(epilogue.first_block),
        flips_(epilogue.flip),
        row_(epilogue.bits + TileOffset(epilogue.bits_strides, at)),
        pixel_step_(epilogue.bits_strides.pixel),
        plane_step_(epilogue.bits_strides.plane),
        planes_(epilogue.planes) {}

  BNN_INLINE void Run(const TilePlace& at, const TileBase&, const IntTile<V, kPixels>& half) const {
    static_assert(kMaxPlanes == 4);
    if (planes_ == 2) {
      Store<2>(at, half);
    } else if (planes_ == 3) {
      Store<3>(at, half);
    } else {
      Store<4>(at, half);
    }
  }

 private:
  template <int kPlanes>
  BNN_INLINE void Store(const TilePlace& at, const IntTile<V, kPixels>& half) const {
    const int64_t block = at.channel / kChannelBlock;
    const int16_t* const thresholds = thresholds_ + (block - first_block_) * HighestLevel(kPlanes) * kChannelBlock;
    LevelsPlace place = {row_ + block, plane_step_, ~flips_[block], at.lanes};
    BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
      typename V::Short y[V::kShorts];
      V::Narrow(half[p], y);
      StoreShortLevels<V, kPlanes>(y, thresholds, place);
      place.word += pixel_step_;
      __asm__("" : "+r"(place.word));
    }
  }

  const int16_t* thresholds_;
  int64_t first_block_;
  const uint32_t* flips_;
  uint32_t* row_;
  int64_t pixel_step_, plane_step_;
  int planes_;
};

}  // namespace
}  // namespace bnn::kernels
