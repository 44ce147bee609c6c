#include "engine/compile/fuse.h"

#include <algorithm>
#include <variant>

#include "kernels/epilogue.h"

namespace bnn::engine {
namespace {

using formats::kNone;
using formats::ModelDef;
using formats::NodeDef;

class Fuser {
 public:
  explicit Fuser(const ModelDef& model) : model_(model), readers_(model.tensors.size()) {
    for (size_t n = 0; n < model.nodes.size(); ++n) {
      for (const int t : model.nodes[n].inputs) readers_[Index(t)].push_back(static_cast<int>(n));
    }
    is_output_.resize(model.tensors.size());
    for (const int t : model.outputs) is_output_[Index(t)] = true;
    fusion_.group_of.assign(model.nodes.size(), kNone);
  }

  Fusion Run() {
    for (size_t n = 0; n < model_.nodes.size(); ++n) {
      if (fusion_.group_of[n] != kNone) continue;
      const NodeDef& node = model_.nodes[n];
      if (std::holds_alternative<formats::BConv2d>(node.op) || std::holds_alternative<formats::BDense>(node.op)) {
        StartAtBinaryLayer(static_cast<int>(n));
      } else if (IsChainNode(node) || std::holds_alternative<formats::Binarize>(node.op)) {
        StartAtFloat(static_cast<int>(n));
      }
    }
    return std::move(fusion_);
  }

 private:
  static size_t Index(int i) { return static_cast<size_t>(i); }

  bool IsChainNode(const NodeDef& node) const {
    if (std::holds_alternative<formats::Affine>(node.op) || std::holds_alternative<formats::PRelu>(node.op) ||
        std::holds_alternative<formats::Clamp>(node.op)) {
      return true;
    }
    const auto* binary = std::get_if<formats::Binary>(&node.op);
    return binary != nullptr && binary->kind == formats::BinaryKind::kAdd && binary->constant == kNone &&
           node.inputs[0] != node.inputs[1] &&
           model_.tensors[Index(node.inputs[0])].dims == model_.tensors[Index(node.inputs[1])].dims;
  }

  void StartAtBinaryLayer(int n) {
    Group group;
    group.source_node = n;
    group.input = model_.nodes[Index(n)].inputs[0];
    group.position = n;
    Claim(n);
    Extend(std::move(group), model_.nodes[Index(n)].output);
  }

  void StartAtFloat(int n) {
    Group group;
    group.input = model_.nodes[Index(n)].inputs[0];
    group.position = n;
    Claim(n);
    if (std::holds_alternative<formats::Binarize>(model_.nodes[Index(n)].op)) {
      group.binarize = n;
      group.bits_output = model_.nodes[Index(n)].output;
      fusion_.groups.push_back(std::move(group));
      return;
    }
    group.chain.push_back(n);
    Extend(std::move(group), model_.nodes[Index(n)].output);
  }

  // Follows the chain from its value `tensor` and stores the finished group.
  void Extend(Group group, int tensor) {
    while (true) {
      const std::vector<int>& readers = readers_[Index(tensor)];
      if (is_output_[Index(tensor)] || readers.size() != 1) break;
      const int next = readers[0];
      if (fusion_.group_of[Index(next)] != kNone || !IsChainNode(model_.nodes[Index(next)])) break;
      if (group.chain.size() >= kernels::kMaxEpilogueSteps - 1) break;  // one is kept for GuardFirstScale
      group.chain.push_back(next);
      group.position = next;
      Claim(next);
      tensor = model_.nodes[Index(next)].output;
    }
    bool floats_wanted = is_output_[Index(tensor)];
    for (const int reader : readers_[Index(tensor)]) {
      const bool is_binarize = std::holds_alternative<formats::Binarize>(model_.nodes[Index(reader)].op);
      if (is_binarize && group.binarize == kNone && fusion_.group_of[Index(reader)] == kNone) {
        group.binarize = reader;
        group.bits_output = model_.nodes[Index(reader)].output;
        Claim(reader);
      } else {
        floats_wanted = true;
      }
    }
    if (floats_wanted || group.binarize == kNone) group.float_output = tensor;
    fusion_.groups.push_back(std::move(group));
  }

  // Marks a node as belonging to the group under construction.
  void Claim(int n) { fusion_.group_of[Index(n)] = static_cast<int>(fusion_.groups.size()); }

  const ModelDef& model_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> is_output_;
  Fusion fusion_;
};

}  // namespace

Fusion FuseNodes(const formats::ModelDef& model) { return Fuser(model).Run(); }

int ResidualOf(const NodeDef& add, int chain_value) {
  return add.inputs[0] == chain_value ? add.inputs[1] : add.inputs[0];
}

}  // namespace bnn::engine
