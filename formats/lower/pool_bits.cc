#include "formats/lower/pool_bits.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bnn::formats {
namespace {

class Rewriter {
 public:
  explicit Rewriter(ModelDef* model) : model_(*model), readers_(model->tensors.size()) {
    for (size_t n = 0; n < model_.nodes.size(); ++n) {
      for (const int t : model_.nodes[n].inputs) readers_[static_cast<size_t>(t)].push_back(n);
    }
    for (const TensorDef& tensor : model_.tensors) names_.insert(tensor.name);
  }

  void Run() {
    std::vector<NodeDef> nodes;
    std::set<size_t> dropped;
    for (size_t n = 0; n < model_.nodes.size(); ++n) {
      if (std::holds_alternative<MaxPool>(model_.nodes[n].op) && MoveBehindBits(n)) dropped.insert(n);
    }
    for (size_t n = 0; n < model_.nodes.size(); ++n) {
      if (dropped.count(n) == 0) nodes.push_back(std::move(model_.nodes[n]));
      for (auto& [binarize, pool] : added_) {
        if (binarize == n) nodes.push_back(std::move(pool));
      }
    }
    model_.nodes = std::move(nodes);
  }

 private:
  TensorDef& Tensor(int t) { return model_.tensors[static_cast<size_t>(t)]; }

  bool IsOutput(int tensor) const {
    return std::find(model_.outputs.begin(), model_.outputs.end(), tensor) != model_.outputs.end();
  }

  // True when the pool is no longer needed.
  bool MoveBehindBits(size_t pool) {
    const int pooled = model_.nodes[pool].output;
    const std::vector<size_t>& readers = readers_[static_cast<size_t>(pooled)];
    if (IsOutput(pooled) || readers.empty()) return false;
    std::vector<std::vector<size_t>> branches;
    for (const size_t reader : readers) {
      std::optional<std::vector<size_t>> branch = Branch(reader);
      if (!branch) return false;
      branches.push_back(*std::move(branch));
    }
    for (const std::vector<size_t>& branch : branches) MoveBranch(model_.nodes[pool], branch);
    return true;
  }

  // The nodes from `first` to a Binarize, if they are increasing and nobody else reads what is between.
  std::optional<std::vector<size_t>> Branch(size_t first) const {
    std::vector<size_t> branch = {first};
    while (!std::holds_alternative<Binarize>(model_.nodes[branch.back()].op)) {
      const NodeDef& node = model_.nodes[branch.back()];
      if (!IsIncreasing(node.op) || IsOutput(node.output)) return std::nullopt;
      const std::vector<size_t>& readers = readers_[static_cast<size_t>(node.output)];
      if (readers.size() != 1) return std::nullopt;
      branch.push_back(readers[0]);
    }
    return branch;
  }

  bool All(int blob, bool (*fits)(float)) const {
    const Blob& values = model_.blobs[static_cast<size_t>(blob)];
    std::vector<float> floats(values.data.size() / sizeof(float));
    std::memcpy(floats.data(), values.data.data(), values.data.size());
    return std::all_of(floats.begin(), floats.end(), fits);
  }

  bool IsIncreasing(const Op& op) const {
    const auto is_finite = [](float x) { return std::isfinite(x); };
    if (const auto* affine = std::get_if<Affine>(&op)) {
      return All(affine->scale, [](float x) { return std::isfinite(x) && x > 0; }) && All(affine->bias, is_finite);
    }
    if (const auto* prelu = std::get_if<PRelu>(&op)) {
      return All(prelu->slope, [](float x) { return std::isfinite(x) && x >= 0; });
    }
    const auto* clamp = std::get_if<Clamp>(&op);
    return clamp != nullptr && clamp->low <= clamp->high;
  }

  void MoveBranch(const NodeDef& pool, const std::vector<size_t>& branch) {
    const int source = pool.inputs[0];
    const std::vector<int64_t> dims = Tensor(source).dims;
    model_.nodes[branch[0]].inputs = {source};
    for (size_t i = 0; i + 1 < branch.size(); ++i) Tensor(model_.nodes[branch[i]].output).dims = dims;
    NodeDef& binarize = model_.nodes[branch.back()];
    const int bits = static_cast<int>(model_.tensors.size());
    model_.tensors.push_back({UniqueName(Tensor(binarize.output).name), ElementType::kBits, dims});
    NodeDef bit_pool{pool.name, BMaxPool{std::get<MaxPool>(pool.op).window}, {bits}, binarize.output};
    binarize.output = bits;
    added_.emplace_back(branch.back(), std::move(bit_pool));
  }

  std::string UniqueName(const std::string& pooled) {
    const std::string base = pooled.substr(0, static_cast<size_t>(kMaxNameBytes) - 32) + "/before_pool";
    std::string name = base;
    for (int i = 2; !names_.insert(name).second; ++i) name = base + "#" + std::to_string(i);
    return name;
  }

  ModelDef& model_;
  std::vector<std::vector<size_t>> readers_;  // nodes, by tensor
  std::set<std::string> names_;
  std::vector<std::pair<size_t, NodeDef>> added_;  // after which node, what
};

}  // namespace

void PoolBits(ModelDef* model) { Rewriter(model).Run(); }

}  // namespace bnn::formats
