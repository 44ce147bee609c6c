// Operators that change shapes or compute with them. Reshapes mean the file's order of elements.
#include <algorithm>
#include <string>
#include <utility>

#include "formats/importers/tensorflow_maps.h"
#include "formats/importers/tflite_operators.h"
#include "formats/importers/tflite_options.h"

namespace bnn::formats {
namespace {

// Input 0 under other dims (of the file; one may be -1).
Status ReshapeTo(const TfliteOperator& op, TfliteGraph* graph, const std::vector<int64_t>& target) {
  BNN_RETURN_IF_ERROR(graph->Input(op, 0).status());
  const Dims in = graph->DimsOfInput(op, 0);
  BNN_ASSIGN_OR_RETURN(const std::string x,
                       SameInBothOrders(in) ? graph->Input(op, 0) : graph->InputInFileOrder(op, 0));
  TfliteGraph::OutputOptions output;
  std::vector<int64_t> dims = target;
  const bool is_known = std::count(target.begin(), target.end(), -1) == 0 || target[0] == -1;
  output.file_order = target.size() != 4 || !is_known || !SameInBothOrders(target);
  if (!output.file_order) dims = MapDimsOf(target);
  return graph->Output(op, MakeNode("Reshape", {x, graph->NewIntegers(op, "/dims", dims)}), output);
}

// Input 0 with the dims of its output, which differ by dims of 1. An open batch stays open.
Status ReshapeToOutput(const TfliteOperator& op, TfliteGraph* graph, Dims dims) {
  const Dims in = graph->DimsOfInput(op, 0);
  if (!dims.empty() && !in.empty() && dims[0] == in[0] && in[0] == 1) dims[0] = -1;
  return ReshapeTo(op, graph, dims);
}

}  // namespace

// The target is input 1, or field new_shape of older files.
Status ImportTfliteReshape(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 2));
  std::vector<int64_t> target;
  if (TfliteGraph::Has(op, 1) && !graph->IsKnown(op, 1)) {  // computed from an open batch
    BNN_ASSIGN_OR_RETURN(const std::string x, graph->InputInFileOrder(op, 0));
    BNN_ASSIGN_OR_RETURN(const std::string dims, graph->Input(op, 1));
    TfliteGraph::OutputOptions output;
    output.file_order = true;
    return graph->Output(op, MakeNode("Reshape", {x, dims}), output);
  }
  if (TfliteGraph::Has(op, 1)) {
    BNN_ASSIGN_OR_RETURN(target, graph->IntegersInput(op, 1));
  } else {
    BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::ReshapeOptions>(op));
    if (options->new_shape() == nullptr) return TfliteError(op, "it has neither an input 1 nor a field new_shape");
    target.assign(options->new_shape()->begin(), options->new_shape()->end());
  }
  if (!IsReshapeTarget(target)) {
    return TfliteError(op,
                       "its target is " + DimsToString(target) + ", expected dims of at least 1 and at most one -1");
  }
  return ReshapeTo(op, graph, target);
}

Status ImportTfliteSqueeze(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::SqueezeOptions>(op));
  BNN_RETURN_IF_ERROR(graph->Input(op, 0).status());
  const Dims in = graph->DimsOfInput(op, 0);
  const auto rank = static_cast<int64_t>(in.size());
  const auto* axes = options->squeeze_dims();
  std::vector<bool> removed(in.size(), false);
  for (unsigned i = 0; axes != nullptr && i < axes->size(); ++i) {
    const int64_t axis = axes->Get(i) < 0 ? axes->Get(i) + rank : axes->Get(i);
    if (axis < 0 || axis >= rank || in[static_cast<size_t>(axis)] != 1) {
      return TfliteError(op, "field squeeze_dims holds " + std::to_string(axes->Get(i)) +
                                 ", expected an axis of size 1 of " + DimsToString(in));
    }
    removed[static_cast<size_t>(axis)] = true;
  }
  Dims out;
  for (size_t i = 0; i < in.size(); ++i) {
    const bool all = axes == nullptr || axes->size() == 0;
    if (!(all ? in[i] == 1 : removed[i])) out.push_back(in[i]);
  }
  return ReshapeToOutput(op, graph, out);
}

Status ImportTfliteExpandDims(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 2));
  BNN_RETURN_IF_ERROR(graph->Input(op, 0).status());
  Dims out = graph->DimsOfInput(op, 0);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, graph->IntegersInput(op, 1));
  const auto rank = static_cast<int64_t>(out.size()) + 1;
  if (axes.size() != 1 || axes[0] < -rank || axes[0] >= rank) {
    return TfliteError(op, "its axis is " + DimsToString(axes) + ", expected one of " + std::to_string(rank));
  }
  out.insert(out.begin() + (axes[0] < 0 ? axes[0] + rank : axes[0]), 1);
  return ReshapeToOutput(op, graph, out);
}

Status ImportTfliteShape(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->InputInFileOrder(op, 0));
  return graph->Output(op, MakeNode("Shape", {x}));
}

// Joins its inputs along a new axis.
Status ImportTflitePack(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, SIZE_MAX));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::PackOptions>(op));
  BNN_RETURN_IF_ERROR(graph->Input(op, 0).status());
  const auto rank = static_cast<int64_t>(graph->DimsOfInput(op, 0).size()) + 1;
  int64_t axis = options->axis();
  if (axis < -rank || axis >= rank) {
    return TfliteError(op, "field axis is " + std::to_string(axis) + ", expected one of " + std::to_string(rank));
  }
  axis += axis < 0 ? rank : 0;
  const std::string axes = graph->NewIntegers(op, "/axis", {axis});
  std::vector<std::string> parts;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    BNN_ASSIGN_OR_RETURN(const std::string x, graph->InputInFileOrder(op, i));
    BNN_ASSIGN_OR_RETURN(std::string part,
                         graph->Emit(op, MakeNode("Unsqueeze", {x, axes}), "/part" + std::to_string(i)));
    parts.push_back(std::move(part));
  }
  SourceNode node = MakeNode("Concat", std::move(parts));
  node.attributes["axis"] = axis;
  TfliteGraph::OutputOptions output;
  output.file_order = true;
  return graph->Output(op, std::move(node), output);
}

Status ImportTfliteGather(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 2));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::GatherOptions>(op));
  if (options->batch_dims() != 0) {
    return TfliteUnsupported(op, "field batch_dims is " + std::to_string(options->batch_dims()) + ", expected 0");
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->InputInFileOrder(op, 0));
  BNN_ASSIGN_OR_RETURN(const std::string indices, graph->InputInFileOrder(op, 1));
  SourceNode node = MakeNode("Gather", {x, indices});
  node.attributes["axis"] = int64_t{options->axis()};
  TfliteGraph::OutputOptions output;
  output.file_order = true;
  return graph->Output(op, std::move(node), output);
}

// SPACE_TO_DEPTH and DEPTH_TO_SPACE, in the order of the file.
Status ImportTfliteBlocks(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  const bool to_depth = std::string(EntryOf(op).name) == "SPACE_TO_DEPTH";
  int64_t block = 0;
  if (to_depth) {
    BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::SpaceToDepthOptions>(op));
    block = options->block_size();
  } else {
    BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::DepthToSpaceOptions>(op));
    block = options->block_size();
  }
  BNN_ASSIGN_OR_RETURN(std::string x, graph->InputInFileOrder(op, 0));
  const Dims in = graph->DimsOfInput(op, 0);
  const std::optional<BlockExchange> exchange = ExchangeBlocks(in, to_depth, block, block);
  if (!exchange) {
    return TfliteError(op,
                       "field block_size is " + std::to_string(block) + ", which does not divide " + DimsToString(in));
  }
  SourceNode reshape = MakeNode("Reshape", {x, graph->NewIntegers(op, "/split", exchange->split)});
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, std::move(reshape), "/blocks"));
  SourceNode transpose = MakeNode("Transpose", {x});
  transpose.attributes["perm"] = BlockExchange::Perm();
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, std::move(transpose), "/exchanged"));
  TfliteGraph::OutputOptions output;
  output.file_order = true;
  return graph->Output(op, MakeNode("Reshape", {x, graph->NewIntegers(op, "/joined", exchange->joined)}), output);
}

}  // namespace bnn::formats
