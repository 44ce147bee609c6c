// Builds valid models node by node, for tests of the format and of whatever takes a ModelDef.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "formats/model_def.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {

// Tensors get their types and dims from OutputType() and OutputDims().
class ModelBuilder {
 public:
  // `seed`: of random().
  explicit ModelBuilder(uint64_t seed = 1) : random_(seed) {}

  int Input(const std::string& name, std::vector<int64_t> dims, ImageLayout layout = ImageLayout::kNotAnImage,
            Preprocessing preprocessing = {});
  int Input(std::vector<int64_t> dims);  // with a name that no other has
  void Output(int tensor) { model_.outputs.push_back(tensor); }

  // The index of a new blob.
  int Floats(std::vector<int64_t> dims, const std::vector<float>& values);
  // Bits from a rule: bit(row, index in the row). Spare bits are 0.
  int Bits(std::vector<int64_t> dims, const std::function<bool(int64_t, int64_t)>& bit);
  int RandomFloats(std::vector<int64_t> dims);
  int RandomBits(std::vector<int64_t> dims);
  int RandomInt8(std::vector<int64_t> dims);

  // The index of the tensor that the new node gives; kNone, and nothing is added, where `op` does not fit the inputs.
  // Nodes without a name get one.
  int Add(const Op& op, const std::vector<int>& inputs) { return Node("", op, inputs); }
  int Node(std::string name, const Op& op, const std::vector<int>& inputs);
  // The same for a Reshape, ...
  int AddReshape(int input, std::vector<int64_t> dims, std::string name = "");
  // ... and with the blobs that the op needs.
  int Binarize(const std::string& name, int input, const std::vector<float>& thresholds = {0});
  int Affine(const std::string& name, int input, const std::vector<float>& scale, const std::vector<float>& bias);

  const TensorDef& tensor(int index) const { return model_.tensors[static_cast<size_t>(index)]; }
  RandomSource& random() { return random_; }
  const ModelDef& model() const { return model_; }
  ModelDef& model() { return model_; }

 private:
  int AddBlob(Blob blob);
  int AddNode(std::string name, const Op& op, const std::vector<int>& inputs, TensorDef output);

  ModelDef model_;
  RandomSource random_;
};

}  // namespace bnn::formats
