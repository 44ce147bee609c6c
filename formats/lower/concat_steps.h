// Elementwise steps before a concatenation of channels instead of behind it.
//
//   Concat(a, b) -> Affine(s, t)     is     Concat(Affine(s[a's channels], t[a's]) of a, the same of b)
//
// Behind a binary layer a step costs nothing, since the sum is in a register; behind a concatenation it is a pass over
// memory. ReActNet's blocks that double their channels are of this kind.
#pragma once

#include "formats/model_def.h"

namespace bnn::formats {

// Moves Affine, PRelu and Clamp nodes that alone read a concatenation of channels before it, where binary layers (and
// elementwise steps behind them) make its operands and nobody else reads those.
void MoveStepsBeforeConcat(ModelDef* model);

}  // namespace bnn::formats
