// The operators of OpenVINO's opsets -> the one form of source_graph.h, layer by layer.
//
// One table (openvino_operators.cc) lists them all; one file a family holds the functions. A function gets an IrNode:
// the layer, the values that it reads, and the means to append nodes. Layers come in topological order and all shapes
// before them are known. Whoever adds an operator writes its function and its line in the table; what the function
// makes is compared with the shapes that the IR states for the layer's outputs, so a misread attribute does not pass.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bnn/status.h"
#include "formats/importers/graph_builder.h"
#include "formats/importers/openvino_constants.h"
#include "formats/importers/openvino_net.h"

namespace bnn::formats {

using AttributeMap = std::map<std::string, Attribute>;

// One layer on its way into the source graph.
class IrNode {
 public:
  IrNode(const IrLayer& from, std::string target, std::vector<std::string> read, std::vector<std::string> made,
         SourceGraphBuilder* into)
      : layer(from), op(std::move(target)), inputs(std::move(read)), outputs(std::move(made)), builder(into) {}

  const IrLayer& layer;
  const std::string op;                    // the operator of the source graph that the table names for it, or ""
  const std::vector<std::string> inputs;   // names of values, one a port
  const std::vector<std::string> outputs;  // likewise
  SourceGraphBuilder* const builder;

  // Attributes of <data>. Absent ones are `fallback`, or an error where there is none; so is text that is not of the
  // type. Attributes that nobody asks for have no meaning in OpenVINO, and none here.
  bool Has(const std::string& key) const { return layer.data.count(key) > 0; }
  Result<int64_t> Int(const std::string& key, std::optional<int64_t> fallback = std::nullopt) const;
  Result<float> Float(const std::string& key, std::optional<float> fallback = std::nullopt) const;
  Result<bool> Bool(const std::string& key, std::optional<bool> fallback = std::nullopt) const;
  Result<std::vector<int64_t>> Ints(const std::string& key,
                                    std::optional<std::vector<int64_t>> fallback = std::nullopt) const;
  Result<std::vector<float>> Floats(const std::string& key,
                                    std::optional<std::vector<float>> fallback = std::nullopt) const;
  // One of `words` (lower case), or an error that lists them.
  Result<std::string> Word(const std::string& key, const std::vector<std::string>& words,
                           std::optional<std::string> fallback = std::nullopt) const;

  // What is known of inputs.
  bool HasInput(size_t index) const { return index < inputs.size(); }
  ValueInfo InfoOf(size_t input) const { return builder->InfoOf(inputs[input]); }
  Dims DimsOf(size_t input) const { return InfoOf(input).dims; }
  int64_t RankOf(size_t input) const { return static_cast<int64_t>(DimsOf(input).size()); }
  // Elements of an input that is constant or computed from shapes; an error that names the layer else.
  Result<std::vector<int64_t>> KnownInts(size_t input) const;
  Result<std::vector<float>> KnownFloats(size_t input) const;

  // Appends a node in front of the last one and returns the name of its output: "<layer>/<op>".
  Result<std::string> Step(const std::string& op, const std::vector<std::string>& inputs,
                           const AttributeMap& attributes = {}) const;
  // Appends the last node, which has the name and the outputs of the layer. Outputs that nobody reads may be left out:
  // `count` is how many there are.
  Status Finish(const std::string& op, const std::vector<std::string>& inputs, const AttributeMap& attributes = {},
                size_t count = 1) const;
  // A constant "<layer>/<hint>".
  std::string Constant(const std::string& hint, Tensor tensor) const;
  std::string IntsConstant(const std::string& hint, std::vector<int64_t> values) const;

  Status Error(const std::string& problem) const { return LayerError(layer, problem); }
  Status NotSupported(const std::string& problem) const { return LayerUnsupported(layer, problem); }

 private:
  Result<std::string> Text(const std::string& key) const;
};

using OpenvinoFunction = Status (*)(const IrNode& node);

struct OpenvinoOperator {
  const char* type;  // as in the IR; compared without regard to case, as OpenVINO does
  int newest_opset;  // the newest opset that changed it, as far as `import` knows; older ones are known, too
  size_t min_inputs;
  size_t max_inputs;
  OpenvinoFunction import;
  const char* op = "";  // what IrNode::op is
};

std::span<const OpenvinoOperator> OpenvinoOperators();

// nullptr where the type is not supported.
const OpenvinoOperator* FindOpenvinoOperator(const std::string& type);

// openvino_elementwise.cc
Status ImportRenamed(const IrNode& node);     // the same operator by another name
Status ImportArithmetic(const IrNode& node);  // two inputs that broadcast
Status ImportNegated(const IrNode& node);     // Not(op(a, b))
Status ImportDivide(const IrNode& node);
Status ImportSquaredDifference(const IrNode& node);
Status ImportClamp(const IrNode& node);
Status ImportConvert(const IrNode& node);
Status ImportConvertLike(const IrNode& node);
Status ImportFakeQuantize(const IrNode& node);
Status ImportHardSigmoid(const IrNode& node);
Status ImportHSigmoid(const IrNode& node);
Status ImportPRelu(const IrNode& node);
Status ImportRound(const IrNode& node);
Status ImportSwish(const IrNode& node);
// openvino_detection.cc
Status ImportPriorBox(const IrNode& node);
Status ImportPriorBoxClustered(const IrNode& node);
Status ImportDetectionOutput(const IrNode& node);
// openvino_layers.cc
Status ImportConvolution(const IrNode& node);
Status ImportGroupConvolution(const IrNode& node);
Status ImportBinaryConvolution(const IrNode& node);
Status ImportMatMul(const IrNode& node);
Status ImportPool(const IrNode& node);
Status ImportBatchNorm(const IrNode& node);
Status ImportSoftmax(const IrNode& node);
Status ImportReduce(const IrNode& node);
// openvino_maps.cc
Status ImportConvolutionBackprop(const IrNode& node);
Status ImportGroupConvolutionBackprop(const IrNode& node);
Status ImportInterpolate(const IrNode& node);
Status ImportDepthToSpace(const IrNode& node);
Status ImportSpaceToDepth(const IrNode& node);
Status ImportLrn(const IrNode& node);
Status ImportNormalizeL2(const IrNode& node);
Status ImportElu(const IrNode& node);
Status ImportGelu(const IrNode& node);
// openvino_move.cc
Status ImportConcat(const IrNode& node);
Status ImportGather(const IrNode& node);
Status ImportPad(const IrNode& node);
Status ImportSplit(const IrNode& node);
Status ImportVariadicSplit(const IrNode& node);
Status ImportTranspose(const IrNode& node);
Status ImportShuffleChannels(const IrNode& node);
Status ImportTile(const IrNode& node);
// openvino_slice.cc
Status ImportSlice(const IrNode& node);
Status ImportStridedSlice(const IrNode& node);
// openvino_shape.cc
Status ImportReshape(const IrNode& node);
Status ImportSqueeze(const IrNode& node);
Status ImportUnsqueeze(const IrNode& node);
Status ImportShapeOf(const IrNode& node);
Status ImportBroadcast(const IrNode& node);
Status ImportRange(const IrNode& node);

}  // namespace bnn::formats
