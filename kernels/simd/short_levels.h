// Levels by integer thresholds where accumulators fit 16 bits, which they do in most layers: half as many vectors. ISA
// files only.
//
// Instruction sets whose comparisons write mask registers find a level by halving (FindLevels, kernels/simd/levels.h):
// per 32 channels of a pixel, where V::Short has that many lanes, bits of 4 planes are 4 comparisons and 7 + 3 + 1
// choices between two thresholds. The others compare with all 15 and XOR (AVX2 on Zen 5: its choices by vpblendvb make
// halving a tenth slower).
//
// The thresholds are halved (half accumulators, epilogue_tile.h) and narrowed once for a group of channel blocks, into
// a buffer that stays in L1. That takes as long as it saves on two to five pixels. Where half accumulators are counted
// less a rest that all share (balance.h), the thresholds are less that rest, too.
//
// V supplies Short and ShortMask, kShortLanes, kShorts (vectors of 32 channels), and of these: Narrow (kVectors Int,
// each of which fits, in an order of its own), NarrowSaturated (the same of any), LoadShort, StoreShort, IsAtLeast, and
// ToWord, which restores the order of channels; kHalving, and then Select, else Xor of masks.
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

// Even base, accumulators of at most kMaxShortAcc, levels of kPlanes bits leave by integer thresholds.
template <int kPlanes>
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
template <int kPlanes>
struct EpilogueFor<ShortLevels<kPlanes>> {
  using Type = ShortLevelEpilogue;
};
template <class Finish>
using EpilogueOf = typename EpilogueFor<Finish>::Type;

// `rest`: what the half accumulators that meet the thresholds lack.
template <class V>
BNN_NOINLINE void NarrowThresholds(const Epilogue& epilogue, int64_t block_begin, int64_t block_end, int32_t rest,
                                   int16_t* to) {
  const typename V::Int less = V::SplatInt(-rest);
  for (int64_t block = block_begin; block < block_end; ++block) {
    for (int j = 0; j < HighestLevel(epilogue.planes); ++j, to += kChannelBlock) {
      const int32_t* const from = epilogue.int_thresholds + j * epilogue.threshold_stride + block * kChannelBlock;
      typename V::Int thresholds[V::kVectors];
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
        thresholds[v] = V::Add(V::HalfUp(V::LoadInt(from + v * V::kLanes)), less);
      }
      typename V::Short narrow[V::kShorts];
      V::NarrowSaturated(thresholds, narrow);
      BNN_UNROLL for (int s = 0; s < V::kShorts; ++s) V::StoreShort(to + s * V::kShortLanes, narrow[s]);
    }
  }
}

// FindLevels without choices, as kernels/epilogue.h derives it: bit i is the XOR at all multiples of 2^i, which are
// those of bit i + 1 and the odd ones. `thresholds`: [level][32] in memory, each used once.
template <class V, int kPlanes>
BNN_INLINE void FindLevelsByXor(typename V::Short y, const int16_t* thresholds, typename V::ShortMask* planes) {
  constexpr int kMiddle = (1 << (kPlanes - 1)) - 1;
  planes[kPlanes - 1] = V::IsAtLeast(y, V::LoadShort(thresholds + kMiddle * kChannelBlock));
  BNN_UNROLL for (int i = kPlanes - 2; i >= 0; --i) {
    planes[i] = planes[i + 1];
    BNN_UNROLL for (int level = 1 << i; level < 1 << kPlanes; level += 2 << i) {
      planes[i] = V::Xor(planes[i], V::IsAtLeast(y, V::LoadShort(thresholds + (level - 1) * kChannelBlock)));
    }
  }
}

template <class V, int kPlanes>
class PixelFinish<V, ShortLevels<kPlanes>> {
 public:
  BNN_INLINE PixelFinish(const ShortLevelEpilogue& epilogue, const TilePlace& at)
      : short_thresholds_(epilogue.short_thresholds),
        first_block_(epilogue.first_block),
        flips_(epilogue.flip),
        out_(epilogue.bits, epilogue.bits_strides, at),
        plane_step_(epilogue.bits_strides.plane) {}

  BNN_INLINE void Start(int64_t channel, uint32_t lanes) {
    const int64_t block = channel / kChannelBlock;
    const int16_t* const from = short_thresholds_ + (block - first_block_) * kLevels * kChannelBlock;
    lanes_ = lanes;
    flip_ = flips_[block];
    out_.Start(block);
    from_ = from;
    if constexpr (V::kHalving) {
      BNN_UNROLL for (int j = 0; j < kLevels; ++j) {
        BNN_UNROLL for (int s = 0; s < V::kShorts; ++s) {
          thresholds_[s][j] = V::LoadShort(from + j * kChannelBlock + s * V::kShortLanes);
        }
      }
    }
  }

  BNN_INLINE void Finish(const typename V::Int (&half)[V::kVectors]) {
    typename V::Short y[V::kShorts];
    V::Narrow(half, y);
    Finish(y);
  }

  BNN_INLINE void Finish(const typename V::Short (&y)[V::kShorts]) {
    typename V::ShortMask planes[V::kShorts][kPlanes];
    BNN_UNROLL for (int s = 0; s < V::kShorts; ++s) {
      if constexpr (V::kHalving) {
        FindLevels<V, kPlanes>(y[s], thresholds_[s], planes[s]);
      } else {
        FindLevelsByXor<V, kPlanes>(y[s], from_ + s * V::kShortLanes, planes[s]);
      }
    }
    uint32_t* word = out_.Here();
    BNN_UNROLL for (int i = 0; i < kPlanes; ++i) {
      typename V::ShortMask plane[V::kShorts];
      BNN_UNROLL for (int s = 0; s < V::kShorts; ++s) plane[s] = planes[s][i];
      *word = (V::ToWord(plane) ^ flip_) & lanes_;
      word += plane_step_;
    }
    out_.Next();
  }

 private:
  static constexpr int kLevels = (1 << kPlanes) - 1;

  const int16_t* short_thresholds_;
  int64_t first_block_;
  const uint32_t* flips_;
  PixelWalk<uint32_t> out_;
  int64_t plane_step_;
  uint32_t lanes_, flip_;
  const int16_t* from_;  // the thresholds of the block
  typename V::Short thresholds_[V::kShorts][kLevels];
};

}  // namespace
}  // namespace bnn::kernels
