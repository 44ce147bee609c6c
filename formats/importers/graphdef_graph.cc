#include "formats/importers/graphdef_graph.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "formats/importers/graphdef_tensor.h"
#include "formats/importers/input_dims.h"

namespace bnn::formats {
namespace {

// Before this version a Placeholder without a shape said that it is a scalar.
constexpr int kScalarShapesVersion = 24;

// Whether the layers of the file keep channels last.
bool HasNhwcLayers(const FlatGraphdef& flat) {
  int64_t balance = 0;
  for (const GraphdefNode& node : flat.nodes) {
    const Result<DataFormat> format = GraphdefDataFormat(node);
    if (FindGraphdefAttribute(node, "data_format") == nullptr || !format.ok()) continue;
    balance += *format == DataFormat::kNhwc ? 1 : -1;
  }
  return balance >= 0;
}

std::optional<std::vector<DeclaredDim>> DeclaredDims(const GraphdefNode& node, int producer) {
  const graphdef::AttrValue* attribute = FindGraphdefAttribute(node, "shape");
  if (attribute == nullptr || !attribute->has_shape() || attribute->shape().unknown_rank()) return std::nullopt;
  if (attribute->shape().dim_size() == 0 && producer < kScalarShapesVersion) return std::nullopt;
  std::vector<DeclaredDim> declared;
  for (const auto& dim : attribute->shape().dim()) {
    declared.push_back({dim.size() == -1 ? std::nullopt : std::optional(dim.size()), ""});
  }
  return declared;
}

}  // namespace

Result<DataFormat> GraphdefDataFormat(const GraphdefNode& node) {
  const graphdef::AttrValue* attribute = FindGraphdefAttribute(node, "data_format");
  if (attribute == nullptr) return DataFormat::kNhwc;
  const std::string& format = attribute->s();
  if (format == "NHWC") return DataFormat::kNhwc;
  if (format == "NCHW") return DataFormat::kNchw;
  return GraphdefUnsupported(node, "attribute 'data_format' is \"" + format + "\", expected \"NHWC\" or \"NCHW\"");
}

GraphdefGraph::GraphdefGraph(const FlatGraphdef& flat, int producer, SourceGraph* graph)
    : flat_(flat), producer_(producer), graph_(graph), builder_(graph, {}), renames_(HasNhwcLayers(flat)) {
  for (const GraphdefNode& node : flat.nodes) {
    values_.emplace_back(static_cast<size_t>(node.used_outputs.back()) + 1);
  }
  // Inputs and outputs first: they keep their names.
  for (const int input : flat.inputs) {
    Value& value = values_[static_cast<size_t>(input)][0];
    value.file = builder_.NewValueName(flat.nodes[static_cast<size_t>(input)].name);
  }
  for (const auto& output : flat.outputs) output_names_.push_back(builder_.NewValueName(output.name));
}

Status GraphdefGraph::AddInputs(const ImportOptions& options) {
  size_t open_batches = 0;
  for (const int input : flat_.inputs) {
    bool batch_is_open = false;
    BNN_RETURN_IF_ERROR(AddInput(flat_.nodes[static_cast<size_t>(input)], options, &batch_is_open));
    open_batches += batch_is_open ? 1 : 0;
  }
  BNN_RETURN_IF_ERROR(CheckGivenShapes(graph_->inputs, options));
  if (open_batches > 0 && open_batches == flat_.inputs.size()) builder_.OpenBatch();
  return OkStatus();
}

Status GraphdefGraph::AddInput(const GraphdefNode& node, const ImportOptions& options, bool* batch_is_open) {
  BNN_ASSIGN_OR_RETURN(const int32_t type, GraphdefType(node, "dtype"));
  ValueInfo info;
  if (!DTypeFromGraphdef(type, &info.type)) {
    return GraphdefUnsupported(node, "attribute 'dtype' is " + GraphdefTypeName(type));
  }
  Value& value = values_[static_cast<size_t>(&node - flat_.nodes.data())][0];
  BNN_ASSIGN_OR_RETURN(InputDims resolved, ResolveInputDims(value.file, DeclaredDims(node, producer_), options));
  *batch_is_open = resolved.batch_is_open;
  info.dims = std::move(resolved.dims);
  builder_.DefineInput(value.file, std::move(info));
  if (!HasTwoOrders(value.file)) value.map = value.file;
  return OkStatus();
}

Status GraphdefGraph::AddOutputs() {
  for (size_t i = 0; i < flat_.outputs.size(); ++i) {
    const Value& value = *Find(flat_.outputs[i].value);
    SourceNode last = value.file.empty() ? TransposeToFile(value.map) : MakeNode("Identity", {value.file});
    last.name = output_names_[i];
    last.outputs = {output_names_[i]};
    BNN_RETURN_IF_ERROR(builder_.Emit(std::move(last)));
    graph_->outputs.push_back(output_names_[i]);
  }
  return OkStatus();
}

Status GraphdefGraph::CheckCount(const GraphdefNode& node, size_t least, size_t most) {
  if (node.inputs.size() >= least && node.inputs.size() <= most) return OkStatus();
  const std::string expected = most == SIZE_MAX ? "at least " + std::to_string(least)
                               : most == least  ? std::to_string(least)
                                                : std::to_string(least) + " to " + std::to_string(most);
  return GraphdefError(node, "has " + std::to_string(node.inputs.size()) + " inputs, expected " + expected);
}

// The Transpose between both orders is written where the second one is first asked for. A constant has none.
Result<std::string> GraphdefGraph::ValueOf(const GraphdefRef& ref, Order order) {
  const GraphdefNode& producer = flat_.nodes[static_cast<size_t>(ref.node)];
  Value& value = *Find(ref);
  std::string& wanted = order == Order::kMap ? value.map : value.file;
  if (!wanted.empty()) return wanted;
  const std::string& other = order == Order::kMap ? value.file : value.map;
  const std::string name = producer.name + (order == Order::kMap ? "/nchw" : "/nhwc");
  if (const Tensor* constant = graph_->FindConstant(other); constant != nullptr && order == Order::kMap) {
    wanted = builder_.AddConstant(name, ToMapOrder(*constant));
    return wanted;
  }
  BNN_ASSIGN_OR_RETURN(wanted, Emit(producer, order == Order::kMap ? TransposeToMap(other) : TransposeToFile(other),
                                    order == Order::kMap ? "/nchw" : "/nhwc"));
  return wanted;
}

Result<std::string> GraphdefGraph::Input(const GraphdefNode& node, size_t input, Order order) {
  return ValueOf(node.inputs[input], order);
}

Result<std::string> GraphdefGraph::MapInput(const GraphdefNode& node, size_t input, DataFormat format) {
  const bool is_file_order = format == DataFormat::kNchw || !renames_;
  BNN_ASSIGN_OR_RETURN(const std::string x, Input(node, input, is_file_order ? Order::kFile : Order::kMap));
  if (DimsOf(x).size() != 4) {
    return GraphdefUnsupported(node, "input " + std::to_string(input) + " is " +
                                         DimsToString(DimsOfInput(node, input)) + ", expected four dims");
  }
  if (!is_file_order || format == DataFormat::kNchw) return x;
  return Emit(node, TransposeToMap(x), "/input" + std::to_string(input) + "_nchw");
}

int64_t GraphdefGraph::AxisIn(Order order, size_t rank, int64_t file_axis) const {
  return order == Order::kMap && renames_ ? MapAxis(rank, file_axis) : file_axis;
}

Dims GraphdefGraph::DimsOfInput(const GraphdefNode& node, size_t input) const {
  const Value& value = *Find(node.inputs[input]);
  return value.file.empty() ? FileDimsOf(builder_.DimsOf(value.map)) : builder_.DimsOf(value.file);
}

Result<std::vector<std::string>> GraphdefGraph::BroadcastInputs(const GraphdefNode& node, size_t first) {
  size_t rank = 0;
  for (size_t i = first; i < node.inputs.size(); ++i) rank = std::max(rank, DimsOfInput(node, i).size());
  const Order order = OrderOf(node);
  std::vector<std::string> values;
  for (size_t i = first; i < node.inputs.size(); ++i) {
    const Dims dims = DimsOfInput(node, i);
    BNN_ASSIGN_OR_RETURN(std::string value, Input(node, i, order));
    const bool is_as_in_file = order == Order::kFile || !renames_ || rank != 4;
    if (is_as_in_file || dims.size() == rank || CountElements(dims) == 1) {
      values.push_back(std::move(value));
      continue;
    }
    // Leading dims of 1, as numpy adds them, before the axes are renamed.
    const std::string suffix = "/operand" + std::to_string(i);
    if (const Tensor* constant = graph_->FindConstant(value)) {
      Tensor wide = *constant;
      wide.dims.insert(wide.dims.begin(), rank - dims.size(), 1);
      values.push_back(NewConstant(node, suffix, ToMapOrder(std::move(wide))));
      continue;
    }
    std::vector<int64_t> axes;
    for (size_t axis = 0; axis < rank - dims.size(); ++axis) axes.push_back(static_cast<int64_t>(axis));
    SourceNode widen = MakeNode("Unsqueeze", {value, NewIntegers(node, suffix + "_axes", std::move(axes))});
    BNN_ASSIGN_OR_RETURN(value, Emit(node, std::move(widen), suffix + "_nhwc"));
    BNN_ASSIGN_OR_RETURN(value, Emit(node, TransposeToMap(value), suffix));
    values.push_back(std::move(value));
  }
  return values;
}

Result<const Tensor*> GraphdefGraph::FindKnown(const GraphdefNode& node, size_t input) {
  BNN_ASSIGN_OR_RETURN(const std::string value, Input(node, input, Order::kFile));
  return builder_.FindKnown(value);
}

Result<const Tensor*> GraphdefGraph::KnownInput(const GraphdefNode& node, size_t input, DType type) {
  BNN_ASSIGN_OR_RETURN(const Tensor* known, FindKnown(node, input));
  if (known != nullptr && known->type == type) return known;
  return GraphdefUnsupported(node, "input " + std::to_string(input) + ", output of " +
                                       flat_.nodes[static_cast<size_t>(node.inputs[input].node)].label + ", must be " +
                                       (type == DType::kInt64 ? "integers" : "floats") +
                                       " that are known before the network runs");
}

Result<std::vector<int64_t>> GraphdefGraph::IntegersInput(const GraphdefNode& node, size_t input) {
  BNN_ASSIGN_OR_RETURN(const Tensor* known, KnownInput(node, input, DType::kInt64));
  return known->integers;
}

Result<std::vector<float>> GraphdefGraph::FloatsInput(const GraphdefNode& node, size_t input) {
  BNN_ASSIGN_OR_RETURN(const Tensor* known, KnownInput(node, input, DType::kFloat32));
  return known->floats;
}

std::string GraphdefGraph::NewConstant(const GraphdefNode& node, const std::string& suffix, Tensor tensor) {
  return builder_.AddConstant(node.name + suffix, std::move(tensor));
}

std::string GraphdefGraph::NewIntegers(const GraphdefNode& node, const std::string& suffix,
                                       std::vector<int64_t> values) {
  return NewConstant(node, suffix, IntList(std::move(values)));
}

std::string GraphdefGraph::NewScalar(const GraphdefNode& node, const std::string& suffix, float value) {
  return NewConstant(node, suffix, FloatTensor({}, {value}));
}

Result<std::string> GraphdefGraph::Emit(const GraphdefNode& node, SourceNode source, const std::string& suffix) {
  source.name = node.name + suffix;
  const std::string value = builder_.NewValueName(source.name);
  source.outputs = {value};
  const Status status = builder_.Emit(std::move(source));
  if (!status.ok()) return Status(status.code(), node.label + ": " + status.message());
  return value;
}

Status GraphdefGraph::Output(const GraphdefNode& node, SourceNode source, Order order, int64_t port) {
  const std::string suffix = port == 0 ? "" : ":" + std::to_string(port);
  BNN_ASSIGN_OR_RETURN(const std::string made, Emit(node, std::move(source), suffix));
  Value& value = values_[static_cast<size_t>(&node - flat_.nodes.data())][static_cast<size_t>(port)];
  const bool has_both = !HasTwoOrders(made);
  if (has_both || order == Order::kMap) value.map = made;
  if (has_both || order == Order::kFile) value.file = made;
  return OkStatus();
}

Status GraphdefGraph::MapOutput(const GraphdefNode& node, SourceNode source, DataFormat format) {
  if (format == DataFormat::kNchw) return Output(node, std::move(source), Order::kFile);
  if (renames_) return Output(node, std::move(source), Order::kMap);
  BNN_ASSIGN_OR_RETURN(const std::string map, Emit(node, std::move(source), "/output_nchw"));
  return Output(node, TransposeToFile(map), Order::kFile);
}

void GraphdefGraph::OutputConstant(const GraphdefNode& node, Tensor tensor) {
  Value& value = values_[static_cast<size_t>(&node - flat_.nodes.data())][0];
  value.file = builder_.AddConstant(node.name, std::move(tensor));
  if (!HasTwoOrders(value.file)) value.map = value.file;
}

Status GraphdefGraph::WindowOutput(const GraphdefNode& node, SourceNode source, DataFormat format) {
  source.name = node.name;
  const Status status = WriteOutWindow(&source, builder_);
  if (!status.ok()) return Status(status.code(), node.label + ": " + status.message());
  return MapOutput(node, std::move(source), format);
}

}  // namespace bnn::formats
