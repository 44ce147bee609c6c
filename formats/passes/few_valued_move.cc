// Operators that move, select or repeat elements keep them few-valued.
//
// Levels can be moved as levels by MaxPool (where the values rise with them) and by reshaping. For the others the
// lowering moves the floats and compares again, so their values are put in order.
#include <algorithm>
#include <set>
#include <utility>

#include "formats/passes/few_valued_internal.h"

namespace bnn::formats::few_valued {
namespace {

// The values without what made them: the value that has them begins new levels.
FewValued Inherit(const FewValued& from) {
  FewValued value;
  value.values = from.values;
  return value;
}

FewValued InheritOrdered(const FewValued& from) {
  FewValued value;
  const size_t channels = NumberOfChannels(from.values);
  value.values.resize(from.levels());
  for (size_t c = 0; c < channels; ++c) {
    std::vector<float> ordered;
    for (const ChannelNumbers& numbers : from.values) ordered.push_back(NumberOf(numbers, c));
    std::sort(ordered.begin(), ordered.end());
    for (size_t level = 0; level < ordered.size(); ++level) value.values[level].push_back(ordered[level]);
  }
  CollapseAll(&value.values);
  return value;
}

bool IsOrdered(const FewValued& value) {
  for (size_t level = 1; level < value.levels(); ++level) {
    const ChannelNumbers &below = value.values[level - 1], &above = value.values[level];
    for (size_t c = 0; c < std::max(below.size(), above.size()); ++c) {
      if (NumberOf(below, c) > NumberOf(above, c)) return false;
    }
  }
  return true;
}

// "2 values"
std::string CountText(const FewValued& value) { return std::to_string(value.levels()) + " values"; }

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

std::optional<FewValued> FromReshape(Analysis& analysis, const SourceNode& node, const FewValued& in) {
  const Dims& from = analysis.graph.FindValue(node.inputs[0])->dims;
  const Dims& to = analysis.graph.FindValue(node.outputs[0])->dims;
  if (to.empty()) return std::nullopt;
  if (in.per_tensor() || KeepsChannels(from, to)) return Inherit(in);
  analysis.Refuse(node, "its " + CountText(in) + " differ by channel, and the reshape to " + DimsToString(to) +
                            " mixes channels with other axes");
  return std::nullopt;
}

std::optional<FewValued> FromTranspose(Analysis& analysis, const SourceNode& node, const FewValued& in) {
  const auto rank = static_cast<int64_t>(analysis.graph.FindValue(node.inputs[0])->dims.size());
  std::vector<int64_t> reversed;
  for (int64_t i = rank; i-- > 0;) reversed.push_back(i);
  const std::vector<int64_t> perm = node.Ints("perm", reversed);
  const int64_t axis = ChannelAxis(static_cast<size_t>(rank));
  if (in.per_tensor() || (static_cast<int64_t>(perm.size()) == rank && perm[static_cast<size_t>(axis)] == axis)) {
    return InheritOrdered(in);
  }
  analysis.Refuse(node, "its " + CountText(in) + " differ by channel, and it moves the channel axis");
  return std::nullopt;
}

// Slice and Split: a part of each axis.
std::optional<FewValued> FromPart(Analysis& analysis, const SourceNode& node, const FewValued& in) {
  const Dims& from = analysis.graph.FindValue(node.inputs[0])->dims;
  const Dims& to = analysis.graph.FindValue(node.outputs[0])->dims;
  const auto axis = static_cast<size_t>(ChannelAxis(from.size()));
  bool reversed = false;  // a negative step along the channels
  if (const Tensor* steps =
          node.op == "Slice" && node.HasInput(4) ? analysis.graph.FindConstant(node.inputs[4]) : nullptr) {
    reversed = std::any_of(steps->integers.begin(), steps->integers.end(), [](int64_t step) { return step < 0; });
  }
  if (in.per_tensor() || (from[axis] == to[axis] && !reversed)) return InheritOrdered(in);
  analysis.Refuse(node, "its " + CountText(in) + " differ by channel, and it takes a part of the channels");
  return std::nullopt;
}

std::optional<FewValued> FromPad(Analysis& analysis, const SourceNode& node, const FewValued& in) {
  const Dims& from = analysis.graph.FindValue(node.inputs[0])->dims;
  const Dims& to = analysis.graph.FindValue(node.outputs[0])->dims;
  const auto axis = static_cast<size_t>(ChannelAxis(from.size()));
  if (!in.per_tensor() && from[axis] != to[axis]) {
    analysis.Refuse(node, "its " + CountText(in) + " differ by channel, and it pads channels");
    return std::nullopt;
  }
  if (node.String("mode", "constant") != "constant") return InheritOrdered(in);
  float value = 0;
  if (node.HasInput(2)) {
    const Tensor* constant = analysis.graph.FindConstant(node.inputs[2]);
    if (constant == nullptr || constant->size() != 1) return std::nullopt;
    value = constant->type == DType::kFloat32 ? constant->floats[0] : static_cast<float>(constant->integers[0]);
  }
  for (size_t c = 0; c < NumberOfChannels(in.values); ++c) {
    const auto is_value = [&](const ChannelNumbers& numbers) { return NumberOf(numbers, c) == value; };
    if (std::any_of(in.values.begin(), in.values.end(), is_value)) continue;
    const std::string low = std::to_string(NumberOf(in.low(), c)), high = std::to_string(NumberOf(in.high(), c));
    analysis.Refuse(
        node, "it pads with " + std::to_string(value) +
                  (in.is_two_valued() ? ", which is neither " + low + " nor " + high
                                      : ", which is none of the " + CountText(in) + " from " + low + " to " + high));
    return std::nullopt;
  }
  return InheritOrdered(in);
}

// The union of what its inputs hold: one pair for the tensor.
std::optional<FewValued> FromConcat(Analysis& analysis, const SourceNode& node) {
  if (analysis.graph.FindValue(node.outputs[0])->type != DType::kFloat32) return std::nullopt;
  std::set<float> values;
  size_t most = 2;  // where it joins two-valued data, the result is to be two-valued
  for (const std::string& input : node.inputs) {
    if (const Tensor* constant = analysis.graph.FindConstant(input)) {
      values.insert(constant->floats.begin(), constant->floats.end());
    } else if (const FewValued* joined = analysis.Find(input)) {
      for (const ChannelNumbers& numbers : joined->values) values.insert(numbers.begin(), numbers.end());
      most = std::max(most, joined->levels());
    } else {
      return std::nullopt;
    }
    if (values.size() > most) {
      analysis.Refuse(node, "it joins values of different pairs");
      return std::nullopt;
    }
  }
  if (values.size() < 2) return std::nullopt;
  FewValued value;
  for (const float v : values) value.values.push_back({v});
  return value;
}

}  // namespace

std::optional<FewValued> FromMove(Analysis& analysis, const SourceNode& node) {
  if (node.op == "Concat") return FromConcat(analysis, node);
  const FewValued* in = node.HasInput(0) ? analysis.Find(node.inputs[0]) : nullptr;
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

}  // namespace bnn::formats::few_valued
