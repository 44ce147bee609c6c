// Tensors as files store them: elements of many types, little-endian, one after another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bnn/status.h"
#include "formats/tensor.h"

namespace bnn::formats {

enum class StoredType : uint8_t {
  kFloat32,
  kFloat16,
  kBfloat16,
  kFloat64,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kBool,  // a byte; anything but 0 is true
};

// Bytes of one element.
int64_t StoredBytes(StoredType type);

// The type that holds the elements here.
DType HeldType(StoredType type);

// One element of kFloat16 or kBfloat16 from its bits.
float FloatFromBits16(StoredType type, uint16_t bits);

// The tensor whose elements are `bytes`; an error where their number does not fit the dims, which must be within
// CheckDims(). `what` names the tensor in messages.
Result<Tensor> TensorFromBytes(StoredType type, const std::string& what, Dims dims, std::string_view bytes);

}  // namespace bnn::formats
