#include "formats/importers/tflite_tensor.h"

#include <bit>
#include <cstring>
#include <utility>

namespace bnn::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "constants are copied as little-endian");

template <typename T>
T Element(const TfliteTensor& tensor, int64_t i) {
  T value;
  std::memcpy(&value, tensor.data.data() + static_cast<size_t>(i) * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
Tensor Integers(const TfliteTensor& tensor, int64_t count) {
  Tensor out = IntTensor(tensor.dims, {});
  out.integers.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) out.integers.push_back(Element<T>(tensor, i));
  return out;
}

// IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits.
float HalfToFloat(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16U;
  const uint32_t exponent = (half >> 10U) & 31U;
  const uint32_t fraction = half & 0x3ffU;
  if (exponent == 0) {
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  const uint32_t wide = exponent == 31 ? 255U : exponent + 112U;  // the bias is 15 there, 127 here
  return std::bit_cast<float>(sign | (wide << 23U) | (fraction << 13U));
}

Tensor Dequantized(const TfliteTensor& tensor, const Tensor& integers) {
  const TfliteQuantization& quantization = tensor.quantization;
  Tensor out = FloatTensor(tensor.dims, {});
  out.floats.reserve(integers.integers.size());
  int64_t inner = 1;  // elements between two steps along the axis
  const bool per_axis = quantization.scales.size() > 1;
  for (size_t i = tensor.dims.size(); per_axis && i-- > static_cast<size_t>(quantization.axis) + 1;) {
    inner *= tensor.dims[i];
  }
  const auto channels = static_cast<int64_t>(quantization.scales.size());
  for (int64_t i = 0; i < integers.size(); ++i) {
    const auto c = static_cast<size_t>(per_axis ? i / inner % channels : 0);
    const int64_t q = integers.integers[static_cast<size_t>(i)] - quantization.zero_points[c];
    out.floats.push_back(static_cast<float>(q) * quantization.scales[c]);
  }
  return out;
}

}  // namespace

Result<Tensor> TensorFromTflite(const TfliteTensor& tensor) {
  const int64_t count = CountElements(tensor.dims);
  switch (tensor.type) {
    case TfliteType::kFloat32: {
      Tensor out = FloatTensor(tensor.dims, std::vector<float>(static_cast<size_t>(count)));
      std::memcpy(out.floats.data(), tensor.data.data(), out.floats.size() * sizeof(float));
      return out;
    }
    case TfliteType::kFloat16: {
      Tensor out = FloatTensor(tensor.dims, {});
      for (int64_t i = 0; i < count; ++i) out.floats.push_back(HalfToFloat(Element<uint16_t>(tensor, i)));
      return out;
    }
    case TfliteType::kInt32:
      return Integers<int32_t>(tensor, count);
    case TfliteType::kInt64:
      return Integers<int64_t>(tensor, count);
    case TfliteType::kBool: {
      Tensor out = BoolTensor(tensor.dims, {});
      for (int64_t i = 0; i < count; ++i) out.integers.push_back(Element<uint8_t>(tensor, i) != 0 ? 1 : 0);
      return out;
    }
    case TfliteType::kInt8:
    case TfliteType::kUInt8: {
      const bool is_signed = tensor.type == TfliteType::kInt8;
      Tensor out = is_signed ? Integers<int8_t>(tensor, count) : Integers<uint8_t>(tensor, count);
      return tensor.is_quantized() ? Dequantized(tensor, out) : std::move(out);
    }
  }
  return InternalError(tensor.label + " has a type that was not checked");
}

}  // namespace bnn::formats
