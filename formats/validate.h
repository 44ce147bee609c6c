// Checks everything that the rest of the code relies on: indices, dims, element types, op parameters, blob sizes,
// execution order, and that each node's output dims are those which its op computes.
#pragma once

#include <string_view>
#include <vector>

#include "bnn/status.h"
#include "formats/model_def.h"

namespace bnn::formats {

// kInvalidModel with "NAME: node 'X' (Op), field: found ..., expected ...". Allocates nothing proportional to a size
// that the model merely claims.
Status Validate(const ModelDef& model, std::string_view name);

// The dims of the output of `op` for inputs of these dims (one sample), or why there is none. `blobs` are the model's.
// The single place of shape rules for ModelDef: the lowering uses it to make tensors, Validate to check them.
// Checks the op's numeric parameters and the types and dims of its blobs, not their data.
// Reshape has no dims of its own (its output tensor states them): kInvalidArgument.
Result<std::vector<int64_t>> OutputDims(const Op& op, const std::vector<std::vector<int64_t>>& inputs,
                                        const std::vector<Blob>& blobs);

// The element type of the output of `op` for inputs of these types, or which type was expected instead.
// A Reshape keeps the type of its input; the other ops fix theirs.
Result<ElementType> OutputType(const Op& op, const std::vector<ElementType>& inputs);

}  // namespace bnn::formats
