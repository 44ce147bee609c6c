// Operators that change or make shapes, and constants. Reshapes mean the file's order of elements.
#include <algorithm>
#include <string>
#include <utility>

#include "formats/importers/graphdef_graph.h"
#include "formats/importers/graphdef_operators.h"
#include "formats/importers/graphdef_tensor.h"
#include "formats/importers/tensorflow_maps.h"

namespace bnn::formats {
namespace {

using Order = GraphdefGraph::Order;

// Input 0 under other dims (of the file; one may be -1). Where all elements lie the same in both orders, none is asked
// for.
Status ReshapeTo(const GraphdefNode& node, GraphdefGraph* graph, const Dims& target) {
  const bool any_in = SameInBothOrders(graph->DimsOfInput(node, 0));
  BNN_ASSIGN_OR_RETURN(const std::string x,
                       graph->Input(node, 0, any_in ? graph->OrderOfInput(node, 0) : Order::kFile));
  const bool is_known = std::count(target.begin(), target.end(), -1) == 0 || (!target.empty() && target[0] == -1);
  const bool any_out = target.size() == 4 && is_known && SameInBothOrders(target);
  const Order order = any_out ? graph->OrderOf(node) : Order::kFile;
  const std::string dims = graph->NewIntegers(node, "/dims", graph->DimsIn(order, target));
  return graph->Output(node, MakeNode("Reshape", {x, dims}), order);
}

// Input 0 with other dims of 1. An open batch stays open.
Status ReshapeToOutput(const GraphdefNode& node, GraphdefGraph* graph, Dims dims) {
  const Dims in = graph->DimsOfInput(node, 0);
  if (!dims.empty() && !in.empty() && dims[0] == in[0] && in[0] == 1) dims[0] = -1;
  return ReshapeTo(node, graph, dims);
}

// Attribute axis, for a rank: in [0, rank).
Result<int64_t> AxisAttribute(const GraphdefNode& node, int64_t rank) {
  BNN_ASSIGN_OR_RETURN(const int64_t axis, GraphdefInt(node, "axis", 0));
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  return GraphdefError(node,
                       "attribute 'axis' is " + std::to_string(axis) + ", expected one of " + std::to_string(rank));
}

}  // namespace

Status ImportGraphdefConst(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 0, 0));
  const graphdef::AttrValue* value = FindGraphdefAttribute(node, "value");
  if (value == nullptr || !value->has_tensor()) return GraphdefError(node, "attribute 'value' is no tensor");
  const std::string what = node.label + ": attribute 'value'";
  BNN_ASSIGN_OR_RETURN(Tensor tensor, TensorFromGraphdef(value->tensor(), what, &graph->repeated_elements));
  graph->OutputConstant(node, std::move(tensor));
  return OkStatus();
}

Status ImportGraphdefReshape(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  BNN_ASSIGN_OR_RETURN(const Tensor* known, graph->FindKnown(node, 1));
  if (known == nullptr) {  // computed from an open batch
    BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, Order::kFile));
    BNN_ASSIGN_OR_RETURN(const std::string dims, graph->Input(node, 1, Order::kFile));
    return graph->Output(node, MakeNode("Reshape", {x, dims}), Order::kFile);
  }
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> target, graph->IntegersInput(node, 1));
  if (!IsReshapeTarget(target)) {
    return GraphdefError(node,
                         "its target is " + DimsToString(target) + ", expected dims of at least 1 and at most one -1");
  }
  return ReshapeTo(node, graph, target);
}

Status ImportGraphdefSqueeze(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  const Dims in = graph->DimsOfInput(node, 0);
  const auto rank = static_cast<int64_t>(in.size());
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, GraphdefInts(node, "squeeze_dims", std::vector<int64_t>{}));
  std::vector<bool> removed(in.size(), false);
  for (const int64_t given : axes) {
    const int64_t axis = given < 0 ? given + rank : given;
    if (axis < 0 || axis >= rank || in[static_cast<size_t>(axis)] != 1) {
      return GraphdefError(node, "attribute 'squeeze_dims' holds " + std::to_string(given) +
                                     ", expected an axis of size 1 of " + DimsToString(in));
    }
    removed[static_cast<size_t>(axis)] = true;
  }
  Dims out;
  for (size_t i = 0; i < in.size(); ++i) {
    if (!(axes.empty() ? in[i] == 1 : removed[i])) out.push_back(in[i]);
  }
  return ReshapeToOutput(node, graph, std::move(out));
}

Status ImportGraphdefExpandDims(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  Dims out = graph->DimsOfInput(node, 0);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, graph->IntegersInput(node, 1));
  const auto rank = static_cast<int64_t>(out.size()) + 1;
  if (axes.size() != 1 || axes[0] < -rank || axes[0] >= rank) {
    return GraphdefError(node, "its axis is " + DimsToString(axes) + ", expected one of " + std::to_string(rank));
  }
  out.insert(out.begin() + (axes[0] < 0 ? axes[0] + rank : axes[0]), 1);
  return ReshapeToOutput(node, graph, std::move(out));
}

// Of whichever order is there: the dims are put in the file's order, not the elements.
Status ImportGraphdefShape(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  const Order order = graph->OrderOfInput(node, 0);
  BNN_ASSIGN_OR_RETURN(std::string x, graph->Input(node, 0, order));
  if (order == Order::kFile) return graph->Output(node, MakeNode("Shape", {x}), Order::kFile);
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, MakeNode("Shape", {x}), "/nchw"));
  SourceNode gather = MakeNode("Gather", {x, graph->NewIntegers(node, "/axes", {0, 2, 3, 1})});
  return graph->Output(node, std::move(gather), Order::kFile);
}

Status ImportGraphdefRank(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  graph->OutputConstant(node, IntTensor({}, {static_cast<int64_t>(graph->DimsOfInput(node, 0).size())}));
  return OkStatus();
}

// Range (start, limit, step).
Status ImportGraphdefRange(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 3, 3));
  SourceNode source = MakeNode("Range", {});
  for (size_t i = 0; i < 3; ++i) {
    BNN_ASSIGN_OR_RETURN(std::string value, graph->Input(node, i, Order::kFile));
    source.inputs.push_back(std::move(value));
  }
  return graph->Output(node, std::move(source), Order::kFile);
}

// Joins its inputs along a new axis.
Status ImportGraphdefPack(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, SIZE_MAX));
  const auto rank = static_cast<int64_t>(graph->DimsOfInput(node, 0).size()) + 1;
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(node, rank));
  const std::string axes = graph->NewIntegers(node, "/axis", {axis});
  SourceNode source = MakeNode("Concat", {});
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, i, Order::kFile));
    BNN_ASSIGN_OR_RETURN(std::string part,
                         graph->Emit(node, MakeNode("Unsqueeze", {x, axes}), "/part" + std::to_string(i)));
    source.inputs.push_back(std::move(part));
  }
  source.attributes["axis"] = axis;
  return graph->Output(node, std::move(source), Order::kFile);
}

// Takes an axis apart: its indices become outputs without that axis.
Status ImportGraphdefUnpack(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  const Dims dims = graph->DimsOfInput(node, 0);
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(node, static_cast<int64_t>(dims.size())));
  BNN_ASSIGN_OR_RETURN(const int64_t count, CountGraphdefOutputs(node));
  if (count != dims[static_cast<size_t>(axis)]) {
    return GraphdefError(node, "attribute 'num' is " + std::to_string(count) + ", which is not axis " +
                                   std::to_string(axis) + " of " + DimsToString(dims));
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, Order::kFile));
  const std::string axes = graph->NewIntegers(node, "/axis", {axis});
  for (const int64_t port : node.used_outputs) {
    const std::string suffix = "/part" + std::to_string(port);
    SourceNode slice = MakeNode("Slice", {x, graph->NewIntegers(node, suffix + "/begin", {port}),
                                          graph->NewIntegers(node, suffix + "/end", {port + 1}), axes});
    BNN_ASSIGN_OR_RETURN(const std::string part, graph->Emit(node, std::move(slice), suffix));
    BNN_RETURN_IF_ERROR(graph->Output(node, MakeNode("Squeeze", {part, axes}), Order::kFile, port));
  }
  return OkStatus();
}

// Fill (dims, value).
Status ImportGraphdefFill(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  BNN_ASSIGN_OR_RETURN(const std::string dims, graph->Input(node, 0, Order::kFile));
  BNN_ASSIGN_OR_RETURN(const std::string value, graph->Input(node, 1, Order::kFile));
  if (!graph->DimsOf(value).empty()) {
    return GraphdefError(node, "its value is " + DimsToString(graph->DimsOf(value)) + ", expected a scalar");
  }
  return graph->Output(node, MakeNode("Expand", {value, dims}), Order::kFile);
}

}  // namespace bnn::formats
