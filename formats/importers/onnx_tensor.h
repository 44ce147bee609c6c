// TensorProto -> Tensor. Whatever a file says about a tensor is checked against the bytes that it brings before memory
// is allocated for it.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "bnn/status.h"
#include "formats/tensor.h"

namespace bnn::formats {

// ONNX's element types by what holds them here; false for those that we do not read (strings, complex, 4 and 8 bit
// floats).
bool DTypeFromOnnx(int32_t data_type, DType* type);

// `what` names the tensor in messages. `folder` is where the model file lies: external data must lie in or below it.
Result<Tensor> TensorFromOnnx(const onnx::TensorProto& proto, const std::string& what, const std::string& folder);

}  // namespace bnn::formats
