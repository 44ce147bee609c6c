// Operators that move elements. Axes that they name are renamed with those of the values.
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "formats/importers/tflite_operators.h"
#include "formats/importers/tflite_options.h"

namespace bnn::formats {
namespace {

// An axis of the file in [-rank, rank) as one of the value.
Result<int64_t> RenamedAxis(const TfliteOperator& op, int64_t axis, size_t rank) {
  const auto count = static_cast<int64_t>(rank);
  if (axis < -count || axis >= count) {
    return TfliteError(op, "its axis is " + std::to_string(axis) + ", expected one of " + std::to_string(count));
  }
  return MapAxis(rank, axis < 0 ? axis + count : axis);
}

// A list that must have one number for each axis of input 0.
Result<std::vector<int64_t>> AxesList(const TfliteOperator& op, TfliteGraph* graph, size_t input, size_t count) {
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> list, graph->IntegersInput(op, input));
  if (list.size() == count) return list;
  return TfliteError(op, "input " + std::to_string(input) + " has " + std::to_string(list.size()) +
                             " elements, expected " + std::to_string(count));
}

std::vector<int64_t> RenamedAxes(size_t rank) {
  std::vector<int64_t> axes;
  for (size_t i = 0; i < rank; ++i) axes.push_back(MapAxis(rank, static_cast<int64_t>(i)));
  return axes;
}

}  // namespace

Status ImportTfliteConcat(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, SIZE_MAX));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::ConcatenationOptions>(op));
  std::vector<std::string> inputs;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    BNN_ASSIGN_OR_RETURN(std::string value, graph->Input(op, i));
    inputs.push_back(std::move(value));
  }
  SourceNode node = MakeNode("Concat", std::move(inputs));
  BNN_ASSIGN_OR_RETURN(node.attributes["axis"], RenamedAxis(op, options->axis(), graph->DimsOfInput(op, 0).size()));
  TfliteGraph::OutputOptions output;
  output.activation = options->fused_activation_function();
  return graph->Output(op, std::move(node), output);
}

// SPLIT (axis, x) in equal parts, and SPLIT_V (x, sizes, axis).
Status ImportTfliteSplit(const TfliteOperator& op, TfliteGraph* graph) {
  const bool has_sizes = std::string(EntryOf(op).name) == "SPLIT_V";
  const size_t parts = op.outputs.size();
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, has_sizes ? 3 : 2, has_sizes ? 3 : 2, parts));
  const size_t data = has_sizes ? 0 : 1;
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, data));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axis, AxesList(op, graph, has_sizes ? 2 : 0, 1));
  const Dims dims = graph->DimsOfInput(op, data);
  BNN_ASSIGN_OR_RETURN(const int64_t renamed, RenamedAxis(op, axis[0], dims.size()));
  const int64_t dim = MapDimsOf(dims)[static_cast<size_t>(renamed)];
  std::vector<int64_t> sizes(parts, dim / static_cast<int64_t>(parts));
  if (has_sizes) {
    BNN_ASSIGN_OR_RETURN(sizes, AxesList(op, graph, 1, parts));
    int64_t known = 0;
    for (const int64_t size : sizes) known += size > 0 ? size : 0;
    for (int64_t& size : sizes) size = size == -1 ? dim - known : size;
  }
  int64_t begin = 0;
  // A Slice for each part: parts are quantized and checked like any other output.
  for (size_t i = 0; i < parts; ++i) {
    if (sizes[i] < 1 || sizes[i] > dim - begin) {
      return TfliteError(op, "its parts do not fit a dim of " + std::to_string(dim));
    }
    const std::string suffix = "/part" + std::to_string(i);
    SourceNode node = MakeNode("Slice", {x, graph->NewIntegers(op, suffix + "/begin", {begin}),
                                         graph->NewIntegers(op, suffix + "/end", {begin + sizes[i]}),
                                         graph->NewIntegers(op, suffix + "/axis", {renamed})});
    begin += sizes[i];
    TfliteGraph::OutputOptions output;
    output.index = i;
    BNN_RETURN_IF_ERROR(graph->Output(op, std::move(node), output));
  }
  return OkStatus();
}

// SLICE (x, begin, size); a size of -1 takes what is left.
Status ImportTfliteSlice(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 3, 3));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  const Dims dims = graph->DimsOfInput(op, 0);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> begin, AxesList(op, graph, 1, dims.size()));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> size, AxesList(op, graph, 2, dims.size()));
  std::vector<int64_t> end;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (begin[i] < 0 || begin[i] > dims[i] || size[i] < -1 || size[i] > dims[i] - begin[i]) {
      return TfliteError(
          op, "begin " + DimsToString(begin) + " and size " + DimsToString(size) + " do not fit " + DimsToString(dims));
    }
    end.push_back(size[i] == -1 ? dims[i] : begin[i] + size[i]);
  }
  return graph->Output(
      op, MakeNode("Slice", {x, graph->NewIntegers(op, "/begin", begin), graph->NewIntegers(op, "/end", end),
                             graph->NewIntegers(op, "/axes", RenamedAxes(dims.size()))}));
}

// STRIDED_SLICE (x, begin, end, strides). Bit i of a mask: begin or end of axis i is open; of shrink_axis_mask: the one
// element at begin is taken and the axis removed.
Status ImportTfliteStridedSlice(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 4, 4));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::StridedSliceOptions>(op));
  if (options->ellipsis_mask() != 0 || options->new_axis_mask() != 0 || options->offset()) {
    return TfliteUnsupported(op, "fields ellipsis_mask, new_axis_mask and offset are " +
                                     std::to_string(options->ellipsis_mask()) + ", " +
                                     std::to_string(options->new_axis_mask()) + " and " +
                                     std::to_string(options->offset() ? 1 : 0) + ", expected 0");
  }
  // Removing axes of a map needs the file's order.
  const bool shrinks = options->shrink_axis_mask() != 0;
  BNN_ASSIGN_OR_RETURN(std::string x, shrinks ? graph->InputInFileOrder(op, 0) : graph->Input(op, 0));
  const Dims dims = graph->DimsOfInput(op, 0);
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> begin, graph->IntegersInput(op, 1));
  const size_t count = begin.size();
  if (count > dims.size()) return TfliteError(op, "it has more begins than its input has dims");
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> end, AxesList(op, graph, 2, count));
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> strides, AxesList(op, graph, 3, count));
  std::vector<int64_t> axes, removed;
  constexpr int64_t kFar = std::numeric_limits<int32_t>::max();
  for (size_t i = 0; i < count; ++i) {
    const auto masked = [i](int32_t mask) { return ((static_cast<uint32_t>(mask) >> i) & 1U) != 0; };
    const auto axis = static_cast<int64_t>(i);
    axes.push_back(shrinks ? axis : MapAxis(dims.size(), axis));
    if (strides[i] == 0) return TfliteError(op, "a stride is 0");
    if (masked(options->shrink_axis_mask())) {
      removed.push_back(axis);
      if (begin[i] < -dims[i] || begin[i] >= dims[i]) return TfliteError(op, "an index is out of range");
      begin[i] += begin[i] < 0 ? dims[i] : 0;
      end[i] = begin[i] + 1;
      strides[i] = 1;
      continue;
    }
    if (masked(options->begin_mask())) begin[i] = strides[i] > 0 ? 0 : kFar;
    if (masked(options->end_mask())) end[i] = strides[i] > 0 ? kFar : -kFar;
  }
  SourceNode slice =
      MakeNode("Slice", {x, graph->NewIntegers(op, "/begin", begin), graph->NewIntegers(op, "/end", end),
                         graph->NewIntegers(op, "/axes", axes), graph->NewIntegers(op, "/strides", strides)});
  if (!shrinks) return graph->Output(op, std::move(slice));
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, std::move(slice), "/slice"));
  TfliteGraph::OutputOptions output;
  output.file_order = true;
  return graph->Output(op, MakeNode("Squeeze", {x, graph->NewIntegers(op, "/removed", removed)}), output);
}

// PAD (x, [rank, 2]), PADV2 (x, pads, value), MIRROR_PAD.
Status ImportTflitePad(const TfliteOperator& op, TfliteGraph* graph) {
  const std::string name = EntryOf(op).name;
  const size_t inputs = name == "PADV2" ? 3 : 2;
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, inputs, inputs));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  const size_t rank = graph->DimsOfInput(op, 0).size();
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> amounts, AxesList(op, graph, 1, 2 * rank));
  std::vector<int64_t> pads(2 * rank);
  for (size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<size_t>(MapAxis(rank, static_cast<int64_t>(i)));
    pads[axis] = amounts[2 * i];
    pads[axis + rank] = amounts[2 * i + 1];
    if (amounts[2 * i] < 0 || amounts[2 * i + 1] < 0) return TfliteError(op, "it has negative pads");
  }
  SourceNode node = MakeNode("Pad", {x, graph->NewIntegers(op, "/pads", pads)});
  if (name == "MIRROR_PAD") {
    BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::MirrorPadOptions>(op));
    if (options->mode() != 0 && options->mode() != 1) {
      return TfliteError(
          op, "field mode is " + std::to_string(options->mode()) + ", expected REFLECT (0) or SYMMETRIC (1)");
    }
    node.attributes["mode"] = std::string(options->mode() == 0 ? "reflect" : "symmetric");
  } else if (name == "PADV2") {
    BNN_ASSIGN_OR_RETURN(const Tensor value, graph->ConstantInput(op, 2));
    if (value.type != DType::kFloat32 || value.size() != 1) {
      return TfliteUnsupported(op, "input 2 is " + DimsToString(value.dims) + ", expected one constant number");
    }
    node.inputs.push_back(graph->NewScalar(op, "/value", value.floats[0]));
  }
  return graph->Output(op, std::move(node));
}

// The permutation between renamed axes: where all of it is undone by the renaming, nothing is left.
Status ImportTfliteTranspose(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 2));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  const size_t rank = graph->DimsOfInput(op, 0).size();
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> perm, AxesList(op, graph, 1, rank));
  std::vector<int64_t> renamed(rank, -1);
  std::vector<bool> seen(rank, false);
  bool identity = true;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t axis = perm[i] < 0 ? perm[i] + static_cast<int64_t>(rank) : perm[i];
    if (axis < 0 || axis >= static_cast<int64_t>(rank) || seen[static_cast<size_t>(axis)]) {
      return TfliteError(op, "its perm is " + DimsToString(perm) + ", expected each axis once");
    }
    seen[static_cast<size_t>(axis)] = true;
    const int64_t to = MapAxis(rank, static_cast<int64_t>(i));
    renamed[static_cast<size_t>(to)] = MapAxis(rank, axis);
    identity = identity && axis == static_cast<int64_t>(i);
  }
  if (identity) return graph->Output(op, MakeNode("Identity", {x}));
  SourceNode node = MakeNode("Transpose", {x});
  node.attributes["perm"] = renamed;
  return graph->Output(op, std::move(node));
}

}  // namespace bnn::formats
