#include "tests/formats/model_builder.h"

#include <cstring>
#include <utility>

#include "formats/validate.h"

namespace bnn::formats {

int ModelBuilder::Input(const std::string& name, std::vector<int64_t> dims, ImageLayout layout,
                        Preprocessing preprocessing) {
  const int tensor = static_cast<int>(model_.tensors.size());
  model_.tensors.push_back({name, ElementType::kFloat32, std::move(dims)});
  model_.inputs.push_back({tensor, layout, std::move(preprocessing)});
  return tensor;
}

int ModelBuilder::Input(std::vector<int64_t> dims) {
  return Input("input" + std::to_string(model_.inputs.size()), std::move(dims));
}

int ModelBuilder::AddBlob(Blob blob) {
  model_.blobs.push_back(std::move(blob));
  return static_cast<int>(model_.blobs.size()) - 1;
}

int ModelBuilder::Floats(std::vector<int64_t> dims, const std::vector<float>& values) {
  Blob blob{ElementType::kFloat32, std::move(dims), {}};
  for (const float value : values) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; ++i) blob.data.push_back(static_cast<std::byte>(bits >> (8 * i)));
  }
  return AddBlob(std::move(blob));
}

int ModelBuilder::Bits(std::vector<int64_t> dims, const std::function<bool(int64_t, int64_t)>& bit) {
  int64_t row_bits = 1;
  for (size_t i = 1; i < dims.size(); ++i) row_bits *= dims[i];
  const size_t row_bytes = static_cast<size_t>((row_bits + 31) / 32 * 4);
  Blob blob{ElementType::kBits, std::move(dims), {}};
  for (int64_t row = 0; row < blob.dims[0]; ++row) {
    std::vector<std::byte> bytes(row_bytes);
    for (int64_t i = 0; i < row_bits; ++i) {
      if (bit(row, i)) bytes[static_cast<size_t>(i / 8)] |= std::byte{1} << (i % 8);
    }
    blob.data.insert(blob.data.end(), bytes.begin(), bytes.end());
  }
  return AddBlob(std::move(blob));
}

int ModelBuilder::RandomFloats(std::vector<int64_t> dims) {
  std::vector<float> values(static_cast<size_t>(ElementCount(dims)));
  for (float& value : values) value = static_cast<float>(random_.Int(-64, 64)) / 16;
  return Floats(std::move(dims), values);
}

int ModelBuilder::RandomBits(std::vector<int64_t> dims) {
  return Bits(std::move(dims), [&](int64_t, int64_t) { return random_.OneIn(2); });
}

int ModelBuilder::RandomInt8(std::vector<int64_t> dims) {
  Blob blob{ElementType::kInt8, std::move(dims), {}};
  blob.data.resize(static_cast<size_t>(ElementCount(blob.dims)));
  for (std::byte& value : blob.data) value = static_cast<std::byte>(random_.Int(-128, 127));
  return AddBlob(std::move(blob));
}

int ModelBuilder::AddNode(std::string name, const Op& op, const std::vector<int>& inputs, TensorDef output) {
  const std::string unique = OpName(op) + std::to_string(model_.nodes.size());
  if (name.empty()) name = unique;
  output.name = unique + ":0";
  const int tensor = static_cast<int>(model_.tensors.size());
  model_.tensors.push_back(std::move(output));
  model_.nodes.push_back({std::move(name), op, inputs, tensor});
  return tensor;
}

int ModelBuilder::Node(std::string name, const Op& op, const std::vector<int>& inputs) {
  std::vector<std::vector<int64_t>> dims;
  std::vector<ElementType> types;
  for (const int input : inputs) {
    dims.push_back(tensor(input).dims);
    types.push_back(tensor(input).type);
  }
  const Result<std::vector<int64_t>> output_dims = OutputDims(op, dims, model_.blobs);
  const Result<ElementType> output_type = OutputType(op, types);
  if (!output_dims.ok() || !output_type.ok()) return kNone;
  return AddNode(std::move(name), op, inputs, {"", *output_type, *output_dims});
}

int ModelBuilder::AddReshape(int input, std::vector<int64_t> dims, std::string name) {
  return AddNode(std::move(name), Reshape{}, {input}, {"", tensor(input).type, std::move(dims)});
}

int ModelBuilder::Binarize(const std::string& name, int input, const std::vector<float>& thresholds) {
  return Node(name, formats::Binarize{Floats({static_cast<int64_t>(thresholds.size())}, thresholds)}, {input});
}

int ModelBuilder::Affine(const std::string& name, int input, const std::vector<float>& scale,
                         const std::vector<float>& bias) {
  const int scale_blob = Floats({static_cast<int64_t>(scale.size())}, scale);
  return Node(name, formats::Affine{scale_blob, Floats({static_cast<int64_t>(bias.size())}, bias)}, {input});
}

}  // namespace bnn::formats
