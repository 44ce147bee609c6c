// The driver of the lowering: inputs, nodes in order, outputs. What an operator becomes stands in the file of its
// family; how values are kept is in lowering.h.
#include "formats/lower/lower.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "formats/lower/channel_add.h"
#include "formats/lower/concat_steps.h"
#include "formats/lower/fold_affine.h"
#include "formats/lower/layer.h"
#include "formats/lower/lowering.h"
#include "formats/lower/operators.h"
#include "formats/lower/pool_bits.h"

namespace bnn::formats {

LowerFunction FindLowerFunction(const std::string& op) {
  static const std::map<std::string, LowerFunction> kFunctions = {
      {"Abs", LowerUnary},
      {"Add", LowerBinary},
      {"AveragePool", LowerPool},
      {"BatchNormalization", LowerBatchNormalization},
      {"Cast", LowerIdentity},
      {"Ceil", LowerUnary},
      {"Clip", LowerClamp},
      {"Concat", LowerConcat},
      {"Conv", LowerLayer},
      {"ConvTranspose", LowerConvTranspose},
      {"DequantizeLinear", LowerDequantizeLinear},
      {"DetectionOutput", LowerDetectionOutput},
      {"Div", LowerBinary},
      {"Elu", LowerUnary},
      {"Erf", LowerUnary},
      {"Exp", LowerUnary},
      {"FakeQuantize", LowerFakeQuantize},
      {"Flatten", LowerReshape},
      {"Floor", LowerUnary},
      {"Gelu", LowerUnary},
      {"Gemm", LowerLayer},
      {"GlobalAveragePool", LowerGlobalPool},
      {"GlobalMaxPool", LowerGlobalPool},
      {"HardSigmoid", LowerUnary},
      {"HardSwish", LowerUnary},
      {"Identity", LowerIdentity},
      {"LRN", LowerLrn},
      {"LeakyRelu", LowerPRelu},
      {"Log", LowerUnary},
      {"LogSoftmax", LowerSoftmax},
      {"MatMul", LowerLayer},
      {"Max", LowerBinary},
      {"MaxPool", LowerPool},
      {"Min", LowerBinary},
      {"Mish", LowerUnary},
      {"Mul", LowerBinary},
      {"Neg", LowerNeg},
      {"NormalizeL2", LowerNormalizeL2},
      {"PRelu", LowerPRelu},
      {"Pad", LowerPad},
      {"Pow", LowerPow},
      {"QuantizeLinear", LowerQuantizeLinear},
      {"Reciprocal", LowerReciprocal},
      {"ReduceMax", LowerReduce},
      {"ReduceMean", LowerReduce},
      {"ReduceMin", LowerReduce},
      {"ReduceSum", LowerReduce},
      {"Relu", LowerClamp},
      {"Reshape", LowerReshape},
      {"Resize", LowerResize},
      {"Round", LowerUnary},
      {"Sigmoid", LowerUnary},
      {"Sign", LowerSign},
      {"Slice", LowerSlice},
      {"Softplus", LowerUnary},
      {"Softmax", LowerSoftmax},
      {"Split", LowerSplit},
      {"Sqrt", LowerUnary},
      {"Squeeze", LowerReshape},
      {"Sub", LowerBinary},
      {"Swish", LowerUnary},
      {"Tanh", LowerUnary},
      {"Transpose", LowerTranspose},
      {"Unsqueeze", LowerReshape},
  };
  const auto it = kFunctions.find(op);
  return it == kFunctions.end() ? nullptr : it->second;
}

namespace {

class Driver {
 public:
  Driver(const SourceGraph& graph, const FewValuedResult& few_valued, ConversionReport* report)
      : lowering_(graph, few_valued, report) {}

  Result<ModelDef> Run() {
    BNN_RETURN_IF_ERROR(AddInputs());
    for (const SourceNode& node : lowering_.graph.nodes) BNN_RETURN_IF_ERROR(AddNode(node));
    BNN_RETURN_IF_ERROR(UnsupportedNodes());
    BNN_RETURN_IF_ERROR(AddOutputs());
    ModelDef model = lowering_.builder.Take();
    RemoveUnused(&model);  // first: a dead reader must not keep a scale from being folded
    AddInPlaceOfPadding(&model);
    MoveStepsBeforeConcat(&model);
    PoolBits(&model);
    FoldAffineIntoLayers(&model);  // last: it asks where only bits follow
    RemoveUnused(&model);
    model.source_batch = lowering_.graph.batch_is_symbolic ? 0 : batch_;
    return model;
  }

 private:
  Status AddInputs() {
    const SourceGraph& graph = lowering_.graph;
    for (const std::string& name : graph.inputs) lowering_.builder.Reserve(name);
    for (const std::string& name : graph.outputs) lowering_.builder.Reserve(name);
    for (const std::string& name : graph.inputs) {
      const ValueInfo& info = *graph.FindValue(name);
      if (info.type != DType::kFloat32 || info.dims.size() < 2) {
        return Unsupported(graph.file + ": input '" + name + "' is " + DTypeName(info.type) + DimsToString(info.dims) +
                           "; inputs are floats with a batch axis and at least one more");
      }
      if (batch_ == 0) batch_ = info.dims[0];
      if (info.dims[0] != batch_) {
        return Unsupported(graph.file + ": input '" + name + "' has batch " + std::to_string(info.dims[0]) +
                           ", the first input " + std::to_string(batch_));
      }
      Form form;
      form.tensor = lowering_.builder.AddInput(name, NaturalDims(info.dims), LayoutOf(name, info.dims));
      lowering_.SetFloats(name, form);
    }
    return OkStatus();
  }

  // Maps are NCHW, but where an input is only transposed from NHWC, that is what the source takes.
  ImageLayout LayoutOf(const std::string& input, const Dims& dims) const {
    if (dims.size() != 4) return ImageLayout::kNotAnImage;
    const std::vector<const SourceNode*>& readers = lowering_.index.Consumers(input);
    const bool is_nhwc = !readers.empty() && std::all_of(readers.begin(), readers.end(), [](const SourceNode* node) {
      return node->op == "Transpose" && node->Ints("perm", {}) == std::vector<int64_t>{0, 3, 1, 2};
    });
    return is_nhwc ? ImageLayout::kNhwc : ImageLayout::kNchw;
  }

  // Nodes that cannot be lowered are collected, and so that each is named once, what follows from them is skipped.
  Status AddNode(const SourceNode& node) {
    if (std::count(node.outputs.begin(), node.outputs.end(), "") > 0 || node.outputs.empty()) {
      problems_.push_back(NodeNotLowered(node, "one of its outputs has no name").message());
      failed_.insert(node.outputs.begin(), node.outputs.end());
      return OkStatus();
    }
    const bool follows = std::any_of(node.inputs.begin(), node.inputs.end(),
                                     [&](const std::string& input) { return failed_.count(input) > 0; });
    Status status = follows ? OkStatus() : CheckBatch(node);
    // Of more than two values, floats are made as the source makes them, and bits where a binary layer asks for them.
    const LowerFunction lower = FindLowerFunction(node.op);
    const auto found = lowering_.few_valued.values.find(node.outputs[0]);
    const bool few_valued =
        found != lowering_.few_valued.values.end() && (found->second.is_two_valued() || lower == nullptr);
    if (!few_valued && lower == nullptr) {
      status = NodeNotLowered(node, "this operator is not supported on data that the network computes");
    } else if (status.ok() && !follows) {
      status = few_valued ? LowerFewValued(lowering_, node) : lower(lowering_, node);
    }
    if (!status.ok() && status.code() != StatusCode::kUnsupported) return status;
    if (!status.ok()) problems_.push_back(status.message());
    if (!status.ok() || follows) failed_.insert(node.outputs.begin(), node.outputs.end());
    return OkStatus();
  }

  // Every value has the batch in front: that is what lets a model run at any batch size.
  Status CheckBatch(const SourceNode& node) const {
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      const Dims& dims = lowering_.DimsOf(output);
      if (dims.size() >= 2 && dims[0] == batch_) continue;
      return NodeNotLowered(node, "its output " + DimsToString(dims) + " does not keep the batch of " +
                                      std::to_string(batch_) + " as axis 0 of two or more");
    }
    return OkStatus();
  }

  Status UnsupportedNodes() const {
    if (problems_.empty()) return OkStatus();
    std::string message = lowering_.graph.file + ": " + std::to_string(problems_.size()) +
                          (problems_.size() == 1 ? " node has" : " nodes have") + " no counterpart in a model:";
    for (const std::string& problem : problems_) message += "\n  " + problem;
    return Unsupported(message);
  }

  Status AddOutputs() {
    for (const std::string& name : lowering_.graph.outputs) {
      if (lowering_.graph.FindConstant(name) != nullptr) {
        return Unsupported(lowering_.graph.file + ": output '" + name + "' is constant");
      }
      if (lowering_.graph.FindValue(name)->type != DType::kFloat32) {
        return Unsupported(lowering_.graph.file + ": output '" + name + "' is " +
                           DTypeName(lowering_.graph.FindValue(name)->type) + "; outputs are floats");
      }
      BNN_ASSIGN_OR_RETURN(int tensor, lowering_.Natural(name));
      if (lowering_.builder.IsInputOrOutput(tensor)) {  // an output has a tensor of its own
        tensor = lowering_.builder.AddReshape(name, tensor, NaturalDims(lowering_.DimsOf(name)), name + "/copy");
      }
      lowering_.builder.AddOutput(tensor, name);
    }
    return OkStatus();
  }

  Lowering lowering_;
  int64_t batch_ = 0;
  std::set<std::string> failed_;       // values that could not be made
  std::vector<std::string> problems_;  // one a node
};

}  // namespace

Result<ModelDef> Lower(const SourceGraph& graph, const FewValuedResult& few_valued, ConversionReport* report) {
  return Driver(graph, few_valued, report).Run();
}

}  // namespace bnn::formats
