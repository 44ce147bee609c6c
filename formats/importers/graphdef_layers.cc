// Layers with weights, and pooling.
#include <string>
#include <utility>

#include "formats/importers/graphdef_graph.h"
#include "formats/importers/graphdef_operators.h"

namespace bnn::formats {
namespace {

using Order = GraphdefGraph::Order;

// A list of four numbers, one for each axis, of which only those of height and width may differ from 1.
Result<std::vector<int64_t>> SpatialPair(const GraphdefNode& node, DataFormat format, const std::string& key,
                                         std::optional<std::vector<int64_t>> fallback = {}) {
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> list, GraphdefInts(node, key, std::move(fallback)));
  const size_t height = format == DataFormat::kNhwc ? 1 : 2;
  bool fits = list.size() == 4;
  for (size_t i = 0; fits && i < list.size(); ++i) fits = i == height || i == height + 1 || list[i] == 1;
  if (fits) return std::vector<int64_t>{list[height], list[height + 1]};
  return GraphdefUnsupported(node, "attribute '" + key + "' is " + DimsToString(list) +
                                       ", expected four numbers, and 1 for batch and channels");
}

// Attributes padding and explicit_paddings.
Status SetPadding(const GraphdefNode& node, DataFormat format, SourceNode* source) {
  BNN_ASSIGN_OR_RETURN(const std::string padding, GraphdefString(node, "padding"));
  if (padding == "SAME" || padding == "VALID") {
    source->attributes["auto_pad"] = std::string(padding == "SAME" ? "SAME_UPPER" : "VALID");
    return OkStatus();
  }
  if (padding != "EXPLICIT") {
    return GraphdefError(node, "attribute 'padding' is \"" + padding + "\", expected SAME, VALID or EXPLICIT");
  }
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, GraphdefInts(node, "explicit_paddings"));
  const size_t height = format == DataFormat::kNhwc ? 2 : 4;
  bool fits = pads.size() == 8;
  for (size_t i = 0; fits && i < pads.size(); ++i) fits = (i >= height && i < height + 4) || pads[i] == 0;
  if (!fits) {
    return GraphdefError(node, "attribute 'explicit_paddings' is " + DimsToString(pads) +
                                   ", expected eight numbers, and 0 for batch and channels");
  }
  source->attributes["pads"] = std::vector<int64_t>{pads[height], pads[height + 2], pads[height + 1], pads[height + 3]};
  return OkStatus();
}

// What both kinds of convolution have in common.
struct ConvInputs {
  DataFormat format = DataFormat::kNhwc;
  std::string x;
  int64_t channels = 0;
  Dims filter;  // in the file's order
};

Result<ConvInputs> ReadConv(const GraphdefNode& node, GraphdefGraph* graph) {
  ConvInputs conv;
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  BNN_ASSIGN_OR_RETURN(conv.format, GraphdefDataFormat(node));
  BNN_ASSIGN_OR_RETURN(conv.x, graph->MapInput(node, 0, conv.format));
  conv.channels = graph->DimsOf(conv.x)[1];
  conv.filter = graph->DimsOfInput(node, 1);
  if (conv.filter.size() == 4) return conv;
  return GraphdefError(node, "its filter is " + DimsToString(conv.filter) + ", expected four dims");
}

Status FinishConv(const GraphdefNode& node, GraphdefGraph* graph, const ConvInputs& conv, const std::string& filter,
                  int64_t groups) {
  SourceNode source = MakeNode("Conv", {conv.x, filter});
  BNN_ASSIGN_OR_RETURN(source.attributes["strides"], SpatialPair(node, conv.format, "strides"));
  const std::vector<int64_t> ones(4, 1);
  BNN_ASSIGN_OR_RETURN(source.attributes["dilations"], SpatialPair(node, conv.format, "dilations", ones));
  BNN_RETURN_IF_ERROR(SetPadding(node, conv.format, &source));
  source.attributes["group"] = groups;
  return graph->WindowOutput(node, std::move(source), conv.format);
}

// The filter with its axes permuted.
Result<std::string> TransposedFilter(const GraphdefNode& node, GraphdefGraph* graph, std::vector<int64_t> perm,
                                     const std::string& suffix) {
  BNN_ASSIGN_OR_RETURN(const std::string filter, graph->Input(node, 1, Order::kFile));
  SourceNode transpose = MakeNode("Transpose", {filter});
  transpose.attributes["perm"] = std::move(perm);
  return graph->Emit(node, std::move(transpose), suffix);
}

Status DoesNotFit(const GraphdefNode& node, const ConvInputs& conv) {
  return GraphdefError(
      node, "its filter " + DimsToString(conv.filter) + " does not fit " + std::to_string(conv.channels) + " channels");
}

}  // namespace

// Filters are [H, W, I / groups, O].
Status ImportGraphdefConv(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const ConvInputs conv, ReadConv(node, graph));
  if (conv.filter[2] < 1 || conv.channels % conv.filter[2] != 0) return DoesNotFit(node, conv);
  BNN_ASSIGN_OR_RETURN(const std::string filter, TransposedFilter(node, graph, {3, 2, 0, 1}, "/filter"));
  return FinishConv(node, graph, conv, filter, conv.channels / conv.filter[2]);
}

// Filters are [H, W, C, multiplier]: output channel c * multiplier + m reads channel c only, a group of its own.
Status ImportGraphdefDepthwiseConv(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const ConvInputs conv, ReadConv(node, graph));
  if (conv.filter[2] != conv.channels) return DoesNotFit(node, conv);
  BNN_ASSIGN_OR_RETURN(std::string filter, TransposedFilter(node, graph, {2, 3, 0, 1}, "/filter_by_channel"));
  const Dims& f = conv.filter;  // elements of values are bounded, so the product of two dims does not overflow
  const std::string dims = graph->NewIntegers(node, "/filter_dims", {f[2] * f[3], 1, f[0], f[1]});
  BNN_ASSIGN_OR_RETURN(filter, graph->Emit(node, MakeNode("Reshape", {filter, dims}), "/filter"));
  return FinishConv(node, graph, conv, filter, conv.channels);
}

Status ImportGraphdefMatMul(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  BNN_ASSIGN_OR_RETURN(const bool transpose_a, GraphdefBool(node, "transpose_a", false));
  BNN_ASSIGN_OR_RETURN(const bool transpose_b, GraphdefBool(node, "transpose_b", false));
  SourceNode source = MakeNode("Gemm", {});
  for (size_t i = 0; i < 2; ++i) {
    if (graph->DimsOfInput(node, i).size() != 2) {
      return GraphdefError(node, "input " + std::to_string(i) + " is " + DimsToString(graph->DimsOfInput(node, i)) +
                                     ", expected two dims");
    }
    BNN_ASSIGN_OR_RETURN(std::string value, graph->Input(node, i, Order::kFile));
    source.inputs.push_back(std::move(value));
  }
  source.attributes["transA"] = int64_t{transpose_a ? 1 : 0};
  source.attributes["transB"] = int64_t{transpose_b ? 1 : 0};
  return graph->Output(node, std::move(source), Order::kFile);
}

// The bias belongs to the last axis, in NCHW to the second one.
Status ImportGraphdefBiasAdd(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  BNN_ASSIGN_OR_RETURN(const DataFormat format, GraphdefDataFormat(node));
  const Dims in = graph->DimsOfInput(node, 0), bias = graph->DimsOfInput(node, 1);
  const size_t axis = format == DataFormat::kNchw ? 1 : in.size() - 1;
  if (in.size() < 2 || bias != Dims{in[axis]}) {
    return GraphdefError(node, "its bias " + DimsToString(bias) + " does not fit input " + DimsToString(in));
  }
  if (format == DataFormat::kNhwc) return ImportGraphdefBinary(node, graph);
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, Order::kFile));
  BNN_ASSIGN_OR_RETURN(std::string b, graph->Input(node, 1, Order::kFile));
  const std::string dims = graph->NewIntegers(node, "/bias_dims", [&] {
    std::vector<int64_t> wide(in.size() - 1, 1);
    wide[0] = in[1];
    return wide;
  }());
  BNN_ASSIGN_OR_RETURN(b, graph->Emit(node, MakeNode("Reshape", {b, dims}), "/bias"));
  return graph->Output(node, MakeNode("Add", {x, b}), Order::kFile);
}

Status ImportGraphdefBatchNorm(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 5, 5));
  BNN_ASSIGN_OR_RETURN(const bool is_training, GraphdefBool(node, "is_training", true));
  if (is_training) {
    return GraphdefUnsupported(node, "attribute 'is_training' is true: it normalizes by the batch, not by constants");
  }
  BNN_ASSIGN_OR_RETURN(const DataFormat format, GraphdefDataFormat(node));
  BNN_ASSIGN_OR_RETURN(std::string x, graph->MapInput(node, 0, format));
  SourceNode source = MakeNode("BatchNormalization", {x});
  for (size_t i = 1; i < 5; ++i) {
    const Dims dims = graph->DimsOfInput(node, i);
    if (dims != Dims{graph->DimsOf(x)[1]}) {
      return GraphdefError(node, "input " + std::to_string(i) + " is " + DimsToString(dims) + ", expected [" +
                                     std::to_string(graph->DimsOf(x)[1]) + "]");
    }
    BNN_ASSIGN_OR_RETURN(std::string value, graph->Input(node, i, Order::kFile));
    source.inputs.push_back(std::move(value));
  }
  BNN_ASSIGN_OR_RETURN(source.attributes["epsilon"], GraphdefFloat(node, "epsilon", 1e-4F));
  return graph->MapOutput(node, std::move(source), format);
}

// The average counts the elements of the map only, never padding.
Status ImportGraphdefPool(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  BNN_ASSIGN_OR_RETURN(const DataFormat format, GraphdefDataFormat(node));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->MapInput(node, 0, format));
  SourceNode source = MakeNode(EntryOf(node).renamed, {x});
  BNN_ASSIGN_OR_RETURN(source.attributes["kernel_shape"], SpatialPair(node, format, "ksize"));
  BNN_ASSIGN_OR_RETURN(source.attributes["strides"], SpatialPair(node, format, "strides"));
  BNN_RETURN_IF_ERROR(SetPadding(node, format, &source));
  return graph->WindowOutput(node, std::move(source), format);
}

}  // namespace bnn::formats
