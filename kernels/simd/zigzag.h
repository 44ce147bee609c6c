// The order in which kernels visit elements that lie far apart in memory: from both ends inwards. ISA files only.
//
//   0, n - 1, 1, n - 2, 2, ...        as offsets of elements `stride` apart
//
// Why not upwards: on Zen 5, blocks of 128 to 512 bytes that lie 512 to 2048 bytes apart in L2 arrive at 140 GB/s, one
// line every two cycles, when an instruction advances by one constant stride. In this order, where no stride comes
// twice, they arrive at 180 to 200 GB/s; a plain sequential read of the same memory reaches 205. Random order, and
// loads with a mask, are as fast as this one, software prefetches change nothing. So it is probably the stride
// prefetcher, in competition with the loads themselves for the way from L2 to L1. Other CPUs lose nothing by this
// order.
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

struct Zigzag {
  int64_t here;   // offset of the current element
  int64_t there;  // of the next one, at the other end
  int64_t step;
};

BNN_INLINE Zigzag StartZigzag(int64_t count, int64_t stride) { return {0, (count - 1) * stride, stride}; }

BNN_INLINE void Advance(Zigzag& walk) {
  const int64_t next = walk.there;
  walk.there = walk.here + walk.step;
  walk.here = next;
  walk.step = -walk.step;
}

}  // namespace
}  // namespace bnn::kernels
