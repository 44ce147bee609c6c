// A model at other input sizes.
#pragma once

#include <cstdint>
#include <vector>

#include "bnn/status.h"
#include "formats/model_def.h"

namespace bnn::formats {

// The valid `model` with inputs of these dims (one sample, in the model's order): all tensors get the dims that follow.
// The data of blobs are not looked at.
//
// A file says what its network computes at one size. Where its source might have computed something else at another
// size, that is an error, never a guess:
//  * A convolution or pooling with stride s: its input may grow or shrink by multiples of s. Then padding that the
//    source derived from the size (auto_pad, TensorFlow's SAME, ceil_mode) stays the same.
//  * Pooling over the whole map (Window2d::whole_map) stays that.
//  * A slice takes an axis whole, and takes it whole afterwards; other cuts need the axis to keep its size.
//  * A reshape that merges axes (Flatten) merges them afterwards; what it splits has to keep its size.
//  * All else follows from OutputDims: a dense layer, for instance, needs as many inputs as it has weights.
// Errors are kInvalidArgument and name the input or node.
Result<ModelDef> Resize(const ModelDef& model, const std::vector<std::vector<int64_t>>& input_dims);

}  // namespace bnn::formats
