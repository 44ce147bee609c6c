#include "formats/shape_inference.h"

#include <onnx/defs/schema.h>
#include <onnx/defs/shape_inference.h>
#include <onnx/onnx_pb.h>

#include <exception>
#include <utility>

#include "formats/interpreter.h"
#include "formats/onnx_proto.h"
#include "formats/ops/broadcast.h"
#include "formats/ops/evaluator.h"
#include "formats/ops/prior_box.h"
#include "formats/ops/resize.h"
#include "formats/ops/window.h"

namespace bnn::formats {
namespace {

// The newest opset that libonnx 1.12 has schemas for. Of our operators only the Reduce family looks different at 21.
constexpr int kSchemaOpset = 17;

// Values up to this size are given to libonnx and computed along with the shapes.
constexpr int64_t kMaxKnownElements = 4096;

bool FromProtoType(int32_t type, DType* result) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::BFLOAT16:
    case onnx::TensorProto::DOUBLE:
      *result = DType::kFloat32;
      return true;
    case onnx::TensorProto::BOOL:
      *result = DType::kBool;
      return true;
    case onnx::TensorProto::UINT8:
    case onnx::TensorProto::INT8:
    case onnx::TensorProto::UINT16:
    case onnx::TensorProto::INT16:
    case onnx::TensorProto::INT32:
    case onnx::TensorProto::INT64:
    case onnx::TensorProto::UINT32:
    case onnx::TensorProto::UINT64:
      *result = DType::kInt64;
      return true;
    default:  // a number of the file, not an enumerator of ours
      return false;
  }
}

// What libonnx asks while it infers one node.
class NodeContext : public onnx::InferenceContext {
 public:
  explicit NodeContext(size_t outputs) : outputs_(outputs) {}

  void AddAttribute(const std::string& name, const Attribute& attribute) {
    WriteAttribute(name, attribute, &attributes_[name]);
  }
  void AddInput(const ValueInfo& info, const Tensor* data) {
    Input input;
    auto* type = input.type.mutable_tensor_type();
    type->set_elem_type(OnnxType(info.type));
    type->mutable_shape();  // a scalar has a shape, with no dims
    for (const int64_t dim : info.dims) type->mutable_shape()->add_dim()->set_dim_value(dim);
    input.has_data = data != nullptr && data->size() <= kMaxKnownElements;
    if (input.has_data) WriteTensor(*data, "", &input.data);
    inputs_.push_back(std::move(input));
  }
  void AddAbsentInput() { inputs_.emplace_back(); }
  const std::vector<onnx::TypeProto>& outputs() const { return outputs_; }

  const onnx::AttributeProto* getAttribute(const std::string& name) const override {
    const auto it = attributes_.find(name);
    return it == attributes_.end() ? nullptr : &it->second;
  }
  size_t getNumInputs() const override { return inputs_.size(); }
  const onnx::TypeProto* getInputType(size_t index) const override {
    return index < inputs_.size() && inputs_[index].type.has_tensor_type() ? &inputs_[index].type : nullptr;
  }
  const onnx::TensorProto* getInputData(size_t index) const override {
    return index < inputs_.size() && inputs_[index].has_data ? &inputs_[index].data : nullptr;
  }
  size_t getNumOutputs() const override { return outputs_.size(); }
  onnx::TypeProto* getOutputType(size_t index) override { return &outputs_.at(index); }
  onnx::GraphInferencer* getGraphAttributeInferencer(const std::string&) override { return nullptr; }
  const onnx::SparseTensorProto* getInputSparseData(size_t) const override { return nullptr; }
  const onnx::TensorShapeProto* getSymbolicInput(size_t) const override { return nullptr; }

 private:
  struct Input {
    onnx::TypeProto type;
    bool has_data = false;
    onnx::TensorProto data;
  };
  std::map<std::string, onnx::AttributeProto> attributes_;
  std::vector<Input> inputs_;
  std::vector<onnx::TypeProto> outputs_;
};

Result<ValueInfo> FromProto(const SourceNode& node, const onnx::TypeProto& type) {
  ValueInfo info;
  if (!type.has_tensor_type() || !FromProtoType(type.tensor_type().elem_type(), &info.type)) {
    return NodeError(node, "the output's type cannot be determined");
  }
  bool known = type.tensor_type().has_shape();
  for (const auto& dim : type.tensor_type().shape().dim()) {
    known = known && dim.has_dim_value();
    info.dims.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
  }
  if (!known) {
    return NodeUnsupported(node,
                           "the output's shape cannot be determined: it depends on values that are only known "
                           "when the network runs");
  }
  return info;
}

// One output of the shape to which all inputs broadcast.
Result<std::vector<ValueInfo>> InferBroadcast(const SourceNode& node, const std::vector<ValueInfo>& inputs,
                                              DType type) {
  Dims out = inputs[0].dims;
  for (size_t i = 1; i < inputs.size(); ++i) {
    Dims wider;
    if (!BroadcastDims(out, inputs[i].dims, &wider)) {
      return NodeError(node, "input '" + node.inputs[i] + "' of dims " + DimsToString(inputs[i].dims) +
                                 " does not broadcast with " + DimsToString(out));
    }
    out = std::move(wider);
  }
  return std::vector<ValueInfo>{{type, std::move(out)}};
}

// Operators that libonnx's schemas lack.
bool KeepsShape(const std::string& op) { return op == "Gelu" || op == "Mish" || op == "NormalizeL2" || op == "Swish"; }

// Of the Reduce family only ReduceSum takes its axes as an input at kSchemaOpset.
bool HasAxesAttribute(const std::string& op) {
  return op == "ReduceMean" || op == "ReduceMax" || op == "ReduceMin" || op == "ReduceProd";
}

}  // namespace

Status CheckDims(const std::string& what, const Dims& dims) {
  const int64_t count = CountElements(dims);
  if (dims.size() > kMaxRank) {
    return InvalidModel(what + " has " + std::to_string(dims.size()) + " dims, the limit is " +
                        std::to_string(kMaxRank));
  }
  if (count < 0 || count > kMaxValueElements) {
    return InvalidModel(what + " has dims " + DimsToString(dims) + ", the limit is " +
                        std::to_string(kMaxValueElements) + " elements");
  }
  return OkStatus();
}

bool ShapeInference::FindValue(const std::string& name, ValueInfo* info) const {
  if (const auto it = values_.find(name); it != values_.end()) {
    *info = it->second;
    return true;
  }
  const auto it = constants_->find(name);
  if (it == constants_->end()) return false;
  *info = {it->second.type, it->second.dims};
  return true;
}

const Tensor* ShapeInference::FindKnown(const std::string& name) const {
  if (const auto it = constants_->find(name); it != constants_->end()) return &it->second;
  const auto it = known_.find(name);
  return it == known_.end() ? nullptr : &it->second;
}

Result<std::vector<ValueInfo>> ShapeInference::InferBySchema(const SourceNode& node,
                                                             const std::vector<ValueInfo>& inputs) const {
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(node.op, kSchemaOpset, "");
  if (schema == nullptr) return NodeUnsupported(node, "libonnx has no schema for it");
  NodeContext context(node.outputs.size());
  for (const auto& [name, attribute] : node.attributes) context.AddAttribute(name, attribute);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor* data = node.HasInput(i) ? FindKnown(node.inputs[i]) : nullptr;
    if (i == 1 && HasAxesAttribute(node.op)) {
      if (data != nullptr) context.AddAttribute("axes", data->integers);
      if (data == nullptr && node.HasInput(i)) return NodeUnsupported(node, "the axes are no constants");
    } else if (node.HasInput(i)) {
      context.AddInput(inputs[i], data);
    } else {
      context.AddAbsentInput();
    }
  }
  try {
    schema->GetTypeAndShapeInferenceFunction()(context);
  } catch (const std::exception& error) {
    return NodeError(node, std::string("shape inference: ") + error.what());
  }
  std::vector<ValueInfo> outputs;
  for (const onnx::TypeProto& type : context.outputs()) {
    BNN_ASSIGN_OR_RETURN(ValueInfo info, FromProto(node, type));
    outputs.push_back(std::move(info));
  }
  return outputs;
}

Result<std::vector<ValueInfo>> ShapeInference::InferResize(const SourceNode& node, const ValueInfo& x) const {
  const auto known = [&](size_t i) { return node.HasInput(i) ? FindKnown(node.inputs[i]) : nullptr; };
  const Tensor* scales = known(2);
  const Tensor* sizes = known(3);
  if (scales == nullptr && sizes == nullptr) {
    return NodeUnsupported(node, "neither its scales nor its sizes are known before the network runs");
  }
  BNN_ASSIGN_OR_RETURN(const std::vector<ResizedAxis> axes, ResizedAxes(node, x.dims, scales, sizes));
  ValueInfo y = x;
  for (size_t i = 0; i < axes.size(); ++i) y.dims[i] = axes[i].out;
  return std::vector<ValueInfo>{std::move(y)};
}

Result<std::vector<ValueInfo>> ShapeInference::InferPriorBox(const SourceNode& node) const {
  const Tensor* map = FindKnown(node.inputs[0]);
  const Tensor* image = FindKnown(node.inputs[1]);
  if (map == nullptr || image == nullptr) {
    return NodeUnsupported(node, "the size of its map or image is not known before the network runs");
  }
  BNN_ASSIGN_OR_RETURN(Dims dims, PriorBoxDims(node, *map, *image));
  return std::vector<ValueInfo>{{DType::kFloat32, std::move(dims)}};
}

Result<std::vector<ValueInfo>> ShapeInference::InferOutputs(const SourceNode& node,
                                                            const std::vector<ValueInfo>& inputs) const {
  if (node.op == "Conv" || node.op == "MaxPool" || node.op == "AveragePool") {
    const bool is_conv = node.op == "Conv";
    const Dims& x = inputs[0].dims;
    BNN_ASSIGN_OR_RETURN(const Window window, ResolveWindow(node, x, is_conv ? &inputs[1].dims : nullptr));
    const int64_t channels = is_conv ? inputs[1].dims[0] : x[1];
    return std::vector<ValueInfo>{{inputs[0].type, {x[0], channels, window.out[0], window.out[1]}}};
  }
  if (node.op == "ConvTranspose") {
    BNN_ASSIGN_OR_RETURN(const TransposedWindow window, ResolveTransposedWindow(node, inputs[0].dims, inputs[1].dims));
    return std::vector<ValueInfo>{
        {inputs[0].type, {inputs[0].dims[0], window.out_channels, window.out[0], window.out[1]}}};
  }
  if (node.op == "PriorBox" || node.op == "PriorBoxClustered") return InferPriorBox(node);
  if (node.op == "DetectionOutput") {
    BNN_ASSIGN_OR_RETURN(Dims dims, DetectionOutputDims(node, {inputs[0].dims, inputs[1].dims, inputs[2].dims}));
    return std::vector<ValueInfo>{{DType::kFloat32, std::move(dims)}};
  }
  if (node.op == "Resize") return InferResize(node, inputs[0]);
  if (KeepsShape(node.op)) return std::vector<ValueInfo>{inputs[0]};
  if (node.op == "QuantizeLinear") return std::vector<ValueInfo>{{DType::kInt64, inputs[0].dims}};
  if (node.op == "DequantizeLinear") return std::vector<ValueInfo>{{DType::kFloat32, inputs[0].dims}};
  if (node.op == "BipolarQuant" || node.op == "FakeQuantize") return InferBroadcast(node, inputs, DType::kFloat32);
  // libonnx 1.12 leaves the type of these two open.
  if (node.op == "GreaterOrEqual" || node.op == "LessOrEqual") return InferBroadcast(node, inputs, DType::kBool);
  BNN_ASSIGN_OR_RETURN(std::vector<ValueInfo> outputs, InferBySchema(node, inputs));
  // libonnx takes the target of a Reshape as it is.
  if (node.op == "Reshape" && CountElements(outputs[0].dims) != CountElements(inputs[0].dims)) {
    return NodeError(node, "cannot view dims " + DimsToString(inputs[0].dims) + " as " + DimsToString(outputs[0].dims));
  }
  return outputs;
}

Status ShapeInference::AddNode(const SourceNode& node) {
  const Evaluator* evaluator = FindEvaluator(node.op);
  if (evaluator == nullptr) return NodeUnsupported(node, "unknown operator");
  const auto count = static_cast<int>(node.inputs.size());
  if (count < evaluator->required_inputs || count > evaluator->max_inputs) {
    return NodeError(node, "has " + std::to_string(count) + " inputs, expected " +
                               std::to_string(evaluator->required_inputs) + " to " +
                               std::to_string(evaluator->max_inputs));
  }
  if (node.outputs.empty() || node.outputs.size() > static_cast<size_t>(evaluator->max_outputs)) {
    return NodeError(node, "has " + std::to_string(node.outputs.size()) + " outputs, expected 1 to " +
                               std::to_string(evaluator->max_outputs));
  }
  std::vector<ValueInfo> inputs(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.HasInput(i)) {
      if (static_cast<int>(i) < evaluator->required_inputs) {
        return NodeError(node, "required input " + std::to_string(i) + " is absent");
      }
      continue;
    }
    if (!FindValue(node.inputs[i], &inputs[i])) return NodeError(node, "reads unknown '" + node.inputs[i] + "'");
  }
  BNN_ASSIGN_OR_RETURN(std::vector<ValueInfo> outputs, InferOutputs(node, inputs));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    BNN_RETURN_IF_ERROR(
        CheckDims("node '" + node.name + "' (" + node.op + "): the output '" + node.outputs[i] + "'", outputs[i].dims));
    values_[node.outputs[i]] = std::move(outputs[i]);
  }
  return PropagateData(node);
}

Status ShapeInference::PropagateData(const SourceNode& node) {
  for (const std::string& output : node.outputs) {
    if (!output.empty() && CountElements(values_[output].dims) > kMaxKnownElements) return OkStatus();
  }
  Tensor shape_only;  // Shape reads no elements
  std::vector<const Tensor*> arguments;
  std::vector<Tensor> results;
  if (node.op == "Shape") {
    ValueInfo info;
    FindValue(node.inputs[0], &info);
    shape_only.dims = info.dims;
    BNN_ASSIGN_OR_RETURN(results, EvaluateShape(node, {&shape_only}));
  } else {
    for (const std::string& input : node.inputs) {
      const Tensor* known = input.empty() ? nullptr : FindKnown(input);
      if (!input.empty() && (known == nullptr || known->size() > kMaxKnownElements)) return OkStatus();
      arguments.push_back(known);
    }
    BNN_ASSIGN_OR_RETURN(results, EvaluateNode(node, arguments));
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].empty()) known_[node.outputs[i]] = std::move(results[i]);
  }
  return OkStatus();
}

Result<ShapeInference> InferGraphWithBatch(const SourceGraph& graph, int64_t batch) {
  ShapeInference inference(&graph.constants);
  for (const std::string& name : graph.inputs) {
    const ValueInfo* info = graph.FindValue(name);
    if (info == nullptr) return InvalidModel(graph.file + ": input '" + name + "' has no shape");
    ValueInfo with_batch = *info;
    if (!with_batch.dims.empty()) with_batch.dims[0] = batch;
    inference.AddInput(name, std::move(with_batch));
  }
  for (const SourceNode& node : graph.nodes) {
    if (Status status = inference.AddNode(node); !status.ok()) {
      return Status(status.code(), graph.file + ": " + status.message());
    }
  }
  return inference;
}

}  // namespace bnn::formats
