#include "formats/importers/tflite_graph.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "formats/importers/input_dims.h"
#include "formats/importers/tflite_tensor.h"

namespace bnn::formats {
namespace {

bool IsMap(const Dims& dims) { return dims.size() == 4; }

DType ValueType(const TfliteTensor& tensor) {
  switch (tensor.type) {
    case TfliteType::kFloat32:
    case TfliteType::kFloat16:
      return DType::kFloat32;
    case TfliteType::kInt8:
    case TfliteType::kUInt8:
      return tensor.is_quantized() ? DType::kFloat32 : DType::kInt64;
    case TfliteType::kInt32:
    case TfliteType::kInt64:
      return DType::kInt64;
    case TfliteType::kBool:
      return DType::kBool;
  }
  return DType::kFloat32;
}

}  // namespace

Status TfliteError(const TfliteOperator& op, const std::string& problem) {
  return InvalidModel(op.label + ": " + problem);
}

Status TfliteUnsupported(const TfliteOperator& op, const std::string& problem) {
  return Unsupported(op.label + ": " + problem);
}

TfliteGraph::TfliteGraph(const TfliteModel& model, SourceGraph* graph)
    : model_(model),
      graph_(graph),
      builder_(graph, {}),
      values_(model.tensors.size()),
      names_(model.tensors.size()),
      visible_(model.tensors.size(), false) {
  // Inputs and outputs first: they keep their names.
  for (const std::vector<int>* list : {&model.inputs, &model.outputs}) {
    for (const int index : *list) {
      visible_[static_cast<size_t>(index)] = true;
      if (names_[static_cast<size_t>(index)].empty()) names_[static_cast<size_t>(index)] = NameOf(index);
    }
  }
  for (std::string& name : names_) {
    if (!name.empty()) name = builder_.NewValueName(name);
  }
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].empty()) names_[i] = builder_.NewValueName(NameOf(static_cast<int>(i)));
  }
}

std::string TfliteGraph::NameOf(int tensor) const {
  const std::string& name = model_.tensors[static_cast<size_t>(tensor)].name;
  return name.empty() ? "tensor_" + std::to_string(tensor) : name;
}

Status TfliteGraph::AddInputs(const ImportOptions& options) {
  size_t open_batches = 0;
  for (const int index : model_.inputs) {
    const TfliteTensor& tensor = this->tensor(index);
    const std::string& name = names_[static_cast<size_t>(index)];
    std::vector<DeclaredDim> declared;
    for (size_t i = 0; i < tensor.dims.size(); ++i) {
      declared.push_back({tensor.open[i] ? std::optional<int64_t>() : tensor.dims[i], ""});
    }
    BNN_ASSIGN_OR_RETURN(const InputDims resolved, ResolveInputDims(name, declared, options));
    const ValueInfo info{ValueType(tensor), resolved.dims};
    file_shapes_hold_ = file_shapes_hold_ && info.dims == tensor.dims;
    open_batches += resolved.batch_is_open ? 1 : 0;
    builder_.DefineInput(name, info);
  }
  BNN_RETURN_IF_ERROR(CheckGivenShapes(graph_->inputs, options));
  if (open_batches > 0 && open_batches == model_.inputs.size()) builder_.OpenBatch();
  for (const int index : model_.inputs) BNN_RETURN_IF_ERROR(AddInputValue(index));
  return OkStatus();
}

// What operators read of an input: with renamed axes, on its grid.
Status TfliteGraph::AddInputValue(int index) {
  const std::string& name = names_[static_cast<size_t>(index)];
  Value& value = values_[static_cast<size_t>(index)];
  const bool is_map = IsMap(tensor(index).dims);
  std::vector<SourceNode> chain;
  if (is_map) chain.push_back(TransposeToMap(""));
  BNN_ASSIGN_OR_RETURN(const std::vector<SourceNode> grid, GridNodes(tensor(index), name));
  chain.insert(chain.end(), grid.begin(), grid.end());
  value.map = chain.empty() ? name : builder_.NewValueName(name + (is_map ? "/nchw" : "/grid"));
  value.file = is_map ? name : value.map;
  if (chain.empty()) return OkStatus();
  chain[0].inputs[0] = name;
  return EmitChain(name, std::move(chain), value.map);
}

Status TfliteGraph::AddOutputs() {
  for (const int index : model_.outputs) {
    const TfliteTensor& tensor = this->tensor(index);
    Value& value = values_[static_cast<size_t>(index)];
    const std::string& name = names_[static_cast<size_t>(index)];
    if (value.packed) {
      return Unsupported(tensor.label + " is an output of the network and holds packed bits; outputs are floats");
    }
    const bool is_input = std::find(model_.inputs.begin(), model_.inputs.end(), index) != model_.inputs.end();
    if (!is_input) {
      BNN_ASSIGN_OR_RETURN(const std::string made, FileValue(index));
      if (made != name) return Unsupported(tensor.label + " is an output of the network and constant");
    }
    graph_->outputs.push_back(name);
  }
  return OkStatus();
}

Status TfliteGraph::CheckCounts(const TfliteOperator& op, size_t least, size_t most, size_t outputs) {
  for (size_t i = 0; i < least; ++i) {
    if (!Has(op, i)) return TfliteError(op, "input " + std::to_string(i) + " is absent");
  }
  if (op.inputs.size() > most) {
    return TfliteUnsupported(
        op, "has " + std::to_string(op.inputs.size()) + " inputs, expected at most " + std::to_string(most));
  }
  if (op.outputs.size() != outputs) {
    return TfliteError(op,
                       "has " + std::to_string(op.outputs.size()) + " outputs, expected " + std::to_string(outputs));
  }
  return OkStatus();
}

Result<Tensor> TfliteGraph::Constant(int index) const {
  const Value& value = values_[static_cast<size_t>(index)];
  return value.folded ? Result<Tensor>(value.constant) : TensorFromTflite(tensor(index));
}

Result<std::string> TfliteGraph::MapValue(int index) {
  Value& value = values_[static_cast<size_t>(index)];
  if (!value.map.empty()) return value.map;
  if (!tensor(index).is_constant && !value.folded) {
    return InternalError(tensor(index).label + " has no value");
  }
  BNN_ASSIGN_OR_RETURN(Tensor constant, Constant(index));
  const std::string& name = names_[static_cast<size_t>(index)];
  const bool is_map = IsMap(constant.dims);
  value.map = visible_[static_cast<size_t>(index)] ? builder_.NewValueName(name + "/constant") : name;
  if (!is_map) value.file = value.map;
  builder_.DefineConstant(value.map, ToMapOrder(std::move(constant)));
  return value.map;
}

Result<std::string> TfliteGraph::FileValue(int index) {
  BNN_ASSIGN_OR_RETURN(const std::string map, MapValue(index));
  Value& value = values_[static_cast<size_t>(index)];
  if (!value.file.empty()) return value.file;
  const std::string& name = names_[static_cast<size_t>(index)];
  const bool is_constant = tensor(index).is_constant || value.folded;
  value.file = visible_[static_cast<size_t>(index)] && !is_constant ? name : builder_.NewValueName(name + "/nhwc");
  BNN_RETURN_IF_ERROR(EmitChain(name + "/file_order", {TransposeToFile(map)}, value.file));
  return value.file;
}

Result<std::string> TfliteGraph::Input(const TfliteOperator& op, size_t input) {
  if (!Has(op, input)) return TfliteError(op, "input " + std::to_string(input) + " is absent");
  if (IsPacked(op.inputs[input])) {
    return TfliteUnsupported(op,
                             "input " + std::to_string(input) + " holds packed bits, which only Lce operators read");
  }
  return MapValue(op.inputs[input]);
}

Result<std::string> TfliteGraph::InputInFileOrder(const TfliteOperator& op, size_t input) {
  BNN_RETURN_IF_ERROR(Input(op, input).status());
  return FileValue(op.inputs[input]);
}

Result<std::string> TfliteGraph::PackedInput(const TfliteOperator& op, size_t input) {
  if (!Has(op, input)) return TfliteError(op, "input " + std::to_string(input) + " is absent");
  if (!IsPacked(op.inputs[input])) {
    return TfliteUnsupported(op, "input " + std::to_string(input) + ", " + tensor(op.inputs[input]).label +
                                     ", was not packed by an Lce operator");
  }
  return MapValue(op.inputs[input]);
}

Dims TfliteGraph::DimsOfInput(const TfliteOperator& op, size_t input) const {
  const Value& value = values_[static_cast<size_t>(op.inputs[input])];
  return value.map.empty() ? tensor(op.inputs[input]).dims : FileDimsOf(builder_.DimsOf(value.map));
}

Result<std::vector<std::string>> TfliteGraph::BroadcastInputs(const TfliteOperator& op) {
  size_t rank = 0;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    BNN_RETURN_IF_ERROR(Input(op, i).status());
    rank = std::max(rank, DimsOfInput(op, i).size());
  }
  std::vector<std::string> values;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const Dims dims = DimsOfInput(op, i);
    if (rank != 4 || dims.size() == rank || CountElements(dims) == 1) {
      BNN_ASSIGN_OR_RETURN(std::string value, rank == 4 ? Input(op, i) : InputInFileOrder(op, i));
      values.push_back(std::move(value));
      continue;
    }
    Dims wide(rank - dims.size(), 1);
    wide.insert(wide.end(), dims.begin(), dims.end());
    const std::string suffix = "/operand" + std::to_string(i);
    if (tensor(op.inputs[i]).is_constant || values_[static_cast<size_t>(op.inputs[i])].folded) {
      BNN_ASSIGN_OR_RETURN(Tensor constant, ConstantInput(op, i));
      constant.dims = wide;
      values.push_back(NewConstant(op, suffix, ToMapOrder(std::move(constant))));
      continue;
    }
    BNN_ASSIGN_OR_RETURN(const std::string value, Input(op, i));
    SourceNode reshape = MakeNode("Reshape", {value, NewIntegers(op, suffix + "/dims", wide)});
    BNN_ASSIGN_OR_RETURN(const std::string reshaped, Emit(op, std::move(reshape), suffix + "/nhwc"));
    BNN_ASSIGN_OR_RETURN(std::string mapped, Emit(op, TransposeToMap(reshaped), suffix));
    values.push_back(std::move(mapped));
  }
  return values;
}

Result<Tensor> TfliteGraph::ConstantInput(const TfliteOperator& op, size_t input) const {
  if (!Has(op, input)) return TfliteError(op, "input " + std::to_string(input) + " is absent");
  const int index = op.inputs[input];
  if (!tensor(index).is_constant && !values_[static_cast<size_t>(index)].folded) {
    return TfliteUnsupported(op, "input " + std::to_string(input) + ", " + tensor(index).label + ", is not constant");
  }
  return Constant(index);
}

Result<std::vector<int64_t>> TfliteGraph::IntegersInput(const TfliteOperator& op, size_t input) {
  BNN_ASSIGN_OR_RETURN(const std::string value, Input(op, input));
  const Tensor* known = builder_.FindKnown(value);
  if (known == nullptr || known->type != DType::kInt64) {
    return TfliteUnsupported(op, "input " + std::to_string(input) + ", " + tensor(op.inputs[input]).label +
                                     ", must be integers that are known before the network runs");
  }
  return known->integers;
}

bool TfliteGraph::IsKnown(const TfliteOperator& op, size_t input) {
  const Result<std::string> value = Input(op, input);
  return value.ok() && builder_.FindKnown(*value) != nullptr;
}

std::string TfliteGraph::NewConstant(const TfliteOperator& op, const std::string& suffix, Tensor tensor) {
  return builder_.AddConstant(names_[static_cast<size_t>(op.outputs[0])] + suffix, std::move(tensor));
}

std::string TfliteGraph::NewIntegers(const TfliteOperator& op, const std::string& suffix, std::vector<int64_t> values) {
  return NewConstant(op, suffix, IntList(std::move(values)));
}

Result<std::string> TfliteGraph::Emit(const TfliteOperator& op, SourceNode node, const std::string& suffix) {
  const std::string name = names_[static_cast<size_t>(op.outputs[0])] + suffix;
  std::string value = builder_.NewValueName(name);
  const Status status = EmitChain(name, {std::move(node)}, value);
  if (!status.ok()) return Status(status.code(), op.label + ": " + status.message());
  return value;
}

// Each node reads the one before it; the last one makes `result`. Nodes are called after what they make.
Status TfliteGraph::EmitChain(const std::string& name, std::vector<SourceNode> chain, const std::string& result) {
  for (size_t i = 0; i < chain.size(); ++i) {
    if (i > 0) chain[i].inputs[0] = chain[i - 1].outputs[0];
    chain[i].name = i == 0 ? name : name + "/" + chain[i].op;
    const bool is_last = i + 1 == chain.size();
    chain[i].outputs = {is_last ? result : builder_.NewValueName(name + "/" + chain[i].op)};
    BNN_RETURN_IF_ERROR(builder_.Emit(chain[i]));
  }
  return OkStatus();
}

Result<std::vector<SourceNode>> TfliteGraph::ActivationNodes(int64_t activation, const std::string& name) {
  const auto clip = [&](float low, float high) {
    const std::string least = builder_.AddConstant(name + "/low", FloatTensor({}, {low}));
    return MakeNode("Clip", {"", least, builder_.AddConstant(name + "/high", FloatTensor({}, {high}))});
  };
  switch (activation) {
    case 0:  // NONE
      return std::vector<SourceNode>{};
    case 1:
      return std::vector<SourceNode>{MakeNode("Relu", {""})};
    case 2:  // RELU_N1_TO_1
      return std::vector<SourceNode>{clip(-1, 1)};
    case 3:  // RELU6
      return std::vector<SourceNode>{clip(0, 6)};
    case 4:
      return std::vector<SourceNode>{MakeNode("Tanh", {""})};
    default:  // a number of the file
      return Unsupported("field fused_activation_function is " + std::to_string(activation) +
                         ", expected NONE (0), RELU (1), RELU_N1_TO_1 (2), RELU6 (3) or TANH (4)");
  }
}

// What puts floats on the grid of a quantized tensor.
Result<std::vector<SourceNode>> TfliteGraph::GridNodes(const TfliteTensor& tensor, const std::string& name) {
  if (!tensor.is_quantized()) return std::vector<SourceNode>{};
  const TfliteQuantization& quantization = tensor.quantization;
  if (quantization.scales.size() != 1) {
    return Unsupported(tensor.label + ": quantization: field scale has " + std::to_string(quantization.scales.size()) +
                       " elements, expected 1 for a computed tensor");
  }
  const std::string scale = builder_.AddConstant(name + "/scale", FloatTensor({}, {quantization.scales[0]}));
  const std::string zero_point =
      builder_.AddConstant(name + "/zero_point", IntTensor({}, {quantization.zero_points[0]}));
  SourceNode quantize = MakeNode("QuantizeLinear", {"", scale, zero_point});
  quantize.attributes["low"] = int64_t{tensor.type == TfliteType::kInt8 ? -128 : 0};
  quantize.attributes["high"] = int64_t{tensor.type == TfliteType::kInt8 ? 127 : 255};
  return std::vector<SourceNode>{std::move(quantize), MakeNode("DequantizeLinear", {"", scale, zero_point})};
}

Result<std::string> TfliteGraph::Activate(const TfliteOperator& op, std::string value, int64_t activation) {
  const std::string& name = names_[static_cast<size_t>(op.outputs[0])];
  Result<std::vector<SourceNode>> nodes = ActivationNodes(activation, name);
  if (!nodes.ok()) return TfliteUnsupported(op, nodes.status().message());
  if (nodes->empty()) return value;
  (*nodes)[0].inputs[0] = value;
  return Emit(op, (*nodes)[0], "/activation");
}

Status TfliteGraph::Output(const TfliteOperator& op, SourceNode node, const OutputOptions& options) {
  const int index = op.outputs[options.index];
  const TfliteTensor& out = tensor(index);
  Value& value = values_[static_cast<size_t>(index)];
  const std::string& name = names_[static_cast<size_t>(index)];
  const bool is_map = IsMap(out.dims);
  std::vector<SourceNode> chain = {std::move(node)};
  if (is_map && options.file_order) chain.push_back(TransposeToMap(""));
  for (const Result<std::vector<SourceNode>>& more :
       {ActivationNodes(options.activation, name), GridNodes(out, name)}) {
    if (!more.ok()) return TfliteUnsupported(op, more.status().message());
    chain.insert(chain.end(), more->begin(), more->end());
  }

  value.packed = options.packed;
  value.map = is_map && visible_[static_cast<size_t>(index)] ? builder_.NewValueName(name + "/nchw") : name;
  if (!is_map) value.file = value.map;
  const Status status = EmitChain(name, std::move(chain), value.map);
  if (!status.ok()) return Status(status.code(), op.label + ": " + status.message());
  return CheckShape(op, index, value.map);
}

Status TfliteGraph::OutputConstant(const TfliteOperator& op, Tensor tensor) {
  Value& value = values_[static_cast<size_t>(op.outputs[0])];
  if (tensor.dims != this->tensor(op.outputs[0]).dims) {
    return TfliteError(op, "its output is " + DimsToString(this->tensor(op.outputs[0]).dims) + ", its input " +
                               DimsToString(tensor.dims));
  }
  value.folded = true;
  value.constant = std::move(tensor);
  return OkStatus();
}

Status TfliteGraph::CheckShape(const TfliteOperator& op, int index, const std::string& value) {
  const TfliteTensor& out = tensor(index);
  const ValueInfo info = builder_.InfoOf(value);
  const Dims dims = FileDimsOf(info.dims);
  const bool is_packed = values_[static_cast<size_t>(index)].packed;
  if (!is_packed && info.type != ValueType(out)) {
    return TfliteError(op,
                       "its output is " + std::string(TfliteTypeName(out.type)) + ", expected " + DTypeName(info.type));
  }
  Dims stored = dims;
  constexpr int64_t kWordBits = 32;
  if (is_packed && !stored.empty()) stored.back() = (stored.back() + kWordBits - 1) / kWordBits;
  // Dims that the file leaves open say nothing.
  bool fits = stored.size() == out.dims.size();
  for (size_t i = 0; fits && file_shapes_hold_ && i < stored.size(); ++i) {
    fits = out.open[i] || stored[i] == out.dims[i];
  }
  if (!fits) {
    return TfliteError(op,
                       "field shape of its output is " + DimsToString(out.dims) + ", expected " + DimsToString(stored));
  }
  return OkStatus();
}

}  // namespace bnn::formats
