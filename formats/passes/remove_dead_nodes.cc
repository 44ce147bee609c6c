// Removes what does nothing: operators that return their input unchanged, nodes that nobody reads, unused constants.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "formats/passes/passes.h"

namespace bnn::formats {
namespace {

bool IsIdentityPermutation(const std::vector<int64_t>& perm) {
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int64_t>(i)) return false;
  }
  return !perm.empty();
}

bool IsAllZero(const Tensor* tensor) {
  return tensor != nullptr && tensor->type == DType::kInt64 &&
         std::all_of(tensor->integers.begin(), tensor->integers.end(), [](int64_t value) { return value == 0; });
}

// Steps of 1 over everything: with the same dims on both sides, only a reversed axis could still move elements.
bool HasOnlyPositiveSteps(const SourceGraph& graph, const SourceNode& node) {
  if (!node.HasInput(4)) return true;
  const Tensor* steps = graph.FindConstant(node.inputs[4]);
  return steps != nullptr &&
         std::all_of(steps->integers.begin(), steps->integers.end(), [](int64_t step) { return step > 0; });
}

// True when the node's output is its first input, for every batch.
bool DoesNothing(const SourceGraph& graph, const SourceNode& node) {
  if (node.op == "Identity") return true;
  if (node.outputs.size() != 1 || !node.HasInput(0)) return false;
  const ValueInfo* in = graph.FindValue(node.inputs[0]);
  const ValueInfo* out = graph.FindValue(node.outputs[0]);
  if (in == nullptr || out == nullptr || in->dims != out->dims || in->type != out->type) return false;
  if (node.op == "Transpose") return IsIdentityPermutation(node.Ints("perm", {}));
  if (node.op == "Pad") return IsAllZero(graph.FindConstant(node.inputs[1]));
  if (node.op == "Slice") {
    // With an open batch, a slice along it may be a no-op for the assumed batch only.
    return HasOnlyPositiveSteps(graph, node) && !graph.batch_is_symbolic;
  }
  if (node.op == "Reshape") {
    const Tensor* target = graph.FindConstant(node.inputs[1]);
    if (target == nullptr || target->integers.empty()) return false;
    // An open batch stays where it is only when the target copies it or leaves it over.
    return !graph.batch_is_symbolic || target->integers[0] == 0 || target->integers[0] == -1;
  }
  if (node.op == "Flatten") return in->dims.size() == 2 && (node.Int("axis", 1) == 1 || node.Int("axis", 1) == -1);
  if (node.op == "Expand") return !graph.batch_is_symbolic;
  return node.op == "Concat" && node.inputs.size() == 1;
}

class Remover {
 public:
  explicit Remover(SourceGraph* graph) : graph_(graph), outputs_(graph->outputs.begin(), graph->outputs.end()) {}

  void Run() {
    RemoveNoOps();
    RemoveUnread();
    RemoveUnusedValues();
  }

 private:
  // A no-op disappears by renaming. Where its output is an output of the graph, the name must stay: then the producer
  // of its input is renamed, if the input is no output, no graph input and no constant itself; otherwise it stays.
  void RemoveNoOps() {
    std::vector<SourceNode> kept;
    std::map<std::string, size_t> producers;  // value -> index in kept
    std::map<std::string, std::string> renamed;
    for (SourceNode& node : graph_->nodes) {
      for (std::string& input : node.inputs) {
        if (const auto it = renamed.find(input); it != renamed.end()) input = it->second;
      }
      if (DoesNothing(*graph_, node)) {
        const std::string& from = node.inputs[0];
        const std::string& to = node.outputs[0];
        if (outputs_.count(to) == 0) {
          renamed[to] = from;
          continue;
        }
        if (outputs_.count(from) == 0 && producers.count(from) > 0) {
          RenameProduced(&kept, producers, from, to);
          renamed[from] = to;
          for (auto& [name, target] : renamed) {
            if (target == from) target = to;
          }
          continue;
        }
      }
      for (const std::string& output : node.outputs) producers[output] = kept.size();
      kept.push_back(std::move(node));
    }
    graph_->nodes = std::move(kept);
  }

  static void RenameProduced(std::vector<SourceNode>* kept, std::map<std::string, size_t>& producers,
                             const std::string& from, const std::string& to) {
    const size_t producer = producers[from];
    for (std::string& output : (*kept)[producer].outputs) {
      if (output == from) output = to;
    }
    for (size_t i = producer; i < kept->size(); ++i) {
      for (std::string& input : (*kept)[i].inputs) {
        if (input == from) input = to;
      }
    }
    producers[to] = producer;
    producers.erase(from);
  }

  void RemoveUnread() {
    std::set<std::string> read = outputs_;
    std::vector<SourceNode> kept;  // in reverse order
    for (size_t i = graph_->nodes.size(); i-- > 0;) {
      SourceNode& node = graph_->nodes[i];
      const bool needed = std::any_of(node.outputs.begin(), node.outputs.end(),
                                      [&](const std::string& output) { return read.count(output) > 0; });
      if (!needed) continue;
      read.insert(node.inputs.begin(), node.inputs.end());
      kept.push_back(std::move(node));
    }
    std::reverse(kept.begin(), kept.end());
    graph_->nodes = std::move(kept);
  }

  void RemoveUnusedValues() {
    std::set<std::string> used = outputs_;
    used.insert(graph_->inputs.begin(), graph_->inputs.end());
    for (const SourceNode& node : graph_->nodes) {
      used.insert(node.inputs.begin(), node.inputs.end());
      used.insert(node.outputs.begin(), node.outputs.end());
    }
    std::erase_if(graph_->constants, [&](const auto& entry) { return used.count(entry.first) == 0; });
    std::erase_if(graph_->values, [&](const auto& entry) { return used.count(entry.first) == 0; });
  }

  SourceGraph* graph_;
  std::set<std::string> outputs_;
};

}  // namespace

Status RemoveDeadNodes(SourceGraph* graph) {
  Remover(graph).Run();
  return OkStatus();
}

}  // namespace bnn::formats
