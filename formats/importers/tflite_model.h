// A .tflite file as plain structs, every offset, index, size and length of which has been checked. What the operators
// mean is no matter of this file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bnn/status.h"
#include "formats/tensor.h"

namespace bnn::formats {

namespace tflite {
struct Operator;
}

// Element types, numbered as in files. Others occur in files that are refused.
enum class TfliteType : int8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kUInt8 = 3,
  kInt64 = 4,
  kBool = 6,
  kInt8 = 9,
};
const char* TfliteTypeName(TfliteType type);

// x = (q - zero_point) * scale, for the whole tensor or for each index of `axis`. Empty where the tensor has none.
struct TfliteQuantization {
  std::vector<float> scales;         // positive and finite; 1 or dims[axis] of them
  std::vector<int64_t> zero_points;  // as many
  int64_t axis = 0;
};

struct TfliteTensor {
  std::string label;  // "tensor 12 'conv/Relu'", for messages
  std::string name;   // may be empty, and not the only one of this name
  TfliteType type = TfliteType::kFloat32;
  Dims dims;
  std::vector<bool> open;  // dims that the file leaves open
  bool is_constant = false;
  std::span<const uint8_t> data;  // of a constant: exactly its elements
  TfliteQuantization quantization;

  bool is_quantized() const {
    return (type == TfliteType::kInt8 || type == TfliteType::kUInt8) && !quantization.scales.empty();
  }
};

struct TfliteOperator {
  int index = 0;
  int32_t code = 0;         // BuiltinOperator
  std::string custom_name;  // of a custom operator (code 32)
  std::string label;        // "operator 5 (CONV_2D) of tensor 12 'conv/Relu'", set by the importer
  std::vector<int> inputs;  // tensors, defined before; -1 where absent
  std::vector<int> outputs;
  const tflite::Operator* table = nullptr;  // verified: its options
};

struct TfliteModel {
  std::vector<TfliteTensor> tensors;
  std::vector<TfliteOperator> operators;  // in the order of execution
  std::vector<int> inputs;
  std::vector<int> outputs;
};

inline constexpr int32_t kTfliteCustom = 32;
inline constexpr int kTfliteAbsent = -1;

// Reads the one subgraph of a file. `bytes` begins at an address that is a multiple of 16 and must outlive the result.
Result<TfliteModel> ReadTfliteModel(std::string_view bytes);

}  // namespace bnn::formats
