// Builds small ModelDefs for tests of the compiler.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "formats/model_def.h"
#include "formats/validate.h"
#include "kernels/bits.h"

namespace bnn::test {

class ModelBuilder {
 public:
  int Input(std::vector<int64_t> dims) {
    const int tensor = Tensor(formats::ElementType::kFloat32, std::move(dims));
    model.inputs.push_back({tensor, formats::ImageLayout::kNotAnImage, {}});
    return tensor;
  }

  int Floats(std::vector<int64_t> dims, const std::vector<float>& values) {
    formats::Blob blob;
    blob.type = formats::ElementType::kFloat32;
    blob.dims = std::move(dims);
    blob.data.resize(values.size() * sizeof(float));
    std::memcpy(blob.data.data(), values.data(), blob.data.size());
    model.blobs.push_back(std::move(blob));
    return static_cast<int>(model.blobs.size()) - 1;
  }

  // Bits from a rule: bit(row, index in the row).
  template <typename Fn>
  int Bits(std::vector<int64_t> dims, const Fn& bit) {
    formats::Blob blob;
    blob.type = formats::ElementType::kBits;
    int64_t row_bits = 1;
    for (size_t i = 1; i < dims.size(); ++i) row_bits *= dims[i];
    const int64_t row_words = kernels::WordsFor(row_bits);
    std::vector<uint32_t> words(static_cast<size_t>(dims[0] * row_words));
    for (int64_t r = 0; r < dims[0]; ++r) {
      for (int64_t i = 0; i < row_bits; ++i) kernels::SetBit(words.data() + r * row_words, i, bit(r, i) ? 1 : 0);
    }
    blob.data.resize(words.size() * sizeof(uint32_t));
    std::memcpy(blob.data.data(), words.data(), blob.data.size());
    blob.dims = std::move(dims);
    model.blobs.push_back(std::move(blob));
    return static_cast<int>(model.blobs.size()) - 1;
  }

  // Adds a node; its output dims are what formats::OutputDims says (those of Reshape are given).
  int Node(const std::string& name, formats::Op op, const std::vector<int>& inputs,
           std::vector<int64_t> reshape_dims = {}) {
    std::vector<std::vector<int64_t>> dims;
    for (const int t : inputs) dims.push_back(model.tensors[static_cast<size_t>(t)].dims);
    std::vector<int64_t> out_dims = std::move(reshape_dims);
    if (!std::holds_alternative<formats::Reshape>(op)) {
      const auto computed = formats::OutputDims(op, dims, model.blobs);
      out_dims = computed.ok() ? *computed : std::vector<int64_t>{};
    }
    std::vector<formats::ElementType> types;
    for (const int t : inputs) types.push_back(model.tensors[static_cast<size_t>(t)].type);
    const auto type = formats::OutputType(op, types);
    const int output = Tensor(type.ok() ? *type : formats::ElementType::kFloat32, out_dims);
    model.nodes.push_back({name, std::move(op), inputs, output});
    return output;
  }

  int Binarize(const std::string& name, int input, std::vector<float> thresholds = {0}) {
    const auto count = static_cast<int64_t>(thresholds.size());
    return Node(name, formats::Binarize{Floats({count}, thresholds)}, {input});
  }

  int Affine(const std::string& name, int input, const std::vector<float>& scale, const std::vector<float>& bias) {
    const int scale_blob = Floats({static_cast<int64_t>(scale.size())}, scale);
    return Node(name, formats::Affine{scale_blob, Floats({static_cast<int64_t>(bias.size())}, bias)}, {input});
  }

  void Output(int tensor) { model.outputs.push_back(tensor); }

  formats::ModelDef model;

 private:
  int Tensor(formats::ElementType type, std::vector<int64_t> dims) {
    model.tensors.push_back({"t" + std::to_string(model.tensors.size()), type, std::move(dims)});
    return static_cast<int>(model.tensors.size()) - 1;
  }
};

}  // namespace bnn::test
