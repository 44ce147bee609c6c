// The operators of format 1.2 for model_reference.h: what model_def.h says of each, in obvious loops.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/model_def.h"
#include "tests/formats/model_reference.h"

namespace bnn::formats {

// Row-major position <-> index along each axis.
std::vector<int64_t> Unravel(int64_t position, const std::vector<int64_t>& dims);
int64_t Ravel(const std::vector<int64_t>& index, const std::vector<int64_t>& dims);

// Those unary kinds that no processor computes exactly: in double, rounded once.
float ReferenceActivation(const Unary& op, double x);
float ReferenceFakeQuantize(float x, int64_t levels, float input_low, float input_high, float output_low,
                            float output_high);

// `out` has its dims, and elements of 0.
void ReferenceConvTranspose(const ConvTranspose2d& op, const ReferenceTensor& in, const std::vector<float>& weights,
                            const std::vector<float>& bias, ReferenceTensor* out);
void ReferenceResize(const Resize2d& op, const ReferenceTensor& in, ReferenceTensor* out);
void ReferenceReduce(const Reduce& op, const ReferenceTensor& in, ReferenceTensor* out);
void ReferenceLrn(const Lrn& op, const ReferenceTensor& in, ReferenceTensor* out);
void ReferenceNormalizeL2(const NormalizeL2& op, const ReferenceTensor& in, ReferenceTensor* out);

}  // namespace bnn::formats
