#include "formats/importers/openvino_constants.h"

#include <optional>
#include <utility>

#include "formats/importers/openvino_text.h"
#include "formats/importers/stored_tensor.h"
#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

constexpr struct {
  IrElementType type;
  StoredType stored;  // of those that take whole bytes
} kElementTypes[] = {
    {{"f32", "FP32", 32, DType::kFloat32, 1}, StoredType::kFloat32},
    {{"f16", "FP16", 16, DType::kFloat32, 10}, StoredType::kFloat16},
    {{"bf16", "BF16", 16, DType::kFloat32, 16}, StoredType::kBfloat16},
    {{"f64", "FP64", 64, DType::kFloat32, 11}, StoredType::kFloat64},
    {{"i8", "I8", 8, DType::kInt64, 3}, StoredType::kInt8},
    {{"u8", "U8", 8, DType::kInt64, 2}, StoredType::kUint8},
    {{"i16", "I16", 16, DType::kInt64, 5}, StoredType::kInt16},
    {{"u16", "U16", 16, DType::kInt64, 4}, StoredType::kUint16},
    {{"i32", "I32", 32, DType::kInt64, 6}, StoredType::kInt32},
    {{"u32", "U32", 32, DType::kInt64, 12}, StoredType::kUint32},
    {{"i64", "I64", 64, DType::kInt64, 7}, StoredType::kInt64},
    {{"u64", "U64", 64, DType::kInt64, 13}, StoredType::kUint64},
    {{"boolean", "BOOL", 8, DType::kBool, 9}, StoredType::kBool},
    {{"u1", "BIN", 1, DType::kInt64, 0}, StoredType::kUint8},
    {{"i4", "I4", 4, DType::kInt64, 0}, StoredType::kInt8},
    {{"u4", "U4", 4, DType::kInt64, 0}, StoredType::kUint8},
};

StoredType StoredAs(const IrElementType& type) {
  for (const auto& entry : kElementTypes) {
    if (&entry.type == &type) return entry.stored;
  }
  return StoredType::kUint8;
}

Result<std::string> TextOf(const IrLayer& layer, const std::string& key) {
  const auto it = layer.data.find(key);
  if (it == layer.data.end()) return LayerError(layer, "attribute '" + key + "' is missing");
  return it->second;
}

Result<int64_t> CountOf(const IrLayer& layer, const std::string& key) {
  BNN_ASSIGN_OR_RETURN(const std::string text, TextOf(layer, key));
  const std::optional<int64_t> value = ParseIrInteger(text);
  if (!value || *value < 0) {
    return LayerError(layer, "attribute '" + key + "' is '" + text + "', expected a number of bytes");
  }
  return *value;
}

// u1, u4 and i4. The first of two 4-bit elements is in the low half of the byte.
Tensor UnpackBits(const IrElementType& type, StoredType stored, Dims dims, std::string_view bytes, BitOrder bit_order) {
  const auto bits = static_cast<size_t>(type.bits);
  const unsigned mask = (1U << bits) - 1;
  const int64_t sign = stored == StoredType::kInt8 ? int64_t{1} << (bits - 1) : 0;
  const bool reversed = bits == 1 && bit_order == BitOrder::kHighestFirst;
  std::vector<int64_t> values(static_cast<size_t>(CountElements(dims)));
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t shift = reversed ? 7 - i % 8 : i * bits % 8;
    const auto raw = static_cast<int64_t>((static_cast<unsigned char>(bytes[i * bits / 8]) >> shift) & mask);
    values[i] = (raw ^ sign) - sign;  // two's complement
  }
  return IntTensor(std::move(dims), std::move(values));
}

}  // namespace

const IrElementType* FindElementType(std::string_view name) {
  for (const auto& entry : kElementTypes) {
    if (EqualIgnoringCase(name, entry.type.name) || EqualIgnoringCase(name, entry.type.precision)) return &entry.type;
  }
  return nullptr;
}

Result<const IrElementType*> ElementTypeAttribute(const IrLayer& layer, const std::string& key) {
  BNN_ASSIGN_OR_RETURN(const std::string text, TextOf(layer, key));
  const IrElementType* type = FindElementType(text);
  if (type == nullptr) return LayerUnsupported(layer, "attribute '" + key + "' is '" + text + "', an unknown type");
  return type;
}

Result<Tensor> ReadConstant(const IrLayer& layer, std::string_view weights, BitOrder bit_order) {
  BNN_ASSIGN_OR_RETURN(const IrElementType* type, ElementTypeAttribute(layer, "element_type"));
  BNN_ASSIGN_OR_RETURN(const std::string shape, TextOf(layer, "shape"));
  BNN_ASSIGN_OR_RETURN(const int64_t offset, CountOf(layer, "offset"));
  BNN_ASSIGN_OR_RETURN(const int64_t size, CountOf(layer, "size"));
  const std::optional<std::vector<int64_t>> dims = ParseIrIntegers(shape);
  if (!dims) return LayerError(layer, "attribute 'shape' is '" + shape + "', expected dims");
  const std::string what = LayerLabel(layer) + ": attribute 'shape'";
  BNN_RETURN_IF_ERROR(CheckDims(what, *dims));
  const int64_t needed = (CountElements(*dims) * type->bits + 7) / 8;  // at most 2^31 elements: no overflow
  if (size != needed && needed != 0) {  // OpenVINO keeps a byte for a tensor without elements
    return LayerError(layer, "attribute 'size' is " + std::to_string(size) + ", but shape " + DimsToString(*dims) +
                                 " of " + type->name + " takes " + std::to_string(needed) + " bytes");
  }
  const auto available = static_cast<int64_t>(weights.size());
  if (offset > available || size > available - offset) {
    return LayerError(layer, "attributes 'offset' and 'size' name " + std::to_string(size) + " bytes at " +
                                 std::to_string(offset) + ", but the .bin file has " + std::to_string(available));
  }
  const std::string_view bytes = weights.substr(static_cast<size_t>(offset), static_cast<size_t>(needed));
  if (type->bits < 8) return UnpackBits(*type, StoredAs(*type), *dims, bytes, bit_order);
  return TensorFromBytes(StoredAs(*type), LayerLabel(layer), *dims, bytes);
}

}  // namespace bnn::formats
