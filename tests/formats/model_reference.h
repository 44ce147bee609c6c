// The executable specification of model_def.h: runs a ModelDef with obvious loops, one sample at a time. Tests compare
// the lowering and the engine with it.
//
// Sums run in double and are rounded once to float; every other operation is the float operation that model_def.h
// states. So results are exact where the sums are (integers, dyadic fractions).
#pragma once

#include <cstdint>
#include <vector>

#include "formats/model_def.h"

namespace bnn::formats {

// A tensor of one sample. Elements of kBits to kBits4 are levels, those of kInt8 and kUInt8 their integers.
struct ReferenceTensor {
  std::vector<int64_t> dims;
  std::vector<float> values;  // dense, in dims order
};

// The values of all tensors, in the order of model.tensors, for one sample. `inputs`: one for each of model.inputs,
// dense in the dims of its tensor. The model must be valid.
std::vector<ReferenceTensor> RunReference(const ModelDef& model, const std::vector<std::vector<float>>& inputs);

// The outputs alone, in the model's order.
std::vector<std::vector<float>> ReferenceOutputs(const ModelDef& model, const std::vector<std::vector<float>>& inputs);

// The elements of a blob: floats, integers, or 0 and 1.
std::vector<float> BlobValues(const Blob& blob);

}  // namespace bnn::formats
