// DetectionOutput: its attributes, its priors, and what it computes in obvious loops. The executable specification of
// the operator of the same name in model_def.h.
#pragma once

#include <cstdint>
#include <vector>

#include "bnn/status.h"
#include "formats/model_def.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {

// The attributes as the operator of a model, without priors. `dims` are those of boxes [1, ...], scores [1, priors *
// classes] and priors [1, 1 or 2, priors * (4 or 5)], which are checked. kUnsupported for a batch above 1, whose
// detections OpenVINO joins in one list.
Result<DetectionOutput> ReadDetectionOutput(const SourceNode& node, const std::vector<Dims>& dims);

// The third input as DetectionOutput::priors has it: with `normalized` 0, five numbers a prior, the last four of them
// in pixels, become parts of the image.
Result<std::vector<float>> DetectionPriors(const SourceNode& node, const Tensor& priors);

// The rows of one sample. `priors` as in the model's blob; all sizes must fit.
std::vector<float> Detect(const DetectionOutput& op, const std::vector<float>& boxes, const std::vector<float>& scores,
                          const std::vector<float>& priors, bool has_variances, int64_t rows);

}  // namespace bnn::formats
