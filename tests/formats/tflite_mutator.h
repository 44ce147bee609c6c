// Changes of a .tflite file for tests of robustness: of its bytes, and of its fields, which gets past the verifier.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/formats/tflite_file.h"

namespace bnn::test {

class TfliteMutator {
 public:
  explicit TfliteMutator(uint32_t seed) : random_(seed) {}

  // Flipped bits, bytes, and offsets: 32-bit numbers where such may lie.
  std::string MutateBytes(std::string bytes) {
    const size_t changes = 1 + Below(3);
    for (size_t i = 0; i < changes && bytes.size() > 16; ++i) {
      const size_t at = Below(bytes.size());
      if (Below(3) == 0) {
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
      } else if (Below(2) == 0) {
        bytes[at] = static_cast<char>(Below(256));
      } else {
        const auto number = static_cast<int32_t>(Number());
        std::memcpy(&bytes[std::min(at, bytes.size() - 8) / 4 * 4], &number, sizeof(number));
      }
    }
    return bytes;
  }

  // `bytes` must be a sound file.
  std::string MutateFields(const std::string& bytes) {
    const TfliteFile file(bytes);
    const size_t changes = 1 + Below(2);
    for (size_t i = 0; i < changes; ++i) MutateModel(&file);
    return file.Bytes();
  }

 private:
  size_t Below(size_t limit) { return static_cast<size_t>(random_() % limit); }

  int64_t Number() {
    constexpr int64_t kNumbers[] = {0,    1,     -1,    2,       -2,        3,         4,
                                    5,    7,     8,     31,      32,        33,        255,
                                    4096, 65536, 65537, 1 << 24, INT32_MAX, INT32_MIN, INT32_MAX - 3};
    return kNumbers[Below(std::size(kNumbers))];
  }

  template <typename T>
  T& Any(std::vector<T>& list) {
    return list[Below(list.size())];
  }

  void MutateNumbers(std::vector<int32_t>* list, bool small) {
    const auto value = static_cast<int32_t>(small ? static_cast<int64_t>(Below(16)) - 1 : Number());
    if (list->empty() || Below(5) == 0) {
      list->push_back(value);
    } else if (Below(5) == 0) {
      list->pop_back();
    } else {
      Any(*list) = value;
    }
  }

  void MutateModel(const TfliteFile* file) {
    tflite::SubGraphT& graph = file->graph();
    switch (Below(8)) {
      case 0:
      case 1:
        return MutateTensor(file, Any(graph.tensors).get());
      case 2:
      case 3:
      case 4:
        return MutateOperator(file, Any(graph.operators).get());
      case 5:  // weights, but also axes, pads and shapes
        return MutateBuffer(Any(file->model->buffers).get());
      case 6:
        return MutateNumbers(Below(2) == 0 ? &graph.inputs : &graph.outputs, true);
      default: {
        tflite::OperatorCodeT& code = *Any(file->model->operator_codes);
        code.builtin_code = static_cast<int32_t>(Below(130));
        code.deprecated_builtin_code = static_cast<int8_t>(Below(128));
      }
    }
  }

  void MutateTensor(const TfliteFile* file, tflite::TensorT* tensor) {
    switch (Below(5)) {
      case 0:
        return MutateNumbers(&tensor->shape, Below(2) == 0);
      case 1:
        tensor->type = static_cast<int8_t>(Below(12));
        return;
      case 2:
        tensor->buffer = static_cast<uint32_t>(Below(file->model->buffers.size() + 1));
        return;
      case 3:
        return MutateNumbers(&tensor->shape_signature, true);
      default:
        if (tensor->quantization == nullptr) {
          tensor->quantization = std::make_unique<tflite::QuantizationParametersT>();
        }
        tensor->quantization->scale.resize(Below(5), 0.5F);
        if (Below(3) == 0 && !tensor->quantization->scale.empty()) tensor->quantization->scale[0] = -1.0F;
        tensor->quantization->zero_point.resize(Below(5), Number());
        tensor->quantization->quantized_dimension = static_cast<int32_t>(Number());
    }
  }

  void MutateOperator(const TfliteFile* file, tflite::OperatorT* op) {
    switch (Below(5)) {
      case 0:
        return MutateNumbers(&op->inputs, true);
      case 1:
        return MutateNumbers(&op->outputs, true);
      case 2:
        op->opcode_index = static_cast<uint32_t>(Below(file->model->operator_codes.size() + 1));
        return;
      case 3:
        std::swap(op->builtin_options, Any(file->graph().operators)->builtin_options);
        return;
      default:
        return MutateOptions(op);
    }
  }

  void MutateOptions(tflite::OperatorT* op) {
    if (!op->custom_options.empty()) {
      if (Below(3) == 0) {
        Any(op->custom_options) = static_cast<uint8_t>(Below(256));
        return;
      }
      const auto option = [this](int64_t usual) { return Below(5) == 0 ? Number() : usual; };
      op->custom_options = FlexMap({{"channels_in", option(33)},
                                    {"dilation_height_factor", option(1)},
                                    {"dilation_width_factor", option(1)},
                                    {"filter_height", option(2)},
                                    {"filter_width", option(2)},
                                    {"fused_activation_function", option(0)},
                                    {"pad_values", option(1)},
                                    {"padding", option(static_cast<int64_t>(Below(3)))},
                                    {"stride_height", option(1)},
                                    {"stride_width", option(1)}});
      return;
    }
    const auto number = [this] { return static_cast<int32_t>(Number()); };
    tflite::BuiltinOptionsUnion& options = op->builtin_options;
    if (auto* conv = options.AsConv2DOptions()) {
      (Below(2) == 0 ? conv->stride_h : conv->dilation_w_factor) = number();
    } else if (auto* pool = options.AsPool2DOptions()) {
      (Below(2) == 0 ? pool->stride_h : pool->filter_width) = number();
    } else if (auto* concat = options.AsConcatenationOptions()) {
      concat->axis = number();
    } else if (auto* slice = options.AsStridedSliceOptions()) {
      (Below(2) == 0 ? slice->shrink_axis_mask : slice->begin_mask) = number();
    } else if (auto* squeeze = options.AsSqueezeOptions()) {
      MutateNumbers(&squeeze->squeeze_dims, true);
    } else if (auto* add = options.AsAddOptions()) {
      add->fused_activation_function = static_cast<int8_t>(Below(7));
    } else if (auto* dense = options.AsFullyConnectedOptions()) {
      dense->keep_num_dims = !dense->keep_num_dims;
    } else if (auto* reduce = options.AsReducerOptions()) {
      reduce->keep_dims = !reduce->keep_dims;
    }
  }

  void MutateBuffer(tflite::BufferT* buffer) {
    const auto number = static_cast<int32_t>(Below(2) == 0 ? Number() : static_cast<int64_t>(Below(9)) - 4);
    if (buffer->data.size() >= sizeof(number)) {
      std::memcpy(&buffer->data[Below(buffer->data.size() / 4) * 4], &number, sizeof(number));
    }
    if (Below(8) == 0) buffer->data.resize(Below(buffer->data.size() + 5));
    if (Below(20) == 0) buffer->offset = 4096;
  }

  std::mt19937 random_;
};

}  // namespace bnn::test
