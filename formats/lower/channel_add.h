// A map of few channels that is padded with zeros and added to a wider one changes those channels only.
//
//   x + Pad(y)     is     Concat(x's channels before, x's channels there + y, x's channels behind)
//
// (but for -0 + 0, which stays -0). An engine that writes the sum in x's place has nothing else to do: the padded map
// and the pass over all channels are gone, and the layer that makes y can add. MeliusNet's improvement blocks are of
// this kind.
#pragma once

#include "formats/model_def.h"

namespace bnn::formats {

// Rewrites every such sum behind which nobody needs x any more.
void AddInPlaceOfPadding(ModelDef* model);

}  // namespace bnn::formats
