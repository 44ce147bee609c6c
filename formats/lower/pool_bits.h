// Max-pooling after the threshold instead of before.
//
//   x -> MaxPool -> (increasing steps) -> Binarize     is     x -> (the same steps) -> Binarize -> BMaxPool
//
// since an increasing function takes the maximum to the maximum: some value of the window is at least the threshold
// exactly if the largest is. Floats are then binarized where they are made, a thirty-second of the memory is pooled,
// and the thresholds join the layer before.
#pragma once

#include "formats/model_def.h"

namespace bnn::formats {

// Rewrites every MaxPool all of whose readers lead to bits like that.
void PoolBits(ModelDef* model);

}  // namespace bnn::formats
