// Constants that hold two values: the weights of binary layers.
#pragma once

#include <cstddef>
#include <vector>

#include "bnn/status.h"
#include "formats/tensor.h"

namespace bnn::formats {

// One r >= 0 for each index of the output channel axis: every weight of that channel is +r or -r.
using WeightMagnitudes = std::vector<float>;

// kUnsupported with what was found where some channel holds anything else than {-r, +r}. A channel of zeros has r = 0.
Result<WeightMagnitudes> SymmetricMagnitudes(const Tensor& weights, size_t axis);

}  // namespace bnn::formats
