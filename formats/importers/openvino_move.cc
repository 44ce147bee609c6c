// Operators that only move elements.
#include <algorithm>
#include <numeric>
#include <utility>

#include "formats/importers/openvino_operators.h"

namespace bnn::formats {
namespace {

// How often Tile may repeat an axis: each time is an input of a Concat.
constexpr int64_t kMaxRepeats = 256;

// The axis that input `index` holds, from the front.
Result<int64_t> AxisInput(const IrNode& node, size_t index) {
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> values, node.KnownInts(index));
  const int64_t rank = node.RankOf(0);
  if (values.size() != 1 || values[0] < -rank || values[0] >= rank) {
    return node.Error("input " + std::to_string(index) + " is " + DimsToString(values) +
                      ", expected one axis of rank " + std::to_string(rank));
  }
  return values[0] < 0 ? values[0] + rank : values[0];
}

Status FinishSplit(const IrNode& node, int64_t axis, const std::vector<int64_t>& sizes) {
  if (sizes.size() != node.outputs.size()) {
    return node.Error("makes " + std::to_string(sizes.size()) + " parts, but has " +
                      std::to_string(node.outputs.size()) + " output ports");
  }
  return node.Finish("Split", {node.inputs[0], node.IntsConstant("sizes", sizes)}, {{"axis", axis}}, sizes.size());
}

}  // namespace

Status ImportConcat(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(int64_t axis, node.Int("axis"));
  if (axis < 0) axis += node.RankOf(0);
  return node.Finish("Concat", node.inputs, {{"axis", axis}});
}

Status ImportGather(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisInput(node, 2));
  BNN_ASSIGN_OR_RETURN(const int64_t batch_dims, node.Int("batch_dims", 0));
  if (batch_dims != 0) return node.NotSupported("attribute 'batch_dims' is " + std::to_string(batch_dims));
  return node.Finish("Gather", {node.inputs[0], node.inputs[1]}, {{"axis", axis}});
}

Status ImportPad(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::string mode, node.Word("pad_mode", {"constant", "edge", "reflect"}));
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> pads, node.KnownInts(1));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads_end, node.KnownInts(2));
  pads.insert(pads.end(), pads_end.begin(), pads_end.end());
  std::vector<std::string> inputs = {node.inputs[0], node.IntsConstant("pads", std::move(pads))};
  if (mode == "constant" && node.HasInput(3)) inputs.push_back(node.inputs[3]);
  return node.Finish("Pad", inputs, {{"mode", mode}});
}

Status ImportSplit(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisInput(node, 1));
  BNN_ASSIGN_OR_RETURN(const int64_t parts, node.Int("num_splits"));
  const int64_t dim = node.DimsOf(0)[static_cast<size_t>(axis)];
  if (parts < 1 || parts != static_cast<int64_t>(node.outputs.size()) || dim % parts != 0) {
    return node.Error("attribute 'num_splits' is " + std::to_string(parts) + ", for a dim of " + std::to_string(dim) +
                      " and " + std::to_string(node.outputs.size()) + " output ports");
  }
  return FinishSplit(node, axis, std::vector<int64_t>(static_cast<size_t>(parts), dim / parts));
}

// One length may be -1: what is left.
Status ImportVariadicSplit(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const int64_t axis, AxisInput(node, 1));
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> sizes, node.KnownInts(2));
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    *open = 0;
    const int64_t others = CountElements(sizes) < 0 ? -1 : std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
    *open = node.DimsOf(0)[static_cast<size_t>(axis)] - others;
    if (others < 0 || *open < 0)
      return node.Error("input 2 is " + DimsToString(sizes) + ", which leaves nothing for -1");
  }
  return FinishSplit(node, axis, sizes);
}

// Without an order the axes are reversed.
Status ImportTranspose(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> perm, node.KnownInts(1));
  std::vector<int64_t> identity(static_cast<size_t>(node.RankOf(0)));
  std::iota(identity.begin(), identity.end(), 0);
  if (perm.empty()) perm.assign(identity.rbegin(), identity.rend());
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != identity) {
    return node.Error("input 1 is " + DimsToString(perm) + ", which is no permutation of " +
                      std::to_string(identity.size()) + " axes");
  }
  return node.Finish("Transpose", {node.inputs[0]}, {{"perm", perm}});
}

// The axis is seen as [group, size / group], and these two are swapped.
Status ImportShuffleChannels(const IrNode& node) {
  const Dims dims = node.DimsOf(0);
  const int64_t rank = node.RankOf(0);
  BNN_ASSIGN_OR_RETURN(int64_t axis, node.Int("axis", 1));
  BNN_ASSIGN_OR_RETURN(const int64_t group, node.Int("group", 1));
  if (axis < 0) axis += rank;
  if (axis < 1 || axis >= rank) return node.NotSupported("attribute 'axis' is " + node.layer.data.at("axis"));
  const int64_t size = dims[static_cast<size_t>(axis)];
  if (group < 1 || size % group != 0) {
    return node.Error("attribute 'group' is " + std::to_string(group) + ", for a dim of " + std::to_string(size));
  }
  std::vector<int64_t> split(dims.begin(), dims.begin() + axis);
  split.insert(split.end(), {group, size / group});
  split.insert(split.end(), dims.begin() + axis + 1, dims.end());
  std::vector<int64_t> perm(split.size());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[static_cast<size_t>(axis)], perm[static_cast<size_t>(axis) + 1]);
  std::vector<int64_t> merged = dims;
  split[0] = merged[0] = 0;  // the batch, which may be open
  BNN_ASSIGN_OR_RETURN(const std::string groups,
                       node.Step("Reshape", {node.inputs[0], node.IntsConstant("groups", split)}));
  BNN_ASSIGN_OR_RETURN(const std::string swapped, node.Step("Transpose", {groups}, {{"perm", perm}}));
  return node.Finish("Reshape", {swapped, node.IntsConstant("merged", merged)});
}

// Axis by axis, as a concatenation of the same data. Leading repeats may be more than the input has axes.
Status ImportTile(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> repeats, node.KnownInts(1));
  const auto rank = static_cast<size_t>(node.RankOf(0));
  if (repeats.size() < rank) repeats.insert(repeats.begin(), rank - repeats.size(), 1);
  std::string x = node.inputs[0];
  if (repeats.size() > rank) {
    std::vector<int64_t> leading(repeats.size() - rank);
    std::iota(leading.begin(), leading.end(), 0);
    BNN_ASSIGN_OR_RETURN(x, node.Step("Unsqueeze", {x, node.IntsConstant("leading", leading)}));
  }
  for (size_t axis = 0; axis < repeats.size(); ++axis) {
    if (repeats[axis] < 1 || repeats[axis] > kMaxRepeats) {
      return node.NotSupported("repeats an axis " + std::to_string(repeats[axis]) + " times");
    }
    if (repeats[axis] == 1) continue;
    const std::vector<std::string> copies(static_cast<size_t>(repeats[axis]), x);
    BNN_ASSIGN_OR_RETURN(x, node.Step("Concat", copies, {{"axis", static_cast<int64_t>(axis)}}));
  }
  return node.Finish("Identity", {x});
}

}  // namespace bnn::formats
