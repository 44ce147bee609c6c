// Where the elements of a resized tensor come from, for any axis of a source's Resize.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {

struct ResizedAxis {
  int64_t in = 0, out = 0;
  int64_t size = 0;  // as given; 0: by scale
  float scale = 1;   // out / in where the size is given
};

// All axes of x, from `scales` or `sizes` (nullptr where absent; one of them is given).
Result<std::vector<ResizedAxis>> ResizedAxes(const SourceNode& node, const Dims& x, const Tensor* scales,
                                             const Tensor* sizes);

}  // namespace bnn::formats
