// What rewrites of a lowered model share: who reads what, constants as floats, new tensors and nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/model_def.h"

namespace bnn::formats {

// An edit in progress. Nodes keep their numbers until Finish(), and who reads what is as it was at the beginning.
class ModelEdit {
 public:
  explicit ModelEdit(ModelDef* model);

  size_t num_nodes() const { return num_nodes_; }
  NodeDef& node(size_t n) { return model_.nodes[n]; }
  TensorDef& tensor(int t) { return model_.tensors[static_cast<size_t>(t)]; }
  const std::vector<int64_t>& BlobDims(int blob) const { return model_.blobs[static_cast<size_t>(blob)].dims; }

  // The node that alone needs the tensor: its one reader, where it is no output of the model.
  std::optional<size_t> OnlyReader(int tensor) const;
  // All readers; none where the tensor is an output, too.
  std::vector<size_t> Readers(int tensor) const;
  std::optional<size_t> Producer(int tensor) const;

  std::vector<float> Floats(int blob) const;
  size_t CountFloats(int blob) const { return model_.blobs[static_cast<size_t>(blob)].data.size() / sizeof(float); }
  int AddFloats(std::vector<int64_t> dims, const std::vector<float>& values);
  // A tensor with a name made of `name`.
  int AddTensor(const std::string& name, ElementType type, std::vector<int64_t> dims);

  void Drop(size_t n) { dropped_.insert(n); }
  bool IsDropped(size_t n) const { return dropped_.count(n) > 0; }
  // Right beside node `n`, behind what was inserted there before.
  void InsertBefore(size_t n, NodeDef node) { before_[n].push_back(std::move(node)); }
  void InsertAfter(size_t n, NodeDef node) { after_[n].push_back(std::move(node)); }

  // Puts the nodes into their order.
  void Finish();

 private:
  bool IsOutput(int tensor) const;

  ModelDef& model_;
  size_t num_nodes_;
  std::vector<std::vector<size_t>> readers_;      // nodes, by tensor
  std::vector<std::optional<size_t>> producers_;  // by tensor
  std::set<std::string> names_;
  std::set<size_t> dropped_;
  std::vector<std::vector<NodeDef>> before_, after_;  // by node
};

}  // namespace bnn::formats
