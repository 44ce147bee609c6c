// Models for tests of the format and of whatever takes a ModelDef.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/model_def.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {

// Builds a valid model node by node. Tensors get their types and dims from OutputType() and OutputDims().
class ModelBuilder {
 public:
  explicit ModelBuilder(uint64_t seed) : random_(seed) {}

  int Input(const std::string& name, std::vector<int64_t> dims, ImageLayout layout = ImageLayout::kNotAnImage,
            Preprocessing preprocessing = {});
  void Output(int tensor) { model_.outputs.push_back(tensor); }

  // The index of a new blob.
  int Floats(std::vector<int64_t> dims, const std::vector<float>& values);
  int RandomFloats(std::vector<int64_t> dims);
  int RandomBits(std::vector<int64_t> dims);  // spare bits are 0
  int RandomInt8(std::vector<int64_t> dims);

  // The index of the tensor that the new node gives; kNone, and nothing is added, where `op` does not fit the inputs.
  int Add(const Op& op, const std::vector<int>& inputs);
  // The same for a Reshape.
  int AddReshape(int input, std::vector<int64_t> dims);

  const TensorDef& tensor(int index) const { return model_.tensors[static_cast<size_t>(index)]; }
  RandomSource& random() { return random_; }
  const ModelDef& model() const { return model_; }

 private:
  int AddNode(const Op& op, const std::vector<int>& inputs, TensorDef output);

  ModelDef model_;
  RandomSource random_;
};

// A small model that uses every operator, every enumerator and every field at least once; those of format version
// 1.`minor`.
ModelDef EveryOpModel(int minor = 4);

// A valid model with a few tens of random nodes.
ModelDef RandomModel(uint64_t seed);

}  // namespace bnn::formats
