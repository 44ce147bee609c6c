// A network as imported: float semantics, ONNX operator names, feature maps as NCHW.
//
// Importers normalize the spellings of their versions to ONE form, so that passes, interpreter and lowering know one:
//  * operator names and meanings are ONNX's (domain "") at opset 21, with these conventions:
//      - parameters that newer opsets take as inputs (axes of Squeeze/Unsqueeze/Reduce*, pads of Pad, starts/ends/
//        axes/steps of Slice, split of Split, min/max of Clip, shape of Reshape) are INPUTS; absent ones are "";
//      - BatchNormalization has 5 inputs and 1 output (inference); Dropout is Identity; Constant nodes are constants;
//      - auto_pad is resolved into `pads` wherever shapes are known; Softmax of opset < 13 becomes
//        (Reshape to 2-D, Softmax axis 1, Reshape back) unless its axis is the last one;
//  * quantizers keep their names, with domain "" as well: "BipolarQuant" (x, scale) -> x >= 0 ? scale : -scale, and
//    "FakeQuantize" (x, input_low, input_high, output_low, output_high), attribute levels (REFERENCE.md);
//  * QuantizeLinear states the range of its integers in the attributes low and high, because here all integers are
//  int64;
//    operators on quantized tensors (QLinearConv, QLinearMatMul) are written as DequantizeLinear, the operator on
//    floats, and QuantizeLinear;
//  * Resize is (X, "", scales, sizes), one of the two present, a number for each axis; a size of 0 keeps the axis;
//    Upsample is such a Resize; ConvTranspose has explicit pads and output_padding; DepthToSpace and SpaceToDepth are
//    (Reshape, Transpose, Reshape); Pad knows the mode "symmetric" as well;
//  * what only other sources have: "NormalizeL2" (x, axes), attributes eps and eps_mode ("add", "max"); "Swish"
//    (x / (1 + exp(-alpha * x)), attribute alpha); LRN with an attribute `axes` ([1] where absent);
//  * OpenVINO's "PriorBox" (map size, image size), "PriorBoxClustered" and "DetectionOutput" (boxes, scores, priors),
//    with its attributes, booleans as 0 and 1 and step_w and step_h resolved (ops/prior_box.h, ops/detection_output.h);
//  * feature maps are [N, C, H, W]. An importer of NHWC sources (TensorFlow) renames the axes of its maps, and a
//    Transpose stands only where the source's own order matters: inputs, outputs, reshapes. The lowering keeps maps as
//    NHWC, so these cost nothing;
//  * every dim of every value is known: a symbolic batch becomes 1 and `batch_is_symbolic` is set.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "bnn/status.h"
#include "formats/tensor.h"

namespace bnn::formats {

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, Tensor>;

struct SourceNode {
  std::string name;  // unique in its graph; made from op and first output where the source has none
  std::string op;
  std::vector<std::string> inputs;  // names of values; "" where an optional input is absent
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;

  // The attribute's value, or `fallback` where it is absent. A wrong type counts as absent here: importers check types.
  int64_t Int(const std::string& key, int64_t fallback) const;
  float Float(const std::string& key, float fallback) const;
  std::string String(const std::string& key, const std::string& fallback) const;
  std::vector<int64_t> Ints(const std::string& key, std::vector<int64_t> fallback) const;
  std::vector<float> Floats(const std::string& key, std::vector<float> fallback) const;

  bool HasInput(size_t index) const { return index < inputs.size() && !inputs[index].empty(); }
};

struct ValueInfo {
  DType type = DType::kFloat32;
  Dims dims;
};

struct SourceGraph {
  std::string file;               // for messages
  std::vector<SourceNode> nodes;  // in topological order
  std::map<std::string, Tensor> constants;
  std::map<std::string, ValueInfo> values;  // of every value: inputs, constants, node outputs
  std::vector<std::string> inputs;          // names, without constants, in the source's order
  std::vector<std::string> outputs;         // names, in the source's order
  bool batch_is_symbolic = false;           // axis 0 of the inputs was open

  const Tensor* FindConstant(const std::string& name) const;
  const ValueInfo* FindValue(const std::string& name) const;
};

// Who produces and who reads each value; invalidated by any change of the graph's nodes.
class GraphIndex {
 public:
  explicit GraphIndex(const SourceGraph& graph);
  const SourceNode* Producer(const std::string& value) const;  // nullptr: input or constant
  const std::vector<const SourceNode*>& Consumers(const std::string& value) const;
  bool IsGraphOutput(const std::string& value) const;

 private:
  std::map<std::string, const SourceNode*> producers_;
  std::map<std::string, std::vector<const SourceNode*>> consumers_;
  std::map<std::string, bool> outputs_;
};

// Checks names, order (no cycle), that every input of every node exists, and that every value has known dims.
Status ValidateSourceGraph(const SourceGraph& graph);

// A text listing, one node a line: for --dump-graph and for tests.
std::string DumpGraph(const SourceGraph& graph);

}  // namespace bnn::formats
