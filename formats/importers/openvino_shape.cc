// Operators that change the shape of a tensor, read it, or make a tensor from it.
#include <algorithm>
#include <utility>

#include "formats/importers/openvino_operators.h"

namespace bnn::formats {

// 0 in the target copies the input's dim with special_zero, and is a dim of 0 without.
Status ImportReshape(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const bool special_zero, node.Bool("special_zero"));
  AttributeMap attributes;
  if (!special_zero) attributes["allowzero"] = int64_t{1};
  return node.Finish("Reshape", node.inputs, attributes);
}

// No axes, or none in the list, mean all axes of 1. With allow_axis_skip (opset 15) axes of other dims are left alone.
Status ImportSqueeze(const IrNode& node) {
  if (!node.HasInput(1)) return node.Finish("Squeeze", {node.inputs[0]});
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> axes, node.KnownInts(1));
  BNN_ASSIGN_OR_RETURN(const bool may_skip, node.Bool("allow_axis_skip", false));
  if (axes.empty()) return node.Finish("Squeeze", {node.inputs[0]});
  const Dims dims = node.DimsOf(0);
  const auto rank = static_cast<int64_t>(dims.size());
  for (int64_t& axis : axes) {
    if (axis < -rank || axis >= rank) {
      return node.Error("input 1, axes, holds " + std::to_string(axis) + " for an input of rank " +
                        std::to_string(rank));
    }
    if (axis < 0) axis += rank;
  }
  if (may_skip) {
    std::erase_if(axes, [&](int64_t axis) { return dims[static_cast<size_t>(axis)] != 1; });
    if (axes.empty()) return node.Finish("Identity", {node.inputs[0]});
  }
  return node.Finish("Squeeze", {node.inputs[0], node.IntsConstant("axes", std::move(axes))});
}

Status ImportUnsqueeze(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> axes, node.KnownInts(1));
  return node.Finish("Unsqueeze", {node.inputs[0], node.IntsConstant("axes", std::move(axes))});
}

Status ImportShapeOf(const IrNode& node) { return node.Finish("Shape", node.inputs); }

// Explicit: axes_mapping says which axes of the result the input's are; the others are new.
Status ImportBroadcast(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::string mode, node.Word("mode", {"numpy", "bidirectional", "explicit"}, "numpy"));
  if (mode != "explicit") return node.Finish("Expand", {node.inputs[0], node.inputs[1]});
  if (!node.HasInput(2)) return node.Error("attribute 'mode' is explicit, but input 2, axes_mapping, is absent");
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> mapping, node.KnownInts(2));
  const Dims target = node.DimsOf(1);
  const int64_t rank = target.empty() ? 0 : target[0];
  const bool increases =
      std::adjacent_find(mapping.begin(), mapping.end(), [](int64_t a, int64_t b) { return a >= b; }) == mapping.end();
  if (static_cast<int64_t>(mapping.size()) != node.RankOf(0) || !increases ||
      (!mapping.empty() && (mapping.front() < 0 || mapping.back() >= rank))) {
    return node.NotSupported("input 2, axes_mapping, is " + DimsToString(mapping) + " for an input of rank " +
                             std::to_string(node.RankOf(0)) + " and a result of rank " + std::to_string(rank));
  }
  std::vector<int64_t> added;
  for (int64_t axis = 0; axis < rank && rank <= static_cast<int64_t>(kMaxRank); ++axis) {
    if (!std::binary_search(mapping.begin(), mapping.end(), axis)) added.push_back(axis);
  }
  if (added.empty()) return node.Finish("Expand", {node.inputs[0], node.inputs[1]});
  BNN_ASSIGN_OR_RETURN(const std::string x,
                       node.Step("Unsqueeze", {node.inputs[0], node.IntsConstant("added", added)}));
  return node.Finish("Expand", {x, node.inputs[1]});
}

// Before opset 4 the output has the type of the inputs.
Status ImportRange(const IrNode& node) {
  DType type = node.InfoOf(0).type;
  if (node.Has("output_type")) {
    BNN_ASSIGN_OR_RETURN(const IrElementType* stated, ElementTypeAttribute(node.layer, "output_type"));
    type = stated->held;
  }
  std::vector<std::string> inputs = node.inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (node.InfoOf(i).type == type) continue;
    BNN_ASSIGN_OR_RETURN(inputs[i], node.Step("Cast", {inputs[i]}, {{"to", int64_t{type == DType::kFloat32 ? 1 : 7}}}));
  }
  return node.Finish("Range", inputs);
}

}  // namespace bnn::formats
