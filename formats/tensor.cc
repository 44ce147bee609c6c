#include "formats/tensor.h"

#include <utility>

namespace bnn::formats {

const char* DTypeName(DType type) {
  switch (type) {
    case DType::kFloat32:
      return "float32";
    case DType::kInt64:
      return "int64";
    case DType::kBool:
      return "bool";
  }
  return "?";
}

int64_t CountElements(const Dims& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) return -1;
  }
  return count;
}

Tensor FloatTensor(Dims dims, std::vector<float> values) {
  Tensor tensor;
  tensor.type = DType::kFloat32;
  tensor.dims = std::move(dims);
  tensor.floats = std::move(values);
  return tensor;
}

Tensor IntTensor(Dims dims, std::vector<int64_t> values) {
  Tensor tensor;
  tensor.type = DType::kInt64;
  tensor.dims = std::move(dims);
  tensor.integers = std::move(values);
  return tensor;
}

Tensor BoolTensor(Dims dims, std::vector<int64_t> values) {
  Tensor tensor = IntTensor(std::move(dims), std::move(values));
  tensor.type = DType::kBool;
  return tensor;
}

std::string DimsToString(const Dims& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ',';
    text += dims[i] < 0 ? "?" : std::to_string(dims[i]);
  }
  return text + "]";
}

}  // namespace bnn::formats
