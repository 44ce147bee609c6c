// Constant folding. What depends on constants only becomes a constant; so does what depends on shapes only.
//
// When the batch is open, a shape is not entirely constant: exporters compute Reshape's target from Shape, and folding
// the batch of 1 that we assume into it would close the batch. So the graph's shapes are inferred twice, for a batch of
// 1 and of 2. What agrees does not depend on the batch and is folded; where a Reshape's output differs in one dim, that
// dim is the batch's and is written as 0 (copy the input's dim) or -1 (what is left).
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "formats/interpreter.h"
#include "formats/passes/graph_edit.h"
#include "formats/passes/passes.h"
#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

// Folding must not blow a small file up: outputs above this size are folded only when they are not much larger than
// what they are made from.
constexpr int64_t kAlwaysFoldedElements = int64_t{1} << 20;
constexpr int64_t kMaxGrowth = 4;

bool SameTensor(const Tensor& a, const Tensor& b) {
  return a.type == b.type && a.dims == b.dims && a.floats == b.floats && a.integers == b.integers;
}

bool ReadsShapes(const SourceGraph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const SourceNode& node) { return node.op == "Shape"; });
}

class Folder {
 public:
  Folder(SourceGraph* graph, FoldQuantizers quantizers) : graph_(graph), quantizers_(quantizers) {}

  Status Run() {
    if (ReadsShapes(*graph_)) BNN_RETURN_IF_ERROR(InferShapes());
    std::vector<SourceNode> kept;
    // Nodes are in topological order, so one walk reaches the fixed point.
    for (SourceNode& node : graph_->nodes) {
      bool folded = false;
      BNN_RETURN_IF_ERROR(FoldNode(node, &folded));
      if (folded) continue;
      KeepBatchOpen(&node);
      kept.push_back(std::move(node));
    }
    graph_->nodes = std::move(kept);
    return OkStatus();
  }

 private:
  Status InferShapes() {
    BNN_ASSIGN_OR_RETURN(ShapeInference shapes, InferGraph());
    shapes_ = std::move(shapes);
    if (!graph_->batch_is_symbolic) return OkStatus();
    Result<ShapeInference> doubled = InferGraphWithBatch(*graph_, 2);
    if (doubled.ok()) {
      doubled_ = *std::move(doubled);
    } else {
      // The network itself fixes the batch somewhere: it cannot run with any other.
      graph_->batch_is_symbolic = false;
    }
    return OkStatus();
  }

  Result<ShapeInference> InferGraph() const {
    ShapeInference inference(&graph_->constants);
    for (const std::string& name : graph_->inputs) {
      if (const ValueInfo* info = graph_->FindValue(name)) inference.AddInput(name, *info);
    }
    for (const SourceNode& node : graph_->nodes) {
      if (Status status = inference.AddNode(node); !status.ok()) {
        return Status(status.code(), graph_->file + ": " + status.message());
      }
    }
    return inference;
  }

  // The value when it depends on shapes and constants, but not on an open batch.
  const Tensor* KnownForAnyBatch(const std::string& name) const {
    if (!shapes_.has_value()) return nullptr;
    const Tensor* known = shapes_->FindKnown(name);
    if (known == nullptr || !doubled_.has_value()) return known;
    const Tensor* other = doubled_->FindKnown(name);
    return other != nullptr && SameTensor(*known, *other) ? known : nullptr;
  }

  Status FoldNode(const SourceNode& node, bool* folded) {
    if (quantizers_ == FoldQuantizers::kLeave && node.op == "FakeQuantize") return OkStatus();
    if (FoldKnownOutputs(node)) {
      *folded = true;
      return OkStatus();
    }
    std::vector<const Tensor*> arguments;
    int64_t input_elements = 0;
    for (const std::string& input : node.inputs) {
      const Tensor* constant = input.empty() ? nullptr : graph_->FindConstant(input);
      if (constant == nullptr && !input.empty()) return OkStatus();
      if (constant != nullptr) input_elements += constant->size();
      arguments.push_back(constant);
    }
    for (const std::string& output : node.outputs) {
      const ValueInfo* info = graph_->FindValue(output);
      const int64_t count = info == nullptr ? 0 : CountElements(info->dims);
      if (count > kAlwaysFoldedElements && count / kMaxGrowth > input_elements) return OkStatus();
    }
    Result<std::vector<Tensor>> results = EvaluateNode(node, arguments);
    if (!results.ok()) return {results.status().code(), graph_->file + ": " + results.status().message()};
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].empty()) SetConstant(graph_, node.outputs[i], std::move((*results)[i]));
    }
    *folded = true;
    return OkStatus();
  }

  bool FoldKnownOutputs(const SourceNode& node) {
    for (const std::string& output : node.outputs) {
      if (!output.empty() && KnownForAnyBatch(output) == nullptr) return false;
    }
    for (const std::string& output : node.outputs) {
      if (!output.empty()) SetConstant(graph_, output, *KnownForAnyBatch(output));
    }
    return true;
  }

  // Gives a Reshape whose computed target depends on the batch a constant target that keeps the batch open.
  void KeepBatchOpen(SourceNode* node) {
    if (node->op != "Reshape" || !doubled_.has_value() || graph_->FindConstant(node->inputs[1]) != nullptr) return;
    if (shapes_->FindKnown(node->inputs[1]) == nullptr) return;
    ValueInfo in;
    ValueInfo in_doubled;
    ValueInfo out;
    ValueInfo out_doubled;
    if (!shapes_->FindValue(node->inputs[0], &in) || !doubled_->FindValue(node->inputs[0], &in_doubled) ||
        !shapes_->FindValue(node->outputs[0], &out) || !doubled_->FindValue(node->outputs[0], &out_doubled) ||
        out.dims.size() != out_doubled.dims.size()) {
      return;
    }
    std::vector<int64_t> target = out.dims;
    int open_dims = 0;
    for (size_t i = 0; i < target.size(); ++i) {
      if (target[i] == 0) return;  // an empty tensor: 0 would mean something else
      if (out.dims[i] == out_doubled.dims[i]) continue;
      const bool copies = i < in.dims.size() && in.dims[i] == out.dims[i] && in_doubled.dims[i] == out_doubled.dims[i];
      target[i] = copies ? 0 : -1;
      open_dims += copies ? 0 : 1;
    }
    if (open_dims > 1) return;
    const auto rank = static_cast<int64_t>(target.size());
    node->inputs[1] = AddConstant(graph_, node->outputs[0] + "/shape", IntTensor({rank}, std::move(target)));
    node->attributes.erase("allowzero");
  }

  SourceGraph* graph_;
  FoldQuantizers quantizers_;
  std::optional<ShapeInference> shapes_;   // with the batch of the graph
  std::optional<ShapeInference> doubled_;  // with a batch of 2, when the batch is open
};

}  // namespace

Status FoldConstants(SourceGraph* graph, FoldQuantizers quantizers) { return Folder(graph, quantizers).Run(); }

}  // namespace bnn::formats
