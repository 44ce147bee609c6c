// The entry run of a dense layer whose instruction set counts bits faster than memory brings them: a single row is then
// bound by reading weights, and has loops of its own. ISA files only.
//
// A row uses every weight once. Through the loops for tiles (kernels/simd/binary_loops.h) a word of input costs 5
// accesses to L1: its broadcast, two lines of weights and two prefetches. At 2 a cycle on Zen 5 that is 2.5 cycles, and
// L2 brings two lines in 2.7: neither hides the other, and 512 -> 1000 ran at 72 % of the speed of reading. Here blocks
// from both halves of the layer are counted together, so that one broadcast serves four lines: 4.5 cycles for what
// takes L2 5.4, and 86 (floats) to 98 % (bits) of reading.
//
// Two streams that lie far apart and are both read without gaps, in a loop over the words: on Zen 5 loads of one
// instruction that advance by 512 to 2048 bytes a turn (an unrolled block, neighbouring blocks side by side) halve the
// bandwidth of L2 (kernels/bitpack/bitpack_tiles.h), so keeping the whole row in registers is slower, though it saves
// the broadcasts.
//
// Input of several planes passes beside the same lines of weights, which are loaded once for all of them: 4 planes of
// 1024 -> 1024 to floats take 2.0 times as long as one, instead of 3.0 plane by plane.
//
// A layer of 64 KB takes 0.4 microseconds, so nothing is made in advance of the loop that it does not need.
//
// Counter supplies, besides what kernels/simd/counter.h says, for packed weights in blocked order
//   CountStreams<kStreams, kPlanes>(row, weights, apart, start, halves)
//                  halves[s] = start - the numbers of bits that differ between the row's input and the weights of the
//                  channel block `s * apart` words behind `weights`; those of plane i weigh 2^i
#pragma once

#include "kernels/bdense/bdense_tiles.h"

namespace bnn::kernels {
namespace {

// The finish of a block of one row.
template <class V, class Finish>
class RowFinish {
 public:
  BNN_INLINE RowFinish(const Epilogue& epilogue, const TilePlace& at, bool) : finish_(epilogue, at) {}

  BNN_INLINE void Run(const TilePlace& at, const TileBase&, const IntTile<V, 1>& half) {
    finish_.Start(at.channel, at.lanes);
    finish_.Finish(half[0]);
  }

 private:
  PixelFinish<V, Finish> finish_;
};

template <class V>
class RowFinish<V, AnyFinish> {
 public:
  BNN_INLINE RowFinish(const Epilogue& epilogue, const TilePlace&, bool even_base)
      : epilogue_(epilogue), even_base_(even_base) {}

  BNN_INLINE void Run(const TilePlace& at, const TileBase& base, IntTile<V, 1>& half) const {
    FinishAny<V, 1>(epilogue_, at, base, even_base_, half);
  }

 private:
  const Epilogue& epilogue_;
  bool even_base_;
};

// What all blocks of a row share.
struct OneRow {
  const uint32_t* in;  // of plane 0
  int64_t plane_step;  // words
  int planes;
  const uint32_t* weights;  // of block 0
  int64_t words;            // of input, of a plane
  int64_t last_block;
  uint32_t last_lanes;
  int32_t base;  // the constant of every accumulator (kernels/bconv2d/bconv2d.h)
  Tuning tuning;

  BNN_INLINE const uint32_t* WeightsOf(int64_t block) const { return weights + block * words * kChannelBlock; }
  BNN_INLINE uint32_t LanesOf(int64_t block) const { return block == last_block ? last_lanes : kAllLanes; }
};

template <class Counter, int kStreams>
BNN_NOINLINE void CountPlanes(const OneRow& row, const uint32_t* weights, int64_t apart, int32_t start,
                              IntTile<typename Counter::Vector, 1> (&halves)[kStreams]) {
  static_assert(kMaxPlanes == 4);
  if (row.planes == 2) {
    Counter::template CountStreams<kStreams, 2>(row, weights, apart, start, halves);
  } else if (row.planes == 3) {
    Counter::template CountStreams<kStreams, 3>(row, weights, apart, start, halves);
  } else {
    Counter::template CountStreams<kStreams, 4>(row, weights, apart, start, halves);
  }
}

// Blocks first, first + apart, ... kStreams of them.
template <class Counter, int kStreams, class Finish>
BNN_INLINE void RunStreams(const OneRow& row, TilePlace place, const TileBase& base, int64_t first, int64_t apart,
                           Finish& finish) {
  using V = typename Counter::Vector;
  IntTile<V, 1> halves[kStreams];
  const uint32_t* const weights = row.WeightsOf(first);
  const int64_t apart_words = apart * row.words * kChannelBlock;
  if (row.planes == 1) {
    Counter::template CountStreams<kStreams, 1>(row, weights, apart_words, row.base / 2, halves);
  } else {
    CountPlanes<Counter, kStreams>(row, weights, apart_words, row.base / 2, halves);
  }
  BNN_UNROLL for (int s = 0; s < kStreams; ++s) {
    const int64_t block = first + s * apart;
    place.channel = block * kChannelBlock;
    place.lanes = row.LanesOf(block);
    finish.Run(place, base, halves[s]);
  }
}

template <class Counter, class Finish>
BNN_NOINLINE void RunRowBlocks(OneRow row, const Epilogue& epilogue, int64_t pixel, int64_t begin, int64_t end) {
  using V = typename Counter::Vector;
  const bool even_base = row.base % 2 == 0;
  alignas(64) int32_t constants[kChannelBlock];
  if (!even_base) {
    for (int32_t& constant : constants) constant = row.base;
  }
  const TileBase base = {constants, 0, nullptr};
  const TilePlace place = {0, 0, pixel, 0, kAllLanes};
  RowFinish<V, Finish> finish(epilogue, place, even_base);
  const int64_t half = (end - begin) / 2;
  for (int64_t block = begin; block < begin + half; ++block) {
    RunStreams<Counter, 2>(row, place, base, block, half, finish);
  }
  if (begin + 2 * half < end) RunStreams<Counter, 1>(row, place, base, end - 1, 0, finish);
}

// Blocks whose last one lacks channels are finished by the general epilogue, if floats leave: it alone can store some
// of the lanes.
template <class Counter, Tuning kTuning>
void RunBDenseRowOrTiles(const BDenseShape& shape, const BDenseArgs& args) {
  const int64_t pixel = args.row_begin;
  if (args.row_end - pixel != 1) return RunBDenseTiles<Counter, kTuning>(shape, args);
  OneRow row;
  row.in = args.in + pixel * args.in_row_stride;
  row.plane_step = args.in_plane_stride;
  row.planes = shape.planes;
  row.weights = args.weights;
  row.words = WordsFor(shape.in_features);
  row.last_block = PaddedChannels(shape.out_features) / kChannelBlock - 1;
  row.last_lanes = TailMask(shape.out_features);
  row.base = static_cast<int32_t>(shape.max_acc());
  row.tuning = kTuning;
  const auto run = [&](int64_t begin, int64_t end) BNN_INLINE_LAMBDA {
    if (begin == end) return;
    WithFinish<DenseChains>(args.epilogue, row.base % 2 == 0, row.LanesOf(end - 1), [&](auto finish) BNN_INLINE_LAMBDA {
      RunRowBlocks<Counter, decltype(finish)>(row, args.epilogue, pixel, begin, end);
    });
  };
  const bool has_short_block = args.block_end > row.last_block && row.last_lanes != kAllLanes;
  const int64_t cut = has_short_block && args.epilogue.out != nullptr ? row.last_block : args.block_end;
  run(args.block_begin, cut);
  run(cut, args.block_end);
}

}  // namespace
}  // namespace bnn::kernels
