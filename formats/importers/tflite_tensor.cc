#include "formats/importers/tflite_tensor.h"

#include <string_view>
#include <utility>

namespace bnn::formats {
namespace {

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

StoredType StoredTypeOf(TfliteType type) {
  switch (type) {
    case TfliteType::kFloat32:
      return StoredType::kFloat32;
    case TfliteType::kFloat16:
      return StoredType::kFloat16;
    case TfliteType::kInt32:
      return StoredType::kInt32;
    case TfliteType::kUInt8:
      return StoredType::kUint8;
    case TfliteType::kInt64:
      return StoredType::kInt64;
    case TfliteType::kBool:
      return StoredType::kBool;
    case TfliteType::kInt8:
      return StoredType::kInt8;
  }
  return StoredType::kFloat32;
}

Result<Tensor> TensorFromTflite(const TfliteTensor& tensor) {
  const std::string_view bytes(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  BNN_ASSIGN_OR_RETURN(Tensor stored, TensorFromBytes(StoredTypeOf(tensor.type), tensor.label, tensor.dims, bytes));
  return tensor.is_quantized() ? Dequantized(tensor, stored) : std::move(stored);
}

}  // namespace bnn::formats
