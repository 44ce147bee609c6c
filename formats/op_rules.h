// Rules of single operators beyond shapes (output_dims.cc).
#pragma once

#include <vector>

#include "bnn/status.h"
#include "formats/model_def.h"

namespace bnn::formats {

// Enumerators, float parameters and the values of constants: a threshold is not NaN, a weight is finite, ...
// The blobs must have the sizes that their dims give, and OutputDims() must have accepted the op.
Status CheckOpValues(const Op& op, const std::vector<Blob>& blobs);

// The parameter `bits` of Binarize and Unpack.
Status CheckBits(int bits);

// A binary layer: its sums, of terms of up to 2^b - 1, are numbers that a float32 holds. OutputDims() and OutputType()
// must have accepted the op.
Status CheckBinarySums(const Op& op, const std::vector<ElementType>& inputs, const std::vector<Blob>& blobs);

// Reshape: same number of elements; of bits also the same last axis.
Status CheckReshape(ElementType type, const std::vector<int64_t>& from, const std::vector<int64_t>& to);

// The spare bits at the end of each row of a bits blob are 0.
Status CheckSpareBits(const Blob& blob);

}  // namespace bnn::formats
