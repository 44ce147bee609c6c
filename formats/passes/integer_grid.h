// Constants that are multiples of a step: the weights of int8 layers.
//
// Sources write quantized weights in many ways (DequantizeLinear of an int8 constant, FakeQuantize of a float one, a
// cast, a subtraction and a multiplication), and all of them fold to floats w = scale[c] * k. What matters is whether
// floats are of that kind, not how they became it.
#pragma once

#include <cstdint>
#include <vector>

#include "bnn/status.h"

namespace bnn::formats {

// weights[c][i] = scales[c] * integers[c][i], as exactly as floats allow. A channel of zeros has scale 1.
struct IntegerGrid {
  std::vector<float> scales;
  std::vector<int8_t> integers;
};

// The grid of weights that lie as rows of one output channel each, or kUnsupported with the first weight that is on
// none.
Result<IntegerGrid> FindIntegerGrid(const std::vector<float>& weights, int64_t rows);

}  // namespace bnn::formats
