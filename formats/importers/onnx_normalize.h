// The spellings of ONNX's opsets -> the one form of source_graph.h, node by node.
//
// Nodes come in topological order, and each is normalized when all shapes before it are known, so that whatever depends
// on shapes (auto_pad, the equal parts of Split, the axes of old Softmax) is resolved at once.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "bnn/status.h"
#include "formats/importers/graph_builder.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// The graph under construction, and what normalization needs to know of the file.
class OnnxGraphBuilder : public SourceGraphBuilder {
 public:
  // `taken`: all value names of the file; `read`: those that a node reads or that are outputs of the graph.
  OnnxGraphBuilder(SourceGraph* graph, int64_t opset, std::set<std::string> taken, std::set<std::string> read)
      : SourceGraphBuilder(graph, std::move(taken)), opset_(opset), read_(std::move(read)) {}

  int64_t opset() const { return opset_; }
  bool IsRead(const std::string& value) const { return read_.count(value) > 0; }

  // The element type that the file gives a constant (onnx::TensorProto::DataType): all integers are int64 here, but
  // QuantizeLinear saturates to the type of its zero point.
  void SetElementType(const std::string& constant, int32_t type) { element_types_[constant] = type; }
  // 0 where it is not known.
  int32_t ElementTypeOf(const std::string& constant) const {
    const auto it = element_types_.find(constant);
    return it == element_types_.end() ? 0 : it->second;
  }

 private:
  int64_t opset_;
  std::set<std::string> read_;
  std::map<std::string, int32_t> element_types_;
};

using NormalizeFunction = Status (*)(SourceNode node, OnnxGraphBuilder* builder);

struct OnnxOperator {
  const char* op;
  NormalizeFunction normalize;
};

// How to import an operator; nullptr where it is not supported. `domain` is as in the file.
const OnnxOperator* FindOnnxOperator(const std::string& domain, const std::string& op);

// onnx_normalize.cc: parameters that moved from attributes to inputs, n-ary operators, quantizers
Status KeepNode(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeAxis(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeAxesInput(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeCast(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeClip(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeConstant(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeFakeQuantize(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizePad(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeReduce(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeSlice(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeSplit(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeTranspose(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeVariadic(SourceNode node, OnnxGraphBuilder* builder);
// onnx_normalize_nn.cc: layers
Status NormalizeBatchNormalization(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeDropout(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeSoftmax(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeWindow(SourceNode node, OnnxGraphBuilder* builder);
// onnx_normalize_maps.cc: other sizes of maps, LpNormalization
Status NormalizeConvTranspose(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeDepthToSpace(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeLpNormalization(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeResize(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeSpaceToDepth(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeUpsample(SourceNode node, OnnxGraphBuilder* builder);
// onnx_normalize_qonnx.cc: QONNX's quantizer
Status NormalizeQuant(SourceNode node, OnnxGraphBuilder* builder);
// onnx_normalize_quant.cc: integers
Status NormalizeDequantizeLinear(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeQLinear(SourceNode node, OnnxGraphBuilder* builder);
Status NormalizeQuantizeLinear(SourceNode node, OnnxGraphBuilder* builder);

}  // namespace bnn::formats
