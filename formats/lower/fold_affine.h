// Scales and shifts behind a float layer become part of its weights and bias.
//
//   (sum of w * x + b) * s + t     =     sum of (w * s) * x + (b * s + t)
//
// Trained networks have a batch-norm behind most convolutions; folded, it costs nothing. The products are formed in
// double precision and rounded once, so the result differs from the two nodes by float rounding only. Binary layers
// stay as they are: their sums are exact and their epilogue does the affine step while the sum is in a register.
//
// Likewise two affine steps in a row (the scale of binary weights, then a batch-norm) become one.
//
// Nothing is folded where only bits follow: there a sum of integers may meet its threshold exactly, so each rounding of
// the source counts, and the engine turns the chain into thresholds anyway.
#pragma once

#include "formats/model_def.h"

namespace bnn::formats {

// Folds every Affine that alone reads the output of a Conv2d, Dense or Affine. The blobs that nobody uses any more
// stay.
void FoldAffineIntoLayers(ModelDef* model);

}  // namespace bnn::formats
