// Operators that exchange space and depth, or enlarge maps.
#include <string>
#include <utility>

#include "formats/importers/graphdef_graph.h"
#include "formats/importers/graphdef_operators.h"
#include "formats/importers/tensorflow_maps.h"

namespace bnn::formats {
namespace {

using Order = GraphdefGraph::Order;

struct Blocks {
  bool to_depth;
  int64_t height, width;  // of a block
};

Status EmitExchange(const GraphdefNode& node, GraphdefGraph* graph, DataFormat format, const Blocks& blocks) {
  const int64_t h = blocks.height, w = blocks.width;
  BNN_ASSIGN_OR_RETURN(std::string x, graph->Input(node, 0, Order::kFile));
  if (format == DataFormat::kNchw && graph->DimsOf(x).size() == 4) {
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, TransposeToFile(x), "/nhwc"));
  }
  const Dims in = graph->DimsOf(x);
  const std::optional<BlockExchange> exchange = ExchangeBlocks(in, blocks.to_depth, h, w);
  if (!exchange) {
    return GraphdefError(node, "blocks of " + DimsToString({h, w}) + " do not divide input " +
                                   DimsToString(graph->DimsOfInput(node, 0)));
  }
  SourceNode reshape = MakeNode("Reshape", {x, graph->NewIntegers(node, "/split", exchange->split)});
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, std::move(reshape), "/blocks"));
  SourceNode transpose = MakeNode("Transpose", {x});
  transpose.attributes["perm"] = BlockExchange::Perm();
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, std::move(transpose), "/exchanged"));
  SourceNode join = MakeNode("Reshape", {x, graph->NewIntegers(node, "/joined", exchange->joined)});
  if (format == DataFormat::kNhwc) return graph->Output(node, std::move(join), Order::kFile);
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, std::move(join), "/joined_nhwc"));
  return graph->Output(node, TransposeToMap(x), Order::kFile);
}

}  // namespace

// SpaceToDepth and DepthToSpace.
Status ImportGraphdefBlocks(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  BNN_ASSIGN_OR_RETURN(const DataFormat format, GraphdefDataFormat(node));
  BNN_ASSIGN_OR_RETURN(const int64_t block, GraphdefInt(node, "block_size"));
  return EmitExchange(node, graph, format, {node.op() == "SpaceToDepth", block, block});
}

// Patches that neither overlap nor leave anything out are SpaceToDepth: Blueoil writes it so. Others are refused.
Status ImportGraphdefImagePatches(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, GraphdefInts(node, "ksizes"));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, GraphdefInts(node, "strides"));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> rates, GraphdefInts(node, "rates"));
  BNN_ASSIGN_OR_RETURN(const std::string padding, GraphdefString(node, "padding"));
  if (padding != "SAME" && padding != "VALID") {
    return GraphdefError(node, "attribute 'padding' is \"" + padding + "\", expected SAME or VALID");
  }
  const Dims in = graph->DimsOfInput(node, 0);
  const bool fits = sizes.size() == 4 && sizes == strides && rates == std::vector<int64_t>(4, 1) && sizes[0] == 1 &&
                    sizes[3] == 1 && sizes[1] >= 1 && sizes[2] >= 1 && in.size() == 4 && in[1] % sizes[1] == 0 &&
                    in[2] % sizes[2] == 0;
  if (!fits) {
    return GraphdefUnsupported(node, "attributes 'ksizes' " + DimsToString(sizes) + ", 'strides' " +
                                         DimsToString(strides) + " and 'rates' " + DimsToString(rates) +
                                         " with input " + DimsToString(in) +
                                         ": only patches that take each pixel once are supported");
  }
  return EmitExchange(node, graph, DataFormat::kNhwc, {true, sizes[1], sizes[2]});
}

// Where a pixel of the result lies in the map: aligned corners, half pixels, or x * in / out. The nearest pixel is the
// one below, or with the first two the one nearest to it, at .5 the upper one.
Status ImportGraphdefResize(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 2, 2));
  BNN_ASSIGN_OR_RETURN(const bool align_corners, GraphdefBool(node, "align_corners", false));
  BNN_ASSIGN_OR_RETURN(const bool half_pixels, GraphdefBool(node, "half_pixel_centers", false));
  if (align_corners && half_pixels) {
    return GraphdefError(node, "attributes 'align_corners' and 'half_pixel_centers' are both true");
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->MapInput(node, 0, DataFormat::kNhwc));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> size, graph->IntegersInput(node, 1));
  if (size.size() != 2 || size[0] < 1 || size[1] < 1) {
    return GraphdefError(node, "its size is " + DimsToString(size) + ", expected height and width");
  }
  const bool linear = node.op() == "ResizeBilinear";
  // A size of 0 keeps the axis: an open batch stays open.
  SourceNode source = MakeNode("Resize", {x, "", "", graph->NewIntegers(node, "/size", {0, 0, size[0], size[1]})});
  source.attributes = TensorflowResize(linear, align_corners, half_pixels);
  return graph->MapOutput(node, std::move(source), DataFormat::kNhwc);
}

}  // namespace bnn::formats
