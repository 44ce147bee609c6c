// Builds a ModelDef node by node; shapes come from OutputDims, so that what is built is what Validate() expects.
#pragma once

#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bnn/status.h"
#include "formats/model_def.h"

namespace bnn::formats {

class ModelBuilder {
 public:
  // Names that no other tensor may take: those of the model's inputs and outputs.
  void Reserve(const std::string& name) { used_names_.insert(name); }

  // A tensor of a reserved name.
  int AddInput(const std::string& name, std::vector<int64_t> dims, ImageLayout layout);

  // Appends a node and returns the index of its output tensor, named after `value` (made unique).
  Result<int> AddNode(const std::string& node, Op op, const std::vector<int>& inputs, const std::string& value);

  // Reshape is the one op whose output dims its input does not decide.
  int AddReshape(const std::string& node, int input, std::vector<int64_t> dims, const std::string& value);

  int AddFloats(std::vector<int64_t> dims, const std::vector<float>& values);
  int AddInt8(std::vector<int64_t> dims, const std::vector<int8_t>& values);
  // `bits`: one element each, rows of dims[0].
  int AddBits(std::vector<int64_t> dims, const std::vector<bool>& bits);

  const TensorDef& tensor(int index) const { return model_.tensors[static_cast<size_t>(index)]; }

  // Declares the next output and gives its tensor the (reserved) name. `tensor` is an output of no other name and no
  // input of the model.
  void AddOutput(int tensor, const std::string& name);
  bool IsInputOrOutput(int tensor) const;

  // The model. The builder is empty afterwards.
  ModelDef Take();

 private:
  int Append(const std::string& node, Op op, const std::vector<int>& inputs, TensorDef output);

  ModelDef model_;
  std::set<std::string> used_names_;
};

// Appends a blob of these values, as they lie in memory; returns its index.
template <typename T>
int AddBlob(ModelDef* model, ElementType type, std::vector<int64_t> dims, const std::vector<T>& values) {
  Blob blob;
  blob.type = type;
  blob.dims = std::move(dims);
  blob.data.resize(values.size() * sizeof(T));
  std::memcpy(blob.data.data(), values.data(), blob.data.size());
  model->blobs.push_back(std::move(blob));
  return static_cast<int>(model->blobs.size()) - 1;
}

// `name`, shortened or numbered where it must be, and from now on used.
std::string UniqueName(const std::string& name, std::set<std::string>* used);

// Removes the nodes, tensors and blobs that no output needs.
void RemoveUnused(ModelDef* model);

// The op's blob indices, to be renumbered when blobs are removed.
std::vector<int*> BlobsOf(Op* op);

}  // namespace bnn::formats
