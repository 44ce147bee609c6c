// The element types of an IR and its constants, which lie in a .bin file beside the .xml.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bnn/status.h"
#include "formats/importers/openvino_net.h"
#include "formats/tensor.h"

namespace bnn::formats {

struct IrElementType {
  const char* name;       // "f32": what attributes call it
  const char* precision;  // "FP32": what ports call it
  int bits;               // of one element in the .bin
  DType held;
  int32_t onnx;  // what Cast calls it (onnx::TensorProto::DataType); 0: nothing can be cast to it
};

// By either name, without regard to case: "u1", "U1" and "BIN" are one type. nullptr where it is not known.
const IrElementType* FindElementType(std::string_view name);

// The attribute `key` of a layer as an element type.
Result<const IrElementType*> ElementTypeAttribute(const IrLayer& layer, const std::string& key);

// Which bit of a byte holds the first of eight u1 elements. OpenVINO's BinaryConvolution reads its weights from the
// lowest bit on, all its other operators (Convert) read u1 tensors from the highest bit on.
enum class BitOrder : uint8_t { kHighestFirst, kLowestFirst };

// The tensor of a Const layer: attributes element_type, shape, offset and size, all checked against each other and
// against `weights`, the bytes of the .bin. u1 and integers become int64, bits as 0 and 1. Elements of less than a byte
// follow each other without gaps.
Result<Tensor> ReadConstant(const IrLayer& layer, std::string_view weights, BitOrder bit_order);

}  // namespace bnn::formats
