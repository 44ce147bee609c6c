// Data types and constants of GraphDef files.
#pragma once

#include <cstdint>
#include <string>

#include "bnn/status.h"
#include "formats/importers/graphdef.pb.h"
#include "formats/tensor.h"

namespace bnn::formats {

// The type that holds the elements here; false for strings, complex numbers and other types that are not supported.
bool DTypeFromGraphdef(int32_t type, DType* result);
// TensorProto.DataType, for Cast; false as above.
bool OnnxTypeFromGraphdef(int32_t type, int64_t* result);
// "DT_FLOAT (1)", "data type 77"
std::string GraphdefTypeName(int32_t type);

// How many elements all constants of a file may have that the file does not store one by one: a list of one element
// may stand for any number of them.
inline constexpr int64_t kMaxRepeatedElements = int64_t{1} << 24;

// `what` names the tensor in messages; `repeated` counts the elements that are repeated, in all constants of a file.
Result<Tensor> TensorFromGraphdef(const graphdef::ConstantTensor& proto, const std::string& what, int64_t* repeated);

}  // namespace bnn::formats
