// Bits of joined maps are made where the maps are.
//
//   Concat(a, b) -> Binarize(t)     is     the bits of a by t[a's channels] beside the bits of b by t[b's]
//
// A binary layer packs bits while its sums are in registers; behind the concatenation that is a pass over memory. The
// blocks of ReActNet that double their channels are of this kind.
#pragma once

#include "engine/compile/fuse.h"
#include "engine/compile/threshold_branch.h"
#include "formats/model_def.h"

namespace bnn::engine {

// Gives groups that only pack a concatenation of channels to the groups that make its operands: each writes its part of
// the bits (Group::bits_channel), where parts begin at words. Where nobody else reads the concatenation, it and the
// floats of its operands are no longer made.
void SplitBitsOfConcat(const formats::ModelDef& model, const Readers& readers, Fusion* fusion);

}  // namespace bnn::engine
