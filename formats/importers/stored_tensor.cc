#include "formats/importers/stored_tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace bnn::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian and are copied as they are");

// IEEE half: sign, 5 bits of exponent, 10 of fraction.
float HalfToFloat(uint16_t bits) {
  const uint32_t exponent = (bits >> 10) & 31U;
  const auto fraction = static_cast<float>(bits & 1023U);
  float magnitude = 0;
  if (exponent == 31) {
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(fraction, -24);
  } else {
    magnitude = std::ldexp(1024.0F + fraction, static_cast<int>(exponent) - 25);
  }
  return std::copysign(magnitude, (bits >> 15) != 0 ? -1.0F : 1.0F);
}

float Bfloat16ToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

template <typename T>
T LoadAt(const char* data, int64_t index) {
  T value;
  std::memcpy(&value, data + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

float LoadFloat(StoredType type, const char* data, int64_t i) {
  if (type == StoredType::kFloat32) return LoadAt<float>(data, i);
  if (type == StoredType::kFloat64) return static_cast<float>(LoadAt<double>(data, i));
  return FloatFromBits16(type, LoadAt<uint16_t>(data, i));
}

// Of the integer types. A uint64 above 2^63 comes out negative.
int64_t LoadInteger(StoredType type, const char* data, int64_t i) {
  switch (type) {
    case StoredType::kInt8:
      return LoadAt<int8_t>(data, i);
    case StoredType::kUint8:
      return LoadAt<uint8_t>(data, i);
    case StoredType::kBool:
      return LoadAt<uint8_t>(data, i) != 0 ? 1 : 0;
    case StoredType::kInt16:
      return LoadAt<int16_t>(data, i);
    case StoredType::kUint16:
      return LoadAt<uint16_t>(data, i);
    case StoredType::kInt32:
      return LoadAt<int32_t>(data, i);
    case StoredType::kUint32:
      return LoadAt<uint32_t>(data, i);
    case StoredType::kInt64:
    case StoredType::kUint64:
      return LoadAt<int64_t>(data, i);
    case StoredType::kFloat32:
    case StoredType::kFloat16:
    case StoredType::kBfloat16:
    case StoredType::kFloat64:
      break;
  }
  return 0;
}

}  // namespace

int64_t StoredBytes(StoredType type) {
  switch (type) {
    case StoredType::kInt8:
    case StoredType::kUint8:
    case StoredType::kBool:
      return 1;
    case StoredType::kFloat16:
    case StoredType::kBfloat16:
    case StoredType::kInt16:
    case StoredType::kUint16:
      return 2;
    case StoredType::kFloat32:
    case StoredType::kInt32:
    case StoredType::kUint32:
      return 4;
    case StoredType::kFloat64:
    case StoredType::kInt64:
    case StoredType::kUint64:
      return 8;
  }
  return 0;
}

DType HeldType(StoredType type) {
  switch (type) {
    case StoredType::kFloat32:
    case StoredType::kFloat16:
    case StoredType::kBfloat16:
    case StoredType::kFloat64:
      return DType::kFloat32;
    case StoredType::kInt8:
    case StoredType::kUint8:
    case StoredType::kInt16:
    case StoredType::kUint16:
    case StoredType::kInt32:
    case StoredType::kUint32:
    case StoredType::kInt64:
    case StoredType::kUint64:
      return DType::kInt64;
    case StoredType::kBool:
      return DType::kBool;
  }
  return DType::kFloat32;
}

float FloatFromBits16(StoredType type, uint16_t bits) {
  return type == StoredType::kFloat16 ? HalfToFloat(bits) : Bfloat16ToFloat(bits);
}

Result<Tensor> TensorFromBytes(StoredType type, const std::string& what, Dims dims, std::string_view bytes) {
  const int64_t count = CountElements(dims);
  // At most 2^31 elements, so the product cannot overflow.
  if (static_cast<int64_t>(bytes.size()) != count * StoredBytes(type)) {
    return InvalidModel(what + " of dims " + DimsToString(dims) + " needs " +
                        std::to_string(count * StoredBytes(type)) + " bytes of data, the file holds " +
                        std::to_string(bytes.size()));
  }
  Tensor tensor;
  tensor.type = HeldType(type);
  tensor.dims = std::move(dims);
  if (tensor.type == DType::kFloat32) {
    tensor.floats.resize(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) tensor.floats[i] = LoadFloat(type, bytes.data(), i);
    return tensor;
  }
  tensor.integers.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    tensor.integers[i] = LoadInteger(type, bytes.data(), i);
    if (type == StoredType::kUint64 && tensor.integers[i] < 0) {
      return Unsupported(what + " holds an unsigned value above 2^63");
    }
  }
  return tensor;
}

}  // namespace bnn::formats
