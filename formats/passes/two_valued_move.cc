// Operators that move, select or repeat elements keep them two-valued.
//
// Bits can be moved as bits by MaxPool (an OR, where high >= low) and by reshaping; their pair keeps its polarity. For
// the others the lowering moves the floats and compares again, so their pair is ordered: low <= high.
#include <algorithm>
#include <set>
#include <utility>

#include "formats/passes/two_valued_internal.h"

namespace bnn::formats::two_valued {
namespace {

// The pair without what made it: the value that has it begins new bits.
TwoValued Inherit(const TwoValued& from) {
  TwoValued value;
  value.low = from.low;
  value.high = from.high;
  return value;
}

TwoValued InheritOrdered(const TwoValued& from) {
  TwoValued value = Inherit(from);
  value.low.resize(std::max(from.low.size(), from.high.size()), from.low[0]);
  value.high.resize(value.low.size(), from.high[0]);
  for (size_t c = 0; c < value.low.size(); ++c) {
    if (value.low[c] > value.high[c]) std::swap(value.low[c], value.high[c]);
  }
  CollapsePair(&value);
  return value;
}

bool IsOrdered(const TwoValued& pair) {
  for (size_t c = 0; c < pair.low.size(); ++c) {
    if (pair.low[c] > pair.high[c]) return false;
  }
  return true;
}

// Whether the channel axis of `from`, reshaped to `to`, is the channel axis there, element by element.
bool KeepsChannels(const Dims& from, const Dims& to) {
  if (to.empty()) return false;
  const auto from_axis = static_cast<size_t>(ChannelAxis(from.size()));
  const auto to_axis = static_cast<size_t>(ChannelAxis(to.size()));
  const auto outer = [](const Dims& dims, size_t axis) {
    return CountElements(Dims(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(axis)));
  };
  return from[from_axis] == to[to_axis] && outer(from, from_axis) == outer(to, to_axis);
}

std::optional<TwoValued> FromReshape(Analysis& analysis, const SourceNode& node, const TwoValued& in) {
  const Dims& from = analysis.graph.FindValue(node.inputs[0])->dims;
  const Dims& to = analysis.graph.FindValue(node.outputs[0])->dims;
  if (to.empty()) return std::nullopt;
  if (in.per_tensor() || KeepsChannels(from, to)) return Inherit(in);
  analysis.Refuse(node, "its two values differ by channel, and the reshape to " + DimsToString(to) +
                            " mixes channels with other axes");
  return std::nullopt;
}

std::optional<TwoValued> FromTranspose(Analysis& analysis, const SourceNode& node, const TwoValued& in) {
  const auto rank = static_cast<int64_t>(analysis.graph.FindValue(node.inputs[0])->dims.size());
  std::vector<int64_t> reversed;
  for (int64_t i = rank; i-- > 0;) reversed.push_back(i);
  const std::vector<int64_t> perm = node.Ints("perm", reversed);
  const int64_t axis = ChannelAxis(static_cast<size_t>(rank));
  if (in.per_tensor() || (static_cast<int64_t>(perm.size()) == rank && perm[static_cast<size_t>(axis)] == axis)) {
    return InheritOrdered(in);
  }
  analysis.Refuse(node, "its two values differ by channel, and it moves the channel axis");
  return std::nullopt;
}

// Slice and Split: a part of each axis.
std::optional<TwoValued> FromPart(Analysis& analysis, const SourceNode& node, const TwoValued& in) {
  const Dims& from = analysis.graph.FindValue(node.inputs[0])->dims;
  const Dims& to = analysis.graph.FindValue(node.outputs[0])->dims;
  const auto axis = static_cast<size_t>(ChannelAxis(from.size()));
  bool reversed = false;  // a negative step along the channels
  if (const Tensor* steps =
          node.op == "Slice" && node.HasInput(4) ? analysis.graph.FindConstant(node.inputs[4]) : nullptr) {
    reversed = std::any_of(steps->integers.begin(), steps->integers.end(), [](int64_t step) { return step < 0; });
  }
  if (in.per_tensor() || (from[axis] == to[axis] && !reversed)) return InheritOrdered(in);
  analysis.Refuse(node, "its two values differ by channel, and it takes a part of the channels");
  return std::nullopt;
}

std::optional<TwoValued> FromPad(Analysis& analysis, const SourceNode& node, const TwoValued& in) {
  const Dims& from = analysis.graph.FindValue(node.inputs[0])->dims;
  const Dims& to = analysis.graph.FindValue(node.outputs[0])->dims;
  const auto axis = static_cast<size_t>(ChannelAxis(from.size()));
  if (!in.per_tensor() && from[axis] != to[axis]) {
    analysis.Refuse(node, "its two values differ by channel, and it pads channels");
    return std::nullopt;
  }
  if (node.String("mode", "constant") != "constant") return InheritOrdered(in);
  float value = 0;
  if (node.HasInput(2)) {
    const Tensor* constant = analysis.graph.FindConstant(node.inputs[2]);
    if (constant == nullptr || constant->size() != 1) return std::nullopt;
    value = constant->type == DType::kFloat32 ? constant->floats[0] : static_cast<float>(constant->integers[0]);
  }
  for (size_t c = 0; c < std::max(in.low.size(), in.high.size()); ++c) {
    const float low = in.low.size() == 1 ? in.low[0] : in.low[c];
    const float high = in.high.size() == 1 ? in.high[0] : in.high[c];
    if (value == low || value == high) continue;
    analysis.Refuse(node, "it pads with " + std::to_string(value) + ", which is neither " + std::to_string(low) +
                              " nor " + std::to_string(high));
    return std::nullopt;
  }
  return InheritOrdered(in);
}

// The union of what its inputs hold: one pair for the tensor.
std::optional<TwoValued> FromConcat(Analysis& analysis, const SourceNode& node) {
  if (analysis.graph.FindValue(node.outputs[0])->type != DType::kFloat32) return std::nullopt;
  std::set<float> values;
  for (const std::string& input : node.inputs) {
    if (const Tensor* constant = analysis.graph.FindConstant(input)) {
      values.insert(constant->floats.begin(), constant->floats.end());
    } else if (const TwoValued* pair = analysis.Find(input)) {
      values.insert(pair->low.begin(), pair->low.end());
      values.insert(pair->high.begin(), pair->high.end());
    } else {
      return std::nullopt;
    }
    if (values.size() > 2) {
      analysis.Refuse(node, "it joins values of different pairs");
      return std::nullopt;
    }
  }
  if (values.empty()) return std::nullopt;
  TwoValued value;
  value.low = {*values.begin()};
  value.high = {*values.rbegin()};
  return value;
}

}  // namespace

std::optional<TwoValued> FromMove(Analysis& analysis, const SourceNode& node) {
  if (node.op == "Concat") return FromConcat(analysis, node);
  const TwoValued* in = node.HasInput(0) ? analysis.Find(node.inputs[0]) : nullptr;
  if (in == nullptr) return std::nullopt;
  if (node.op == "Reshape" || node.op == "Flatten" || node.op == "Squeeze" || node.op == "Unsqueeze") {
    return FromReshape(analysis, node, *in);
  }
  if (node.op == "Transpose") return FromTranspose(analysis, node, *in);
  if (node.op == "Slice" || node.op == "Split") return FromPart(analysis, node, *in);
  if (node.op == "Pad") return FromPad(analysis, node, *in);
  if ((node.op == "MaxPool" && node.outputs.size() == 1) || node.op == "GlobalMaxPool") {
    if (analysis.graph.FindValue(node.inputs[0])->dims.size() != 4) return std::nullopt;
    return IsOrdered(*in) ? Inherit(*in) : InheritOrdered(*in);
  }
  return std::nullopt;
}

}  // namespace bnn::formats::two_valued
