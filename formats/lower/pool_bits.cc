#include "formats/lower/pool_bits.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "formats/lower/model_edit.h"

namespace bnn::formats {
namespace {

class Rewriter {
 public:
  explicit Rewriter(ModelDef* model) : edit_(model) {}

  void Run() {
    for (size_t n = 0; n < edit_.num_nodes(); ++n) {
      if (std::holds_alternative<MaxPool>(edit_.node(n).op) && MoveBehindBits(n)) edit_.Drop(n);
    }
    edit_.Finish();
  }

 private:
  // True when the pool is no longer needed.
  bool MoveBehindBits(size_t pool) {
    std::vector<std::vector<size_t>> branches;
    for (const size_t reader : edit_.Readers(edit_.node(pool).output)) {
      std::optional<std::vector<size_t>> branch = Branch(reader);
      if (!branch) return false;
      branches.push_back(*std::move(branch));
    }
    for (const std::vector<size_t>& branch : branches) MoveBranch(edit_.node(pool), branch);
    return !branches.empty();
  }

  // The nodes from `first` to a Binarize, if they are increasing and nobody else reads what is between.
  std::optional<std::vector<size_t>> Branch(size_t first) {
    std::vector<size_t> branch = {first};
    while (!std::holds_alternative<Binarize>(edit_.node(branch.back()).op)) {
      const NodeDef& node = edit_.node(branch.back());
      const std::optional<size_t> next = edit_.OnlyReader(node.output);
      if (!next || !IsIncreasing(node.op)) return std::nullopt;
      branch.push_back(*next);
    }
    return branch;
  }

  bool All(int blob, bool (*fits)(float)) const {
    const std::vector<float> values = edit_.Floats(blob);
    return std::all_of(values.begin(), values.end(), fits);
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
    const std::vector<int64_t> dims = edit_.tensor(source).dims;
    edit_.node(branch[0]).inputs = {source};
    for (size_t i = 0; i + 1 < branch.size(); ++i) edit_.tensor(edit_.node(branch[i]).output).dims = dims;
    NodeDef& binarize = edit_.node(branch.back());
    const int pooled = binarize.output;
    binarize.output = edit_.AddTensor(edit_.tensor(pooled).name + "/before_pool", edit_.tensor(pooled).type, dims);
    edit_.InsertAfter(branch.back(),
                      {pool.name, BMaxPool{std::get<MaxPool>(pool.op).window}, {binarize.output}, pooled});
  }

  ModelEdit edit_;
};

}  // namespace

void PoolBits(ModelDef* model) { Rewriter(model).Run(); }

}  // namespace bnn::formats
