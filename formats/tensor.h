// A constant or an interpreted value of a source graph.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bnn::formats {

using Dims = std::vector<int64_t>;

// Source types are widened to these: float16/bfloat16/float64 to kFloat32 (float64 is rounded once), all integers to
// kInt64.
enum class DType : uint8_t { kFloat32, kInt64, kBool };

const char* DTypeName(DType type);

struct Tensor {
  DType type = DType::kFloat32;
  Dims dims;                      // {} is a scalar
  std::vector<float> floats;      // when type is kFloat32
  std::vector<int64_t> integers;  // when type is kInt64 or kBool (0 or 1)

  int64_t size() const { return static_cast<int64_t>(type == DType::kFloat32 ? floats.size() : integers.size()); }
};

// The product of dims; -1 when it overflows or a dim is negative.
int64_t CountElements(const Dims& dims);

Tensor FloatTensor(Dims dims, std::vector<float> values);
Tensor IntTensor(Dims dims, std::vector<int64_t> values);
Tensor BoolTensor(Dims dims, std::vector<int64_t> values);

// "[1,3,224,224]"; an unknown dim prints as "?".
std::string DimsToString(const Dims& dims);

}  // namespace bnn::formats
