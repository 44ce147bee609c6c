// Types and shapes of the values of a normalized source graph, node by node, with the integers that shapes are computed
// from.
//
// Convolution, pooling and the quantizers follow our own rules (formats/ops); all other operators follow libonnx, whose
// schemas are asked at one fixed opset, since the graph is normalized to one form. libonnx needs the values of some
// inputs (the target of Reshape, the starts of Slice, ...). Where those are computed from shapes, as exporters like to
// write, the interpreter computes them here along with the shapes.
#pragma once

#include <map>
#include <string>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

inline constexpr int64_t kMaxValueElements = int64_t{1} << 31;
inline constexpr size_t kMaxRank = 16;

// OK when a value of these dims is within the limits. The message begins with `what`.
Status CheckDims(const std::string& what, const Dims& dims);

class ShapeInference {
 public:
  // `constants` (never null) must outlive this object; constants may be added to it while nodes are added.
  explicit ShapeInference(const std::map<std::string, Tensor>* constants) : constants_(constants) {}

  void AddInput(const std::string& name, ValueInfo info) { values_[name] = std::move(info); }

  // Infers the outputs of `node`; its inputs must be constants, inputs or outputs of nodes added before.
  Status AddNode(const SourceNode& node);

  // The type and shape of a value; false where it is not known yet.
  bool FindValue(const std::string& name, ValueInfo* info) const;

  // The elements of a constant, or of a small value that depends on shapes and constants only; else nullptr.
  const Tensor* FindKnown(const std::string& name) const;

  // The inputs and all outputs of the nodes; without the constants.
  const std::map<std::string, ValueInfo>& values() const { return values_; }

 private:
  Result<std::vector<ValueInfo>> InferOutputs(const SourceNode& node, const std::vector<ValueInfo>& inputs) const;
  Result<std::vector<ValueInfo>> InferBySchema(const SourceNode& node, const std::vector<ValueInfo>& inputs) const;
  Result<std::vector<ValueInfo>> InferPriorBox(const SourceNode& node) const;
  Result<std::vector<ValueInfo>> InferResize(const SourceNode& node, const ValueInfo& x) const;
  Status PropagateData(const SourceNode& node);

  const std::map<std::string, Tensor>* constants_;
  std::map<std::string, ValueInfo> values_;
  std::map<std::string, Tensor> known_;
};

// All values of a graph whose inputs have the given first dim (axis 0 of every input; other dims as in the graph).
Result<ShapeInference> InferGraphWithBatch(const SourceGraph& graph, int64_t batch);

}  // namespace bnn::formats
