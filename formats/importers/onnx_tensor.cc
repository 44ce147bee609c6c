#include "formats/importers/onnx_tensor.h"

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <vector>

#include "formats/importers/stored_tensor.h"
#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

using onnx::TensorProto;

// Where a type's elements lie when they do not lie in raw_data.
enum class TypedField { kFloat, kInt32, kInt64, kDouble, kUint64 };

struct ElementType {
  int32_t code;
  StoredType stored;
  TypedField field;
};

constexpr ElementType kElementTypes[] = {
    {TensorProto::FLOAT, StoredType::kFloat32, TypedField::kFloat},
    {TensorProto::UINT8, StoredType::kUint8, TypedField::kInt32},
    {TensorProto::INT8, StoredType::kInt8, TypedField::kInt32},
    {TensorProto::UINT16, StoredType::kUint16, TypedField::kInt32},
    {TensorProto::INT16, StoredType::kInt16, TypedField::kInt32},
    {TensorProto::INT32, StoredType::kInt32, TypedField::kInt32},
    {TensorProto::INT64, StoredType::kInt64, TypedField::kInt64},
    {TensorProto::BOOL, StoredType::kBool, TypedField::kInt32},
    {TensorProto::FLOAT16, StoredType::kFloat16, TypedField::kInt32},
    {TensorProto::DOUBLE, StoredType::kFloat64, TypedField::kDouble},
    {TensorProto::UINT32, StoredType::kUint32, TypedField::kUint64},
    {TensorProto::UINT64, StoredType::kUint64, TypedField::kUint64},
    {TensorProto::BFLOAT16, StoredType::kBfloat16, TypedField::kInt32},
};

const ElementType* FindElementType(int32_t code) {
  for (const ElementType& type : kElementTypes) {
    if (type.code == code) return &type;
  }
  return nullptr;
}

int64_t TypedCount(const TensorProto& proto, TypedField field) {
  switch (field) {
    case TypedField::kFloat:
      return proto.float_data_size();
    case TypedField::kInt32:
      return proto.int32_data_size();
    case TypedField::kInt64:
      return proto.int64_data_size();
    case TypedField::kDouble:
      return proto.double_data_size();
    case TypedField::kUint64:
      return proto.uint64_data_size();
  }
  return 0;
}

Result<Tensor> FromTypedFields(const TensorProto& proto, const ElementType& element, const std::string& what, Dims dims,
                               int64_t count) {
  if (TypedCount(proto, element.field) != count) {
    return InvalidModel(what + " of dims " + DimsToString(dims) + " needs " + std::to_string(count) +
                        " elements, the file holds " + std::to_string(TypedCount(proto, element.field)));
  }
  Tensor tensor;
  tensor.type = HeldType(element.stored);
  tensor.dims = std::move(dims);
  switch (element.field) {
    case TypedField::kFloat:
      tensor.floats.assign(proto.float_data().begin(), proto.float_data().end());
      break;
    case TypedField::kDouble:
      for (const double value : proto.double_data()) tensor.floats.push_back(static_cast<float>(value));
      break;
    case TypedField::kInt64:
      tensor.integers.assign(proto.int64_data().begin(), proto.int64_data().end());
      break;
    case TypedField::kUint64:
      for (const uint64_t value : proto.uint64_data()) {
        if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
          return Unsupported(what + " holds an unsigned value above 2^63");
        }
        tensor.integers.push_back(static_cast<int64_t>(value));
      }
      break;
    case TypedField::kInt32:
      for (const int32_t value : proto.int32_data()) {
        if (tensor.type == DType::kFloat32) {
          tensor.floats.push_back(FloatFromBits16(element.stored, static_cast<uint16_t>(value)));
        } else {
          tensor.integers.push_back(tensor.type == DType::kBool ? static_cast<int64_t>(value != 0) : value);
        }
      }
      break;
  }
  return tensor;
}

bool ParseNumber(const std::string& text, int64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= 0;
}

// The bytes of a tensor that lie in a file of their own. The location is relative to the model and may not leave its
// folder, by ".." or by a symbolic link.
Result<std::string> ReadExternal(const TensorProto& proto, const std::string& what, const std::string& folder,
                                 int64_t expected_bytes) {
  std::string location;
  int64_t offset = 0;
  int64_t length = expected_bytes;
  for (const auto& entry : proto.external_data()) {
    bool fits = true;
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") fits = ParseNumber(entry.value(), &offset);
    if (entry.key() == "length") fits = ParseNumber(entry.value(), &length);
    if (!fits) return InvalidModel(what + ": external data: " + entry.key() + " is '" + entry.value() + "'");
  }
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path root = fs::weakly_canonical(folder.empty() ? fs::path(".") : fs::path(folder), error);
  const fs::path target = error ? fs::path() : fs::weakly_canonical(root / location, error);
  const fs::path relative = error ? fs::path() : target.lexically_relative(root);
  if (error || location.empty() || location.find('\0') != std::string::npos || fs::path(location).is_absolute() ||
      relative.empty() || *relative.begin() == "..") {
    return InvalidModel(what + ": external data at '" + location + "' lies outside of the model's folder");
  }
  if (!fs::is_regular_file(target, error)) return IoError(what + ": external data '" + location + "' is no file");
  const auto size = static_cast<int64_t>(fs::file_size(target, error));
  if (length != expected_bytes || error || offset > size || length > size - offset) {
    return InvalidModel(what + " needs " + std::to_string(expected_bytes) + " bytes; its external data names " +
                        std::to_string(length) + " bytes at offset " + std::to_string(offset) + " of '" + location +
                        "', which has " + std::to_string(size));
  }
  std::string bytes(static_cast<size_t>(length), '\0');
  std::ifstream stream(target, std::ios::binary);
  stream.seekg(offset);
  if (!stream.read(bytes.data(), length)) return IoError(what + ": cannot read '" + location + "'");
  return bytes;
}

}  // namespace

bool DTypeFromOnnx(int32_t data_type, DType* type) {
  const ElementType* element = FindElementType(data_type);
  if (element == nullptr) return false;
  *type = HeldType(element->stored);
  return true;
}

Result<Tensor> TensorFromOnnx(const TensorProto& proto, const std::string& what, const std::string& folder) {
  const ElementType* element = FindElementType(proto.data_type());
  if (element == nullptr) {
    return Unsupported(what + " has the data type " + std::to_string(proto.data_type()) + ", which is not supported");
  }
  if (proto.has_segment()) return Unsupported(what + " is split into segments");
  Dims dims(proto.dims().begin(), proto.dims().end());
  BNN_RETURN_IF_ERROR(CheckDims(what, dims));
  const int64_t count = CountElements(dims);
  if (proto.data_location() == TensorProto::EXTERNAL) {
    BNN_ASSIGN_OR_RETURN(const std::string bytes,
                         ReadExternal(proto, what, folder, count * StoredBytes(element->stored)));
    return TensorFromBytes(element->stored, what, std::move(dims), bytes);
  }
  if (proto.has_raw_data()) {
    if (TypedCount(proto, element->field) > 0) return InvalidModel(what + " has both raw and typed data");
    return TensorFromBytes(element->stored, what, std::move(dims), proto.raw_data());
  }
  return FromTypedFields(proto, *element, what, std::move(dims), count);
}

}  // namespace bnn::formats
