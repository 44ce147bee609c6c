// The dims of what the operators of an SSD's head make: all that shape inference knows of them.
#pragma once

#include <vector>

#include "bnn/status.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {

// Of PriorBox and PriorBoxClustered, which make default boxes from map and image size ({height, width}) alone: [2, 4 *
// boxes], boxes {xmin, ymin, xmax, ymax} as parts of the image, then their variances.
Result<Dims> PriorBoxDims(const SourceNode& node, const Tensor& map, const Tensor& image);

// Of DetectionOutput, whose inputs have `dims`: [1, 1, rows, 7].
Result<Dims> DetectionOutputDims(const SourceNode& node, const std::vector<Dims>& dims);

}  // namespace bnn::formats
