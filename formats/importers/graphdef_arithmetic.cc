// Elementwise operators, those that reduce, and conversions of types.
#include <algorithm>
#include <string>
#include <utility>

#include "formats/importers/graphdef_graph.h"
#include "formats/importers/graphdef_operators.h"
#include "formats/importers/graphdef_tensor.h"

namespace bnn::formats {
namespace {

using Order = GraphdefGraph::Order;

// The one input of an elementwise operator.
Result<std::string> OnlyInput(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  return graph->Input(node, 0, graph->OrderOf(node));
}

}  // namespace

Status ImportGraphdefUnary(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const std::string x, OnlyInput(node, graph));
  return graph->Output(node, MakeNode(EntryOf(node).renamed, {x}), graph->OrderOf(node));
}

Status ImportGraphdefBinary(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  BNN_ASSIGN_OR_RETURN(std::vector<std::string> inputs, graph->BroadcastInputs(node));
  return graph->Output(node, MakeNode(EntryOf(node).renamed, std::move(inputs)), graph->OrderOf(node));
}

// The sum of any number of inputs, from the first to the last.
Status ImportGraphdefAddN(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, SIZE_MAX));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (graph->DimsOfInput(node, i) == graph->DimsOfInput(node, 0)) continue;
    return GraphdefError(node, "input " + std::to_string(i) + " is " + DimsToString(graph->DimsOfInput(node, i)) +
                                   ", input 0 is " + DimsToString(graph->DimsOfInput(node, 0)));
  }
  const Order order = graph->OrderOf(node);
  BNN_ASSIGN_OR_RETURN(const std::vector<std::string> inputs, graph->BroadcastInputs(node));
  std::string sum = inputs[0];
  for (size_t i = 1; i + 1 < inputs.size(); ++i) {
    BNN_ASSIGN_OR_RETURN(sum, graph->Emit(node, MakeNode("Add", {sum, inputs[i]}), "/sum" + std::to_string(i)));
  }
  if (inputs.size() == 1) return graph->Output(node, MakeNode("Identity", {sum}), order);
  return graph->Output(node, MakeNode("Add", {sum, inputs.back()}), order);
}

// Square (x), and SquaredDifference (x, y).
Status ImportGraphdefSquare(const GraphdefNode& node, GraphdefGraph* graph) {
  const size_t count = node.op() == "Square" ? 1 : 2;
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, count, count));
  BNN_ASSIGN_OR_RETURN(const std::vector<std::string> inputs, graph->BroadcastInputs(node));
  std::string x = inputs[0];
  if (count == 2) {
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, MakeNode("Sub", inputs), "/difference"));
  }
  return graph->Output(node, MakeNode("Mul", {x, x}), graph->OrderOf(node));
}

Status ImportGraphdefRsqrt(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_ASSIGN_OR_RETURN(std::string x, OnlyInput(node, graph));
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, MakeNode("Sqrt", {x}), "/root"));
  return graph->Output(node, MakeNode("Reciprocal", {x}), graph->OrderOf(node));
}

Status ImportGraphdefRelu6(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const std::string x, OnlyInput(node, graph));
  SourceNode clip = MakeNode("Clip", {x, graph->NewScalar(node, "/low", 0), graph->NewScalar(node, "/high", 6)});
  return graph->Output(node, std::move(clip), graph->OrderOf(node));
}

Status ImportGraphdefLeakyRelu(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const std::string x, OnlyInput(node, graph));
  SourceNode source = MakeNode("LeakyRelu", {x});
  BNN_ASSIGN_OR_RETURN(source.attributes["alpha"], GraphdefFloat(node, "alpha", 0.2F));
  return graph->Output(node, std::move(source), graph->OrderOf(node));
}

// Along the last axis.
Status ImportGraphdefSoftmax(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const std::string x, OnlyInput(node, graph));
  const size_t rank = graph->DimsOf(x).size();
  if (rank == 0) return GraphdefError(node, "its input is a scalar");
  SourceNode source = MakeNode(EntryOf(node).renamed, {x});
  source.attributes["axis"] = graph->AxisIn(graph->OrderOf(node), rank, static_cast<int64_t>(rank) - 1);
  return graph->Output(node, std::move(source), graph->OrderOf(node));
}

// SelectV2 broadcasts. In Select, the older one, a condition of one dim decides for each index of axis 0.
Status ImportGraphdefSelect(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 3, 3));
  const Dims condition = graph->DimsOfInput(node, 0), dims = graph->DimsOfInput(node, 1);
  Order order = graph->OrderOf(node);
  if (node.op() == "SelectV2" || condition.size() != 1 || dims.size() < 2) {
    const bool fits = condition.empty() || condition == dims;
    if (node.op() == "Select" && (!fits || graph->DimsOfInput(node, 2) != dims)) {
      return GraphdefError(node, "its inputs are " + DimsToString(condition) + ", " + DimsToString(dims) + " and " +
                                     DimsToString(graph->DimsOfInput(node, 2)) + ", expected equal dims");
    }
    BNN_ASSIGN_OR_RETURN(std::vector<std::string> inputs, graph->BroadcastInputs(node));
    return graph->Output(node, MakeNode("Where", std::move(inputs)), order);
  }
  // Axis 0 is the same in both orders.
  std::vector<int64_t> axes;
  for (size_t i = 1; i < dims.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  BNN_ASSIGN_OR_RETURN(std::string rows, graph->Input(node, 0, Order::kFile));
  SourceNode widen = MakeNode("Unsqueeze", {rows, graph->NewIntegers(node, "/axes", std::move(axes))});
  BNN_ASSIGN_OR_RETURN(rows, graph->Emit(node, std::move(widen), "/condition"));
  BNN_ASSIGN_OR_RETURN(const std::vector<std::string> inputs, graph->BroadcastInputs(node, 1));
  return graph->Output(node, MakeNode("Where", {rows, inputs[0], inputs[1]}), order);
}

Status ImportGraphdefReduce(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  BNN_ASSIGN_OR_RETURN(const bool keeps, GraphdefBool(node, "keep_dims", false));
  const auto rank = static_cast<int64_t>(graph->DimsOfInput(node, 0).size());
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> given, graph->IntegersInput(node, 1));
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  for (const int64_t axis : given) {
    if (axis < -rank || axis >= rank) {
      return GraphdefError(node, "an axis is " + std::to_string(axis) + ", expected one of " + std::to_string(rank));
    }
    reduced[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  // Without the reduced axes, those that are left must stand in the file's order: not where channels and a spatial axis
  // are left.
  const bool reorders = rank == 4 && !keeps && !reduced[3] && !(reduced[1] && reduced[2]);
  const Order order = reorders ? Order::kFile : graph->OrderOf(node);
  std::vector<int64_t> axes;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (reduced[i]) axes.push_back(graph->AxisIn(order, static_cast<size_t>(rank), static_cast<int64_t>(i)));
  }
  std::sort(axes.begin(), axes.end());
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, order));
  if (axes.empty()) return graph->Output(node, MakeNode("Identity", {x}), order);
  SourceNode source = MakeNode(EntryOf(node).renamed, {x, graph->NewIntegers(node, "/axes", std::move(axes))});
  source.attributes["keepdims"] = int64_t{keeps ? 1 : 0};
  return graph->Output(node, std::move(source), order);
}

Status ImportGraphdefCast(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const std::string x, OnlyInput(node, graph));
  BNN_ASSIGN_OR_RETURN(const int32_t type, GraphdefType(node, "DstT"));
  int64_t to = 0;
  if (!OnnxTypeFromGraphdef(type, &to)) {
    return GraphdefUnsupported(node, "attribute 'DstT' is " + GraphdefTypeName(type));
  }
  SourceNode source = MakeNode("Cast", {x});
  source.attributes["to"] = to;
  return graph->Output(node, std::move(source), graph->OrderOf(node));
}

}  // namespace bnn::formats
