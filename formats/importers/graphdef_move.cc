// Operators that move elements. Axes that they name are renamed with those of the values.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "formats/importers/graphdef_graph.h"
#include "formats/importers/graphdef_operators.h"

namespace bnn::formats {
namespace {

using Order = GraphdefGraph::Order;

// Input `input`, one number: an axis of the file in [-rank, rank), as one in [0, rank).
Result<int64_t> AxisInput(const GraphdefNode& node, GraphdefGraph* graph, size_t input, size_t rank) {
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axis, graph->IntegersInput(node, input));
  const auto count = static_cast<int64_t>(rank);
  if (axis.size() == 1 && axis[0] >= -count && axis[0] < count) return axis[0] < 0 ? axis[0] + count : axis[0];
  return GraphdefError(node, "its axis is " + DimsToString(axis) + ", expected one of " + std::to_string(count));
}

// A list that must have `count` numbers.
Result<std::vector<int64_t>> ListInput(const GraphdefNode& node, GraphdefGraph* graph, size_t input, size_t count) {
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> list, graph->IntegersInput(node, input));
  if (list.size() == count) return list;
  return GraphdefError(node, "input " + std::to_string(input) + " has " + std::to_string(list.size()) +
                                 " elements, expected " + std::to_string(count));
}

}  // namespace

// ConcatV2 (parts..., axis).
Status ImportGraphdefConcat(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, SIZE_MAX));
  const size_t parts = node.inputs.size() - 1;
  const size_t rank = graph->DimsOfInput(node, 0).size();
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisInput(node, graph, parts, rank));
  SourceNode source = MakeNode("Concat", {});
  for (size_t i = 0; i < parts; ++i) {
    BNN_ASSIGN_OR_RETURN(std::string value, graph->Input(node, i, graph->OrderOf(node)));
    source.inputs.push_back(std::move(value));
  }
  source.attributes["axis"] = graph->AxisIn(graph->OrderOf(node), rank, axis);
  return graph->Output(node, std::move(source), graph->OrderOf(node));
}

// Split (axis, x) in equal parts, and SplitV (x, sizes, axis): a Slice for each part that is read.
Status ImportGraphdefSplit(const GraphdefNode& node, GraphdefGraph* graph) {
  const bool has_sizes = node.op() == "SplitV";
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, has_sizes ? 3 : 2, has_sizes ? 3 : 2));
  const size_t data = has_sizes ? 0 : 1;
  BNN_ASSIGN_OR_RETURN(const int64_t parts, CountGraphdefOutputs(node));
  const Dims dims = graph->DimsOfInput(node, data);
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisInput(node, graph, has_sizes ? 2 : 0, dims.size()));
  const int64_t dim = dims[static_cast<size_t>(axis)];
  std::vector<int64_t> sizes(static_cast<size_t>(parts), dim / parts);
  if (has_sizes) {
    BNN_ASSIGN_OR_RETURN(sizes, ListInput(node, graph, 1, static_cast<size_t>(parts)));
    int64_t left = dim;
    for (const int64_t size : sizes) left -= std::clamp<int64_t>(size, 0, dim);
    for (int64_t& size : sizes) size = size == -1 ? left : size;
  }
  const Order order = graph->OrderOf(node);
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, data, order));
  int64_t begin = 0;
  for (int64_t port = 0; port < parts; ++port) {
    const int64_t size = sizes[static_cast<size_t>(port)];
    if (size < 1 || size > dim - begin) {
      return GraphdefError(node, "its parts " + DimsToString(sizes) + " do not fit a dim of " + std::to_string(dim));
    }
    const int64_t end = begin + size;
    if (std::binary_search(node.used_outputs.begin(), node.used_outputs.end(), port)) {
      const std::string suffix = "/part" + std::to_string(port);
      SourceNode slice =
          MakeNode("Slice", {x, graph->NewIntegers(node, suffix + "/begin", {begin}),
                             graph->NewIntegers(node, suffix + "/end", {end}),
                             graph->NewIntegers(node, suffix + "/axis", {graph->AxisIn(order, dims.size(), axis)})});
      BNN_RETURN_IF_ERROR(graph->Output(node, std::move(slice), order, port));
    }
    begin = end;
  }
  if (begin == dim) return OkStatus();
  return GraphdefError(node, "its parts " + DimsToString(sizes) + " are not all of a dim of " + std::to_string(dim));
}

// Slice (x, begin, size); a size of -1 takes what is left.
Status ImportGraphdefSlice(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 3, 3));
  const Dims dims = graph->DimsOfInput(node, 0);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> begin, ListInput(node, graph, 1, dims.size()));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> size, ListInput(node, graph, 2, dims.size()));
  const Order order = graph->OrderOf(node);
  std::vector<int64_t> begins, ends, axes;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (begin[i] < 0 || begin[i] > dims[i] || size[i] < -1 || size[i] > dims[i] - begin[i]) {
      return GraphdefError(node, "begin " + DimsToString(begin) + " and size " + DimsToString(size) + " do not fit " +
                                     DimsToString(dims));
    }
    // What is taken whole is not named: an open batch stays open.
    if (begin[i] == 0 && (size[i] == -1 || size[i] == dims[i])) continue;
    begins.push_back(begin[i]);
    ends.push_back(size[i] == -1 ? dims[i] : begin[i] + size[i]);
    axes.push_back(graph->AxisIn(order, dims.size(), static_cast<int64_t>(i)));
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, order));
  if (axes.empty()) return graph->Output(node, MakeNode("Identity", {x}), order);
  SourceNode source = MakeNode(
      "Slice", {x, graph->NewIntegers(node, "/begin", std::move(begins)),
                graph->NewIntegers(node, "/end", std::move(ends)), graph->NewIntegers(node, "/axes", std::move(axes))});
  return graph->Output(node, std::move(source), order);
}

namespace {

// StridedSlice with its masks written out: what is cut of each axis of x, which axes are then removed, and which of the
// result are added.
struct StridedCut {
  std::vector<int64_t> begin, end, strides, axes;  // in the file's numbers
  std::vector<int64_t> removed;                    // of x
  std::vector<int64_t> added;                      // of the result
};

Result<StridedCut> ReadStridedCut(const GraphdefNode& node, GraphdefGraph* graph, const Dims& dims) {
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> begin, graph->IntegersInput(node, 1));
  const size_t count = begin.size();
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> end, ListInput(node, graph, 2, count));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, ListInput(node, graph, 3, count));
  constexpr const char* kMasks[] = {"begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"};
  int64_t masks[5] = {};
  for (size_t i = 0; i < 5; ++i) {
    BNN_ASSIGN_OR_RETURN(masks[i], GraphdefInt(node, kMasks[i], 0));
  }
  const auto has = [&masks](size_t mask, size_t i) { return i < 32 && ((masks[mask] >> i) & 1) != 0; };
  size_t named = 0;  // entries that name an axis of x
  for (size_t i = 0; i < count; ++i) named += has(2, i) || has(3, i) ? 0 : 1;
  if (count > 32 || named > dims.size()) {
    return GraphdefError(node, "it cuts " + std::to_string(named) + " axes of " + DimsToString(dims));
  }
  constexpr int64_t kFar = std::numeric_limits<int32_t>::max();
  StridedCut cut;
  int64_t axis = 0, out_axis = 0;
  bool has_ellipsis = false;
  for (size_t i = 0; i < count; ++i) {
    if (has(2, i)) {  // all axes that no other entry names
      if (has_ellipsis) return GraphdefError(node, "attribute 'ellipsis_mask' has two bits set");
      has_ellipsis = true;
      axis += static_cast<int64_t>(dims.size() - named);
      out_axis += static_cast<int64_t>(dims.size() - named);
      continue;
    }
    if (has(3, i)) {
      cut.added.push_back(out_axis++);
      continue;
    }
    const int64_t dim = dims[static_cast<size_t>(axis)];
    if (strides[i] == 0) return GraphdefError(node, "stride " + std::to_string(i) + " is 0");
    cut.axes.push_back(axis);
    if (has(4, i)) {
      const int64_t index = begin[i] < 0 ? begin[i] + dim : begin[i];
      if (index < 0 || index >= dim) {
        return GraphdefError(node, "index " + std::to_string(begin[i]) + " is beyond " + DimsToString(dims));
      }
      cut.begin.push_back(index);
      cut.end.push_back(index + 1);
      cut.strides.push_back(1);
      cut.removed.push_back(axis);
    } else {
      const int64_t first = strides[i] > 0 ? 0 : kFar;
      cut.begin.push_back(has(0, i) ? first : begin[i]);
      cut.end.push_back(has(1, i) ? (strides[i] > 0 ? kFar : -kFar) : end[i]);
      cut.strides.push_back(strides[i]);
      ++out_axis;
    }
    ++axis;
  }
  return cut;
}

}  // namespace

Status ImportGraphdefStridedSlice(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 4, 4));
  const Dims dims = graph->DimsOfInput(node, 0);
  BNN_ASSIGN_OR_RETURN(StridedCut cut, ReadStridedCut(node, graph, dims));
  // Removing and adding axes needs the file's order.
  const bool keeps_axes = cut.removed.empty() && cut.added.empty();
  const Order order = keeps_axes ? graph->OrderOf(node) : Order::kFile;
  for (int64_t& axis : cut.axes) axis = graph->AxisIn(order, dims.size(), axis);
  BNN_ASSIGN_OR_RETURN(std::string x, graph->Input(node, 0, order));
  SourceNode source = MakeNode("Identity", {x});
  if (!cut.axes.empty()) {
    source = MakeNode("Slice",
                      {x, graph->NewIntegers(node, "/begin", cut.begin), graph->NewIntegers(node, "/end", cut.end),
                       graph->NewIntegers(node, "/axes", cut.axes), graph->NewIntegers(node, "/strides", cut.strides)});
  }
  if (!cut.removed.empty()) {
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, std::move(source), "/slice"));
    source = MakeNode("Squeeze", {x, graph->NewIntegers(node, "/removed", cut.removed)});
  }
  if (!cut.added.empty()) {
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, std::move(source), "/cut"));
    source = MakeNode("Unsqueeze", {x, graph->NewIntegers(node, "/added", cut.added)});
  }
  return graph->Output(node, std::move(source), order);
}

// Pad (x, [rank, 2]), PadV2 (x, pads, value), MirrorPad.
Status ImportGraphdefPad(const GraphdefNode& node, GraphdefGraph* graph) {
  const size_t inputs = node.op() == "PadV2" ? 3 : 2;
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, inputs, inputs));
  const size_t rank = graph->DimsOfInput(node, 0).size();
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> amounts, ListInput(node, graph, 1, 2 * rank));
  const Order order = graph->OrderOf(node);
  std::vector<int64_t> pads(2 * rank);
  for (size_t i = 0; i < rank; ++i) {
    if (amounts[2 * i] < 0 || amounts[2 * i + 1] < 0) return GraphdefError(node, "it has negative pads");
    const auto axis = static_cast<size_t>(graph->AxisIn(order, rank, static_cast<int64_t>(i)));
    pads[axis] = amounts[2 * i];
    pads[axis + rank] = amounts[2 * i + 1];
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, order));
  SourceNode source = MakeNode("Pad", {x, graph->NewIntegers(node, "/pads", std::move(pads))});
  if (node.op() == "MirrorPad") {
    BNN_ASSIGN_OR_RETURN(const std::string mode, GraphdefString(node, "mode"));
    if (mode != "REFLECT" && mode != "SYMMETRIC") {
      return GraphdefError(node, "attribute 'mode' is \"" + mode + "\", expected REFLECT or SYMMETRIC");
    }
    source.attributes["mode"] = std::string(mode == "REFLECT" ? "reflect" : "symmetric");
  } else if (node.op() == "PadV2") {
    BNN_ASSIGN_OR_RETURN(std::string value, graph->Input(node, 2, Order::kFile));
    source.inputs.push_back(std::move(value));
  }
  return graph->Output(node, std::move(source), order);
}

// The permutation between renamed axes.
Status ImportGraphdefTranspose(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  const size_t rank = graph->DimsOfInput(node, 0).size();
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> perm, ListInput(node, graph, 1, rank));
  const Order order = graph->OrderOf(node);
  std::vector<int64_t> renamed(rank, -1);
  std::vector<bool> seen(rank, false);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t axis = perm[i] < 0 ? perm[i] + static_cast<int64_t>(rank) : perm[i];
    if (axis < 0 || axis >= static_cast<int64_t>(rank) || seen[static_cast<size_t>(axis)]) {
      return GraphdefError(node, "its perm is " + DimsToString(perm) + ", expected each axis once");
    }
    seen[static_cast<size_t>(axis)] = true;
    const int64_t to = graph->AxisIn(order, rank, static_cast<int64_t>(i));
    renamed[static_cast<size_t>(to)] = graph->AxisIn(order, rank, axis);
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, order));
  if (std::is_sorted(renamed.begin(), renamed.end())) return graph->Output(node, MakeNode("Identity", {x}), order);
  SourceNode source = MakeNode("Transpose", {x});
  source.attributes["perm"] = std::move(renamed);
  return graph->Output(node, std::move(source), order);
}

// Gather (x, indices) along axis 0, GatherV2 (x, indices, axis).
Status ImportGraphdefGather(const GraphdefNode& node, GraphdefGraph* graph) {
  const bool has_axis = node.op() == "GatherV2";
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, has_axis ? 3 : 2, has_axis ? 3 : 2));
  BNN_ASSIGN_OR_RETURN(const int64_t batch_dims, GraphdefInt(node, "batch_dims", 0));
  if (batch_dims != 0) {
    return GraphdefUnsupported(node, "attribute 'batch_dims' is " + std::to_string(batch_dims) + ", expected 0");
  }
  SourceNode source = MakeNode("Gather", {});
  for (size_t i = 0; i < 2; ++i) {
    BNN_ASSIGN_OR_RETURN(std::string value, graph->Input(node, i, Order::kFile));
    source.inputs.push_back(std::move(value));
  }
  int64_t axis = 0;
  if (has_axis) {
    BNN_ASSIGN_OR_RETURN(axis, AxisInput(node, graph, 2, graph->DimsOfInput(node, 0).size()));
  }
  source.attributes["axis"] = axis;
  return graph->Output(node, std::move(source), Order::kFile);
}

}  // namespace bnn::formats
