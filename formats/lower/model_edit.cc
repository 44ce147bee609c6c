#include "formats/lower/model_edit.h"

#include <algorithm>
#include <cstring>

#include "formats/lower/builder.h"

namespace bnn::formats {

ModelEdit::ModelEdit(ModelDef* model)
    : model_(*model),
      num_nodes_(model->nodes.size()),
      readers_(model->tensors.size()),
      producers_(model->tensors.size()),
      before_(num_nodes_),
      after_(num_nodes_) {
  for (size_t n = 0; n < num_nodes_; ++n) {
    for (const int t : model_.nodes[n].inputs) readers_[static_cast<size_t>(t)].push_back(n);
    producers_[static_cast<size_t>(model_.nodes[n].output)] = n;
  }
  for (const TensorDef& tensor : model_.tensors) names_.insert(tensor.name);
}

bool ModelEdit::IsOutput(int tensor) const {
  return std::find(model_.outputs.begin(), model_.outputs.end(), tensor) != model_.outputs.end();
}

std::vector<size_t> ModelEdit::Readers(int tensor) const {
  const auto t = static_cast<size_t>(tensor);
  if (t >= readers_.size() || IsOutput(tensor)) return {};
  return readers_[t];
}

std::optional<size_t> ModelEdit::OnlyReader(int tensor) const {
  const std::vector<size_t> readers = Readers(tensor);
  return readers.size() == 1 ? std::optional(readers[0]) : std::nullopt;
}

std::optional<size_t> ModelEdit::Producer(int tensor) const {
  const auto t = static_cast<size_t>(tensor);
  return t < producers_.size() ? producers_[t] : std::nullopt;
}

std::vector<float> ModelEdit::Floats(int blob) const {
  const std::vector<std::byte>& data = model_.blobs[static_cast<size_t>(blob)].data;
  std::vector<float> values(data.size() / sizeof(float));
  std::memcpy(values.data(), data.data(), data.size());
  return values;
}

int ModelEdit::AddFloats(std::vector<int64_t> dims, const std::vector<float>& values) {
  return AddBlob(&model_, ElementType::kFloat32, std::move(dims), values);
}

int ModelEdit::AddTensor(const std::string& name, ElementType type, std::vector<int64_t> dims) {
  model_.tensors.push_back({UniqueName(name, &names_), type, std::move(dims)});
  return static_cast<int>(model_.tensors.size()) - 1;
}

void ModelEdit::Finish() {
  std::vector<NodeDef> nodes;
  for (size_t n = 0; n < num_nodes_; ++n) {
    for (NodeDef& node : before_[n]) nodes.push_back(std::move(node));
    if (!IsDropped(n)) nodes.push_back(std::move(model_.nodes[n]));
    for (NodeDef& node : after_[n]) nodes.push_back(std::move(node));
  }
  model_.nodes = std::move(nodes);
}

}  // namespace bnn::formats
