// Concatenation of channels without copies.
//
// Dense blocks (BinaryDenseNet, MeliusNet) and blocks that double their channels (ReActNet) join maps along the channel
// axis. In NHWC each pixel of the result holds the operands side by side, so an operand can be written where it will
// lie in the result: as a tensor whose pixels are further apart. A dense block then has one map that grows, instead of
// being copied with every layer.
//
// A map of which some channels are replaced,
//
//   y = Concat(x's channels before, f(..., x's channels there), x's channels behind)
//
// is x itself, where f works in place and nobody needs the old x any more: only f is left to do. MeliusNet improves the
// newest channels of its map like this.
#pragma once

#include "engine/plan.h"

namespace bnn::engine {

// Makes operands of concatenations aliases within the result, where the steps that write and read them can do that
// (Step::takes_strided_floats); removes concatenations that have nothing left to copy. Called before tensors share
// memory in other ways but reshapes.
void JoinChannelsInPlace(Plan* plan);

}  // namespace bnn::engine
