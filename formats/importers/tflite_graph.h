// The source graph of a .tflite file under construction: which values its tensors become.
//
// Feature maps
//   TensorFlow Lite keeps maps as [N, H, W, C]; source graphs as [N, C, H, W]: axes are renamed (map_axes.h).
// Quantized tensors
//   An int8 or uint8 tensor with a scale becomes the float value (q - zero_point) * scale, behind a QuantizeLinear and
//   a DequantizeLinear that put it on its grid; the operators between are those of floats. TensorFlow Lite rescales its
//   integer sums by fixed-point multipliers instead: results differ by at most one step of the grid.
// Packed tensors
//   The int32 words between Lce operators become values of -1 and +1 with the channels that they stand for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/importers/graph_builder.h"
#include "formats/importers/importer.h"
#include "formats/importers/map_axes.h"
#include "formats/importers/tflite_model.h"
#include "formats/source_graph.h"

namespace bnn::formats {

class TfliteGraph {
 public:
  TfliteGraph(const TfliteModel& model, SourceGraph* graph);

  // Adds the inputs of the network: before any operator.
  Status AddInputs(const ImportOptions& options);
  // Adds the outputs of the network: after all operators.
  Status AddOutputs();

  const TfliteTensor& tensor(int index) const { return model_.tensors[static_cast<size_t>(index)]; }

  // ---- What an operator reads
  static bool Has(const TfliteOperator& op, size_t input) {
    return input < op.inputs.size() && op.inputs[input] != kTfliteAbsent;
  }
  // OK where the operator has `least` to `most` inputs and the first `least` are there, and `outputs` outputs.
  static Status CheckCounts(const TfliteOperator& op, size_t least, size_t most, size_t outputs = 1);
  // The value of an input: with renamed axes, as floats where it is quantized.
  Result<std::string> Input(const TfliteOperator& op, size_t input);
  // The same in the file's order of axes.
  Result<std::string> InputInFileOrder(const TfliteOperator& op, size_t input);
  // All inputs from `first` on, of one rank so that they broadcast as in the file.
  Result<std::vector<std::string>> BroadcastInputs(const TfliteOperator& op);
  // The elements of a constant input in the file's order, as floats where it is quantized.
  Result<Tensor> ConstantInput(const TfliteOperator& op, size_t input) const;
  // Whether an input is constant or computed from shapes (but not from an open batch), and its elements if it is
  // integer.
  bool IsKnown(const TfliteOperator& op, size_t input);
  Result<std::vector<int64_t>> IntegersInput(const TfliteOperator& op, size_t input);
  // An input of +-1 values that the file packs into words.
  Result<std::string> PackedInput(const TfliteOperator& op, size_t input);
  bool IsPacked(int tensor) const { return values_[static_cast<size_t>(tensor)].packed; }
  // Of the file's order.
  Dims DimsOfInput(const TfliteOperator& op, size_t input) const;
  Dims DimsOf(const std::string& value) const { return builder_.DimsOf(value); }

  // ---- What an operator makes
  std::string NewConstant(const TfliteOperator& op, const std::string& suffix, Tensor tensor);
  std::string NewIntegers(const TfliteOperator& op, const std::string& suffix, std::vector<int64_t> values);
  std::string NewScalar(const TfliteOperator& op, const std::string& suffix, float value) {
    return NewConstant(op, suffix, FloatTensor({}, {value}));
  }
  // A node (without outputs) whose output is only read within the operator; returns that value.
  Result<std::string> Emit(const TfliteOperator& op, SourceNode node, const std::string& suffix);
  // The activation (ActivationFunctionType) of a value.
  Result<std::string> Activate(const TfliteOperator& op, std::string value, int64_t activation);

  struct OutputOptions {
    size_t index = 0;
    int64_t activation = 0;   // ActivationFunctionType, applied behind the node
    bool file_order = false;  // the node makes the file's order of axes
    bool packed = false;      // the file packs the output, +-1 values, into words
  };
  // A node (without outputs) that makes an output of the operator, and whatever must follow it: activation,
  // quantization, renamed axes. Checks the shape against the file's.
  Status Output(const TfliteOperator& op, SourceNode node, const OutputOptions& options);
  Status Output(const TfliteOperator& op, SourceNode node) { return Output(op, std::move(node), OutputOptions{}); }
  // Output 0 is the constant `tensor` in the file's order.
  Status OutputConstant(const TfliteOperator& op, Tensor tensor);

  // Whether shapes in the file hold: not where --shape changes them.
  bool file_shapes_hold() const { return file_shapes_hold_; }

 private:
  // The values that a tensor became; "" where not made yet. One for both orders where the rank is not 4.
  struct Value {
    std::string map;
    std::string file;
    bool packed = false;
    bool folded = false;  // `constant` holds it
    Tensor constant;
  };

  std::string NameOf(int tensor) const;
  bool IsVisible(int tensor) const;
  Result<Tensor> Constant(int tensor) const;
  Status AddInputValue(int tensor);
  Result<std::string> MapValue(int tensor);
  Result<std::string> FileValue(int tensor);
  Status CheckShape(const TfliteOperator& op, int tensor, const std::string& value);
  Status EmitChain(const std::string& name, std::vector<SourceNode> chain, const std::string& result);
  Result<std::vector<SourceNode>> ActivationNodes(int64_t activation, const std::string& name);
  Result<std::vector<SourceNode>> GridNodes(const TfliteTensor& tensor, const std::string& name);

  const TfliteModel& model_;
  SourceGraph* graph_;
  SourceGraphBuilder builder_;
  std::vector<Value> values_;
  std::vector<std::string> names_;  // of the tensors, unique
  std::vector<bool> visible_;       // inputs and outputs of the network
  bool file_shapes_hold_ = true;
};

// "operator 5 (CONV_2D) of tensor 12 'conv': <problem>"
Status TfliteError(const TfliteOperator& op, const std::string& problem);
Status TfliteUnsupported(const TfliteOperator& op, const std::string& problem);

}  // namespace bnn::formats
