// Operators that treat each element alone, with numpy's broadcasting.
#include <algorithm>
#include <cmath>
#include <utility>

#include "formats/importers/openvino_operators.h"

namespace bnn::formats {
namespace {

// "pdpd", the third kind, aligns the second operand at an axis.
Status CheckBroadcast(const IrNode& node) { return node.Word("auto_broadcast", {"numpy", "none"}, "numpy").status(); }

Status CastTo(const IrNode& node, DType type) {
  const int64_t code = type == DType::kFloat32 ? 1 : (type == DType::kBool ? 9 : 7);
  return node.Finish("Cast", {node.inputs[0]}, {{"to", code}});
}

// The only element of an input that must be known.
Result<float> KnownScalar(const IrNode& node, size_t input) {
  BNN_ASSIGN_OR_RETURN(const std::vector<float> values, node.KnownFloats(input));
  if (values.size() != 1) {
    return node.Error("input " + std::to_string(input) + " has " + std::to_string(values.size()) +
                      " elements, expected 1");
  }
  return values[0];
}

}  // namespace

Status ImportRenamed(const IrNode& node) { return node.Finish(node.op, node.inputs); }

Status ImportArithmetic(const IrNode& node) {
  BNN_RETURN_IF_ERROR(CheckBroadcast(node));
  return node.Finish(node.op, node.inputs);
}

Status ImportNegated(const IrNode& node) {
  BNN_RETURN_IF_ERROR(CheckBroadcast(node));
  BNN_ASSIGN_OR_RETURN(const std::string positive, node.Step(node.op, node.inputs));
  return node.Finish("Not", {positive});
}

// Of integers, m_pythondiv rounds down; ONNX's Div rounds toward zero. The two differ by one where there is a remainder
// whose sign is not the divisor's.
Status ImportDivide(const IrNode& node) {
  BNN_RETURN_IF_ERROR(CheckBroadcast(node));
  BNN_ASSIGN_OR_RETURN(const bool rounds_down, node.Bool("m_pythondiv", true));
  if (node.InfoOf(0).type == DType::kFloat32 || !rounds_down) return node.Finish("Div", node.inputs);
  BNN_ASSIGN_OR_RETURN(const std::string quotient, node.Step("Div", node.inputs));
  BNN_ASSIGN_OR_RETURN(const std::string whole, node.Step("Mul", {quotient, node.inputs[1]}));
  BNN_ASSIGN_OR_RETURN(const std::string remainder, node.Step("Sub", {node.inputs[0], whole}));
  BNN_ASSIGN_OR_RETURN(const std::string remainder_sign, node.Step("Sign", {remainder}));
  BNN_ASSIGN_OR_RETURN(const std::string divisor_sign, node.Step("Sign", {node.inputs[1]}));
  BNN_ASSIGN_OR_RETURN(const std::string product, node.Step("Mul", {remainder_sign, divisor_sign}));
  BNN_ASSIGN_OR_RETURN(const std::string differ,
                       node.Step("Less", {product, node.Constant("zero", IntTensor({}, {0}))}));
  BNN_ASSIGN_OR_RETURN(const std::string correction, node.Step("Cast", {differ}, {{"to", int64_t{7}}}));
  return node.Finish("Sub", {quotient, correction});
}

Status ImportSquaredDifference(const IrNode& node) {
  BNN_RETURN_IF_ERROR(CheckBroadcast(node));
  BNN_ASSIGN_OR_RETURN(const std::string difference, node.Step("Sub", node.inputs));
  return node.Finish("Mul", {difference, difference});
}

Status ImportClamp(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const float low, node.Float("min"));
  BNN_ASSIGN_OR_RETURN(const float high, node.Float("max"));
  if (!(low <= high)) return node.Error("attribute 'min' is above 'max'");
  if (node.InfoOf(0).type == DType::kFloat32) {
    return node.Finish("Clip", {node.inputs[0], node.Constant("min", FloatTensor({}, {low})),
                                node.Constant("max", FloatTensor({}, {high}))});
  }
  // Limits beyond what a float counts exactly do not matter to what shapes are computed from.
  constexpr float kLargest = 1 << 24;
  const auto lowest = static_cast<int64_t>(std::ceil(std::max(low, -kLargest)));
  const auto highest = static_cast<int64_t>(std::floor(std::min(high, kLargest)));
  return node.Finish("Clip", {node.inputs[0], node.Constant("min", IntTensor({}, {lowest})),
                              node.Constant("max", IntTensor({}, {highest}))});
}

Status ImportConvert(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const IrElementType* type, ElementTypeAttribute(node.layer, "destination_type"));
  if (type->onnx == 0) return node.NotSupported(std::string("converts to ") + type->name);
  return node.Finish("Cast", {node.inputs[0]}, {{"to", int64_t{type->onnx}}});
}

Status ImportConvertLike(const IrNode& node) { return CastTo(node, node.InfoOf(1).type); }

Status ImportFakeQuantize(const IrNode& node) {
  BNN_RETURN_IF_ERROR(CheckBroadcast(node));
  BNN_ASSIGN_OR_RETURN(const int64_t levels, node.Int("levels"));
  if (levels < 2) return node.Error("attribute 'levels' is " + std::to_string(levels) + ", expected 2 or more");
  return node.Finish("FakeQuantize", node.inputs, {{"levels", levels}});
}

Status ImportHardSigmoid(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const float alpha, KnownScalar(node, 1));
  BNN_ASSIGN_OR_RETURN(const float beta, KnownScalar(node, 2));
  return node.Finish("HardSigmoid", {node.inputs[0]}, {{"alpha", alpha}, {"beta", beta}});
}

// min(max(x + 3, 0), 6) / 6
Status ImportHSigmoid(const IrNode& node) {
  return node.Finish("HardSigmoid", node.inputs, {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}});
}

// A slope of one dim belongs to the channels, axis 1; any other broadcasts as numpy does.
Status ImportPRelu(const IrNode& node) {
  const Dims slope = node.DimsOf(1);
  const int64_t rank = node.RankOf(0);
  if (slope.size() != 1 || slope[0] == 1 || rank < 3) return node.Finish("PRelu", node.inputs);
  std::vector<int64_t> dims(static_cast<size_t>(rank - 1), 1);
  dims[0] = slope[0];
  BNN_ASSIGN_OR_RETURN(const std::string per_channel,
                       node.Step("Reshape", {node.inputs[1], node.IntsConstant("slope_dims", dims)}));
  return node.Finish("PRelu", {node.inputs[0], per_channel});
}

// Half away from zero: |x| is cut at the point, which is exact, and what was cut off decides.
Status ImportRound(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::string mode,
                       node.Word("mode", {"half_to_even", "half_away_from_zero"}, "half_to_even"));
  if (mode == "half_to_even") return node.Finish("Round", node.inputs);
  BNN_ASSIGN_OR_RETURN(const std::string magnitude, node.Step("Abs", node.inputs));
  BNN_ASSIGN_OR_RETURN(const std::string whole, node.Step("Floor", {magnitude}));
  BNN_ASSIGN_OR_RETURN(const std::string rest, node.Step("Sub", {magnitude, whole}));
  const std::string half = node.Constant("half", FloatTensor({}, {0.5F}));
  BNN_ASSIGN_OR_RETURN(const std::string up, node.Step("GreaterOrEqual", {rest, half}));
  BNN_ASSIGN_OR_RETURN(const std::string one, node.Step("Cast", {up}, {{"to", int64_t{1}}}));
  BNN_ASSIGN_OR_RETURN(const std::string rounded, node.Step("Add", {whole, one}));
  BNN_ASSIGN_OR_RETURN(const std::string sign, node.Step("Sign", node.inputs));
  return node.Finish("Mul", {rounded, sign});
}

// x * sigmoid(beta * x); beta is 1 unless given.
Status ImportSwish(const IrNode& node) {
  float beta = 1;
  if (node.HasInput(1)) {
    BNN_ASSIGN_OR_RETURN(beta, KnownScalar(node, 1));
  }
  return node.Finish("Swish", {node.inputs[0]}, {{"alpha", beta}});
}

}  // namespace bnn::formats
