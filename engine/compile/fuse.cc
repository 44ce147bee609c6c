#include "engine/compile/fuse.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "engine/compile/split_bits.h"
#include "engine/compile/threshold_branch.h"
#include "kernels/epilogue.h"

namespace bnn::engine {
namespace {

using formats::kNone;
using formats::ModelDef;
using formats::NodeDef;

class Fuser {
 public:
  explicit Fuser(const ModelDef& model) : model_(model), readers_(model) {
    fusion_.group_of.assign(model.nodes.size(), kNone);
  }

  Fusion Run() {
    for (size_t n = 0; n < model_.nodes.size(); ++n) {
      if (fusion_.group_of[n] != kNone) continue;
      const NodeDef& node = model_.nodes[n];
      if (std::holds_alternative<formats::BConv2d>(node.op) || std::holds_alternative<formats::BDense>(node.op)) {
        StartAtBinaryLayer(static_cast<int>(n));
      } else if (std::holds_alternative<formats::QConv2d>(node.op) ||
                 std::holds_alternative<formats::QDense>(node.op)) {
        StartAtInt8Layer(static_cast<int>(n));
      } else if (std::holds_alternative<formats::Conv2d>(node.op)) {
        StartAtFloatConvolution(static_cast<int>(n));
      } else if (IsChainNode(node) || std::holds_alternative<formats::Binarize>(node.op)) {
        StartAtFloat(static_cast<int>(n));
      }
    }
    SplitBitsOfConcat(model_, readers_, &fusion_);
    return std::move(fusion_);
  }

 private:
  static size_t Index(int i) { return static_cast<size_t>(i); }

  const NodeDef& Node(int n) const { return model_.nodes[Index(n)]; }

  static bool IsResidualAdd(const NodeDef& node) { return std::holds_alternative<formats::Binary>(node.op); }

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
    group.input = Node(n).inputs[0];
    group.position = n;
    Claim(n);
    Extend(std::move(group), Node(n).output);
  }

  // Affine nodes go into the layer's scales, one Clamp behind them and a Quantize at the end into what follows its
  // sums. Nodes that become thresholds are left to them.
  void StartAtInt8Layer(int n) {
    Group group;
    group.source_node = n;
    group.input = Node(n).inputs[0];
    group.position = n;
    Claim(n);
    int tensor = Node(n).output;
    bool clamps = false;
    while (readers_.has_one(tensor) && group.quantize == kNone) {
      const int next = readers_.of(tensor)[0];
      const bool is_affine = std::holds_alternative<formats::Affine>(Node(next).op);
      const bool is_clamp = std::holds_alternative<formats::Clamp>(Node(next).op);
      const bool is_quantize = std::holds_alternative<formats::Quantize>(Node(next).op);
      if (!is_quantize && (clamps || !(is_affine || is_clamp))) break;
      if (!is_quantize && FindThresholdBranch(model_, readers_, next)) break;
      clamps = clamps || is_clamp;
      if (is_quantize) {
        group.quantize = next;
      } else {
        group.chain.push_back(next);
      }
      group.position = next;
      Claim(next);
      tensor = Node(next).output;
    }
    (group.quantize != kNone ? group.int8_output : group.float_output) = tensor;
    fusion_.groups.push_back(std::move(group));
  }

  // With one activation that oneDNN can do on the sums; without, the node runs alone.
  void StartAtFloatConvolution(int n) {
    const int tensor = Node(n).output;
    if (!readers_.has_one(tensor)) return;
    const int next = readers_.of(tensor)[0];
    const auto* clamp = std::get_if<formats::Clamp>(&Node(next).op);
    const auto* prelu = std::get_if<formats::PRelu>(&Node(next).op);
    const bool clamps = clamp != nullptr && clamp->low <= clamp->high;
    const bool bends = prelu != nullptr && model_.blobs[Index(prelu->slope)].dims == std::vector<int64_t>{1};
    if (!(clamps || bends) || FindThresholdBranch(model_, readers_, next)) return;
    Group group;
    group.source_node = n;
    group.input = Node(n).inputs[0];
    group.chain = {next};
    group.position = next;
    group.float_output = Node(next).output;
    Claim(n);
    Claim(next);
    fusion_.groups.push_back(std::move(group));
  }

  void StartAtFloat(int n) {
    Group group;
    group.input = Node(n).inputs[0];
    group.position = n;
    if (TakeBranch(n, &group)) {
      group.position = group.branch.back();
      fusion_.groups.push_back(std::move(group));
      return;
    }
    group.chain.push_back(n);
    Claim(n);
    Extend(std::move(group), Node(n).output);
  }

  // Follows the chain from its value `tensor` and stores the finished group.
  void Extend(Group group, int tensor) {
    while (readers_.has_one(tensor)) {
      const int next = readers_.of(tensor)[0];
      if (fusion_.group_of[Index(next)] != kNone || !IsChainNode(Node(next))) break;
      if (group.chain.size() >= kernels::kMaxEpilogueSteps - 1) break;  // one is kept for GuardFirstScale
      if (!IntThresholdsFit(group) && TakeBranch(next, &group)) break;
      group.chain.push_back(next);
      group.position = next;
      Claim(next);
      tensor = Node(next).output;
    }
    bool floats_wanted = readers_.is_output(tensor);
    for (const int reader : readers_.of(tensor)) {
      const bool is_taken = !group.branch.empty() && group.branch.front() == reader;
      if (!is_taken && !TakeBranch(reader, &group)) floats_wanted = true;
    }
    if (floats_wanted || group.branch.empty()) group.float_output = tensor;
    fusion_.groups.push_back(std::move(group));
  }

  // The accumulator of a binary layer takes everything into integer thresholds while nothing is added to it.
  bool IntThresholdsFit(const Group& group) const {
    return group.source_node != kNone &&
           std::none_of(group.chain.begin(), group.chain.end(), [this](int n) { return IsResidualAdd(Node(n)); });
  }

  // The bits of the branch that starts at node `first` are made by the group, if there is one and the group has none.
  bool TakeBranch(int first, Group* group) {
    if (!group->branch.empty() || fusion_.group_of[Index(first)] != kNone) return false;
    std::optional<ThresholdBranch> branch = FindThresholdBranch(model_, readers_, first);
    if (!branch) return false;
    for (const int n : branch->nodes) Claim(n);
    group->bits_output = Node(branch->nodes.back()).output;
    group->branch = std::move(branch->nodes);
    group->thresholds = std::move(branch->thresholds);
    group->signs = std::move(branch->signs);
    return true;
  }

  // Marks a node as belonging to the group under construction.
  void Claim(int n) { fusion_.group_of[Index(n)] = static_cast<int>(fusion_.groups.size()); }

  const ModelDef& model_;
  const Readers readers_;
  Fusion fusion_;
};

}  // namespace

Fusion FuseNodes(const formats::ModelDef& model) { return Fuser(model).Run(); }

int ResidualOf(const NodeDef& add, int chain_value) {
  return add.inputs[0] == chain_value ? add.inputs[1] : add.inputs[0];
}

}  // namespace bnn::engine
