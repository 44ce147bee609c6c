// Elementwise operators, those that reduce, and conversions of types.
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <string>
#include <utility>

#include "formats/importers/tflite_operators.h"
#include "formats/importers/tflite_options.h"

namespace bnn::formats {
namespace {

// fused_activation_function of the operators that have one; 0 for the others.
Result<int64_t> FusedActivation(const TfliteOperator& op) {
  switch (op.table->builtin_options_type()) {
    case tflite::BuiltinOptions_AddOptions:
      return op.table->builtin_options_as_AddOptions()->fused_activation_function();
    case tflite::BuiltinOptions_SubOptions:
      return op.table->builtin_options_as_SubOptions()->fused_activation_function();
    case tflite::BuiltinOptions_MulOptions:
      return op.table->builtin_options_as_MulOptions()->fused_activation_function();
    case tflite::BuiltinOptions_DivOptions:
      return op.table->builtin_options_as_DivOptions()->fused_activation_function();
    default:  // a number of the file: MAXIMUM and MINIMUM have no options that we read
      return 0;
  }
}

}  // namespace

Status ImportTfliteBinary(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 2));
  TfliteGraph::OutputOptions output;
  if (op.table->builtin_options() != nullptr) {
    BNN_ASSIGN_OR_RETURN(output.activation, FusedActivation(op));
  }
  BNN_ASSIGN_OR_RETURN(std::vector<std::string> inputs, graph->BroadcastInputs(op));
  return graph->Output(op, MakeNode(EntryOf(op).renamed, std::move(inputs)), output);
}

Status ImportTfliteUnary(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  return graph->Output(op, MakeNode(EntryOf(op).renamed, {x}));
}

// RELU, RELU6, RELU_N1_TO_1: what other operators fuse, alone.
Status ImportTfliteActivation(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  const std::string name = EntryOf(op).name;
  if (name == "RELU") return graph->Output(op, MakeNode("Relu", {x}));
  const float low = name == "RELU_N1_TO_1" ? -1.0F : 0.0F;
  const float high = name == "RELU6" ? 6.0F : 1.0F;
  return graph->Output(op,
                       MakeNode("Clip", {x, graph->NewScalar(op, "/low", low), graph->NewScalar(op, "/high", high)}));
}

Status ImportTfliteLeakyRelu(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::LeakyReluOptions>(op));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  SourceNode node = MakeNode("LeakyRelu", {x});
  node.attributes["alpha"] = options->alpha();
  return graph->Output(op, std::move(node));
}

Status ImportTflitePRelu(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 2));
  BNN_ASSIGN_OR_RETURN(std::vector<std::string> inputs, graph->BroadcastInputs(op));
  return graph->Output(op, MakeNode("PRelu", std::move(inputs)));
}

// Along the last axis, of x * beta.
Status ImportTfliteSoftmax(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(std::string x, graph->Input(op, 0));
  const std::string name = EntryOf(op).renamed;
  if (name == "Softmax") {
    BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::SoftmaxOptions>(op));
    if (options->beta() != 1) {
      SourceNode scale = MakeNode("Mul", {x, graph->NewScalar(op, "/beta", options->beta())});
      BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, std::move(scale), "/scaled"));
    }
  }
  const size_t rank = graph->DimsOfInput(op, 0).size();
  if (rank == 0) return TfliteError(op, "its input is a scalar");
  SourceNode node = MakeNode(EntryOf(op).renamed, {x});
  node.attributes["axis"] = MapAxis(rank, static_cast<int64_t>(rank) - 1);
  return graph->Output(op, std::move(node));
}

Status ImportTfliteReduce(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 2));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::ReducerOptions>(op));
  BNN_RETURN_IF_ERROR(graph->Input(op, 0).status());
  const auto rank = static_cast<int64_t>(graph->DimsOfInput(op, 0).size());
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> axes, graph->IntegersInput(op, 1));
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  for (int64_t& axis : axes) {
    if (axis < -rank || axis >= rank) {
      return TfliteError(op, "an axis is " + std::to_string(axis) + ", expected one of " + std::to_string(rank));
    }
    axis += axis < 0 ? rank : 0;
    reduced[static_cast<size_t>(axis)] = true;
  }
  // Without the reduced axes, those that are left must stand in the file's order: not where channels and a spatial axis
  // are left.
  const bool keeps = options->keep_dims();
  const bool reorders = rank == 4 && !keeps && !reduced[3] && !(reduced[1] && reduced[2]);
  axes.clear();
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) continue;
    const auto axis = static_cast<int64_t>(i);
    axes.push_back(reorders ? axis : MapAxis(static_cast<size_t>(rank), axis));
  }
  std::sort(axes.begin(), axes.end());
  BNN_ASSIGN_OR_RETURN(const std::string x, reorders ? graph->InputInFileOrder(op, 0) : graph->Input(op, 0));
  if (axes.empty()) return graph->Output(op, MakeNode("Identity", {x}));
  SourceNode node = MakeNode(EntryOf(op).renamed, {x, graph->NewIntegers(op, "/axes", axes)});
  node.attributes["keepdims"] = int64_t{keeps ? 1 : 0};
  return graph->Output(op, std::move(node));
}

// The type is that of the output.
Status ImportTfliteCast(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  const TfliteTensor& out = graph->tensor(op.outputs[0]);
  for (const int tensor : {op.inputs[0], op.outputs[0]}) {
    if (graph->tensor(tensor).is_quantized()) {
      return TfliteUnsupported(op, graph->tensor(tensor).label +
                                       " is quantized: the numbers that it stands for are "
                                       "not those that CAST reads");
    }
  }
  SourceNode node = MakeNode("Cast", {x});
  using onnx::TensorProto;
  int64_t to = TensorProto::FLOAT;
  switch (out.type) {
    case TfliteType::kFloat32:
      break;
    case TfliteType::kFloat16:
      to = TensorProto::FLOAT16;
      break;
    case TfliteType::kInt32:
      to = TensorProto::INT32;
      break;
    case TfliteType::kUInt8:
      to = TensorProto::UINT8;
      break;
    case TfliteType::kInt64:
      to = TensorProto::INT64;
      break;
    case TfliteType::kBool:
      to = TensorProto::BOOL;
      break;
    case TfliteType::kInt8:
      to = TensorProto::INT8;
      break;
  }
  node.attributes["to"] = to;
  return graph->Output(op, std::move(node));
}

// QUANTIZE and DEQUANTIZE: values are floats on both sides, and the output's grid is applied to all outputs. Constants
// (float16 or int8 weights) stay constants.
Status ImportTfliteQuantize(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  const TfliteTensor& in = graph->tensor(op.inputs[0]);
  const TfliteTensor& out = graph->tensor(op.outputs[0]);
  const bool is_float[] = {in.type == TfliteType::kFloat32 || in.type == TfliteType::kFloat16,
                           out.type == TfliteType::kFloat32 || out.type == TfliteType::kFloat16};
  for (const bool first : {true, false}) {
    const TfliteTensor& tensor = first ? in : out;
    if (is_float[first ? 0 : 1] || tensor.is_quantized()) continue;
    return TfliteUnsupported(op, tensor.label + " is " + TfliteTypeName(tensor.type) +
                                     " without a scale, expected floats, or int8 or uint8 with one");
  }
  if (in.is_constant && is_float[1]) {
    BNN_ASSIGN_OR_RETURN(Tensor constant, graph->ConstantInput(op, 0));
    return graph->OutputConstant(op, std::move(constant));
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  return graph->Output(op, MakeNode("Identity", {x}));
}

}  // namespace bnn::formats
