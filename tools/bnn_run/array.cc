#include "tools/bnn_run/array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

namespace bnn::run {
namespace {

// Calls f with a value of the C++ type that `dtype` stands for.
template <typename F>
auto VisitDType(DType dtype, F f) {
  switch (dtype) {
    case DType::kBool:
    case DType::kU8:
      return f(uint8_t{});
    case DType::kI8:
      return f(int8_t{});
    case DType::kU16:
      return f(uint16_t{});
    case DType::kI16:
      return f(int16_t{});
    case DType::kU32:
      return f(uint32_t{});
    case DType::kI32:
      return f(int32_t{});
    case DType::kU64:
      return f(uint64_t{});
    case DType::kI64:
      return f(int64_t{});
    case DType::kF32:
      return f(float{});
    case DType::kF64:
      return f(double{});
  }
  return f(uint8_t{});  // not reached: the switch names every DType
}

template <typename T>
T ItemAt(const Array& array, int64_t index) {
  T value;
  std::memcpy(&value, array.data.data() + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

}  // namespace

int64_t ItemSize(DType dtype) {
  return VisitDType(dtype, [](auto zero) { return static_cast<int64_t>(sizeof(zero)); });
}

const char* DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return "bool";
    case DType::kU8:
      return "uint8";
    case DType::kI8:
      return "int8";
    case DType::kU16:
      return "uint16";
    case DType::kI16:
      return "int16";
    case DType::kU32:
      return "uint32";
    case DType::kI32:
      return "int32";
    case DType::kU64:
      return "uint64";
    case DType::kI64:
      return "int64";
    case DType::kF32:
      return "float32";
    case DType::kF64:
      return "float64";
  }
  return "?";
}

bool IsInteger(DType dtype) {
  return VisitDType(dtype, [](auto zero) { return std::is_integral_v<decltype(zero)>; });
}

std::string ShapeString(std::span<const int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ",")); }

Result<int64_t> ArrayBytes(std::span<const int64_t> shape, DType dtype, const std::string& path) {
  int64_t bytes = ItemSize(dtype);
  for (const int64_t dim : shape) {
    if (dim < 0) return InvalidArgument(fmt::format("{}: negative dimension in shape {}", path, ShapeString(shape)));
    if (__builtin_mul_overflow(bytes, dim, &bytes)) {
      return InvalidArgument(fmt::format("{}: shape {} is too large for any file", path, ShapeString(shape)));
    }
  }
  return bytes;
}

void CopyAsFloat(const Array& array, int64_t first, std::span<float> out) {
  VisitDType(array.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t count = static_cast<int64_t>(out.size());
    for (int64_t i = 0; i < count; ++i) {
      out[static_cast<size_t>(i)] = static_cast<float>(ItemAt<T>(array, first + i));
    }
  });
}

Result<std::vector<int64_t>> ToIntegers(const Array& array, const std::string& path) {
  if (!IsInteger(array.dtype)) {
    return InvalidArgument(fmt::format("{}: holds {}, but integers are needed", path, DTypeName(array.dtype)));
  }
  return VisitDType(array.dtype, [&](auto zero) -> Result<std::vector<int64_t>> {
    using T = decltype(zero);
    std::vector<int64_t> integers(static_cast<size_t>(array.size()));
    for (int64_t i = 0; i < array.size(); ++i) {
      const T value = ItemAt<T>(array, i);
      if constexpr (std::is_same_v<T, uint64_t>) {
        if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
          return InvalidArgument(fmt::format("{}: item {} is {}, which is out of range", path, i, value));
        }
      }
      integers[static_cast<size_t>(i)] = static_cast<int64_t>(value);
    }
    return integers;
  });
}

void ReverseItemBytes(std::span<std::byte> data, int64_t item_size) {
  const size_t step = static_cast<size_t>(item_size);
  for (size_t at = 0; at + step <= data.size(); at += step) {
    std::reverse(data.begin() + static_cast<std::ptrdiff_t>(at), data.begin() + static_cast<std::ptrdiff_t>(at + step));
  }
}

}  // namespace bnn::run
