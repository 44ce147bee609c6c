// Slice and StridedSlice.
#include <limits>
#include <utility>

#include "formats/importers/openvino_operators.h"

namespace bnn::formats {
namespace {

constexpr int64_t kToTheEnd = std::numeric_limits<int64_t>::max();
constexpr int64_t kBeyondTheBegin = std::numeric_limits<int64_t>::min();

// What a StridedSlice says of one position of its lists.
struct Position {
  int64_t begin = 0, end = 0, stride = 1;
  bool ignores_begin = false, ignores_end = false, is_new_axis = false, shrinks = false, is_ellipsis = false;
};

Result<std::vector<Position>> ReadPositions(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> begin, node.KnownInts(1));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> end, node.KnownInts(2));
  std::vector<int64_t> stride(begin.size(), 1);
  if (node.HasInput(3)) {
    BNN_ASSIGN_OR_RETURN(stride, node.KnownInts(3));
  }
  if (end.size() != begin.size() || stride.size() != begin.size()) {
    return node.Error("begin, end and strides have " + std::to_string(begin.size()) + ", " +
                      std::to_string(end.size()) + " and " + std::to_string(stride.size()) + " elements");
  }
  std::vector<Position> positions(begin.size());
  for (size_t i = 0; i < begin.size(); ++i) {
    positions[i].begin = begin[i];
    positions[i].end = end[i];
    positions[i].stride = stride[i];
  }
  const std::vector<std::pair<const char*, bool Position::*>> masks = {
      {"begin_mask", &Position::ignores_begin},  {"end_mask", &Position::ignores_end},
      {"new_axis_mask", &Position::is_new_axis}, {"shrink_axis_mask", &Position::shrinks},
      {"ellipsis_mask", &Position::is_ellipsis},
  };
  for (const auto& [key, member] : masks) {
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> mask, node.Ints(key, std::vector<int64_t>{}));
    for (size_t i = 0; i < mask.size(); ++i) {
      if (mask[i] != 0 && mask[i] != 1)
        return node.Error(std::string("attribute '") + key + "' holds " + std::to_string(mask[i]));
      if (i < positions.size()) positions[i].*member = mask[i] == 1;
    }
  }
  return positions;
}

// The slice, and the axes that come and go: first slice, then squeeze `dropped` axes of the input, then insert `added`
// axes of the output.
struct SliceSteps {
  std::vector<int64_t> starts, ends, axes, strides;
  std::vector<int64_t> dropped, added;
};

void AddRange(const Position& position, int64_t axis, SliceSteps* steps) {
  const bool forward = position.stride > 0;
  int64_t start = position.ignores_begin ? (forward ? 0 : kToTheEnd) : position.begin;
  int64_t end = position.ignores_end ? (forward ? kToTheEnd : kBeyondTheBegin) : position.end;
  int64_t stride = position.stride;
  if (position.shrinks) {  // one element, which begin names whatever end and stride say
    start = position.begin;
    end = start == -1 ? kToTheEnd : start + 1;
    stride = 1;
    steps->dropped.push_back(axis);
  } else if (start == 0 && end == kToTheEnd && stride == 1) {
    return;
  }
  steps->starts.push_back(start);
  steps->ends.push_back(end);
  steps->axes.push_back(axis);
  steps->strides.push_back(stride);
}

// Walks the positions with one finger on the input's axes and one on the output's. Ellipsis stands for as many whole
// axes as are left; a new axis consumes none of the input; what no position names is taken whole.
Result<SliceSteps> PlanSlices(const IrNode& node, const std::vector<Position>& positions) {
  const int64_t rank = node.RankOf(0);
  int64_t named = 0;
  int64_t ellipses = 0;
  for (const Position& position : positions) {
    ellipses += position.is_ellipsis ? 1 : 0;
    named += position.is_ellipsis || position.is_new_axis ? 0 : 1;
    if (position.stride == 0) return node.Error("input 3, strides, holds 0");
    if (position.shrinks && position.begin == kToTheEnd) return node.Error("input 1, begin, is out of range");
  }
  if (ellipses > 1 || named > rank) {
    return node.Error("names " + std::to_string(named) + " axes and " + std::to_string(ellipses) +
                      " ellipses of an input of rank " + std::to_string(rank));
  }
  SliceSteps steps;
  int64_t in_axis = 0;
  int64_t out_axis = 0;
  for (const Position& position : positions) {
    if (position.is_ellipsis) {
      in_axis += rank - named;
      out_axis += rank - named;
    } else if (position.is_new_axis) {
      steps.added.push_back(out_axis++);
    } else {
      AddRange(position, in_axis++, &steps);
      out_axis += position.shrinks ? 0 : 1;
    }
  }
  return steps;
}

}  // namespace

Status ImportSlice(const IrNode& node) {
  std::vector<std::string> inputs = {node.inputs[0], node.inputs[1], node.inputs[2]};
  const std::string axes = node.HasInput(4) ? node.inputs[4] : "";
  return node.Finish("Slice", {inputs[0], inputs[1], inputs[2], axes, node.inputs[3]});
}

Status ImportStridedSlice(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::vector<Position> positions, ReadPositions(node));
  BNN_ASSIGN_OR_RETURN(const SliceSteps steps, PlanSlices(node, positions));
  std::string x = node.inputs[0];
  if (!steps.axes.empty()) {
    BNN_ASSIGN_OR_RETURN(
        x, node.Step("Slice", {x, node.IntsConstant("starts", steps.starts), node.IntsConstant("ends", steps.ends),
                               node.IntsConstant("axes", steps.axes), node.IntsConstant("strides", steps.strides)}));
  }
  if (!steps.dropped.empty()) {
    BNN_ASSIGN_OR_RETURN(x, node.Step("Squeeze", {x, node.IntsConstant("dropped", steps.dropped)}));
  }
  if (!steps.added.empty()) {
    return node.Finish("Unsqueeze", {x, node.IntsConstant("added", steps.added)});
  }
  return node.Finish("Identity", {x});
}

}  // namespace bnn::formats
