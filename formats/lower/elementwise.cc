// Functions of one value, element by element.
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "formats/lower/operators.h"
#include "formats/passes/channels.h"

namespace bnn::formats {
namespace {

// Appends an op whose parameters do not depend on the channel: any order of elements will do.
Status MapElements(Lowering& lowering, const SourceNode& node, Op op) {
  BNN_ASSIGN_OR_RETURN(Form form, lowering.Any(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Emit(node, std::move(op), {form.tensor}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], form);
  return OkStatus();
}

Result<float> ScalarInput(const Lowering& lowering, const SourceNode& node, size_t index, float fallback) {
  if (!node.HasInput(index)) return fallback;
  const Tensor* constant = lowering.graph.FindConstant(node.inputs[index]);
  if (constant == nullptr || constant->type != DType::kFloat32 || constant->size() != 1) {
    return NodeNotLowered(node, "input '" + node.inputs[index] + "' is not one constant number");
  }
  return constant->floats[0];
}

}  // namespace

Status LowerUnary(Lowering& lowering, const SourceNode& node) {
  static const std::map<std::string, UnaryKind> kKinds = {{"Sigmoid", UnaryKind::kSigmoid},
                                                          {"HardSigmoid", UnaryKind::kHardSigmoid},
                                                          {"HardSwish", UnaryKind::kHardSwish},
                                                          {"Tanh", UnaryKind::kTanh},
                                                          {"Exp", UnaryKind::kExp},
                                                          {"Sqrt", UnaryKind::kSqrt},
                                                          {"Abs", UnaryKind::kAbs},
                                                          {"Floor", UnaryKind::kFloor},
                                                          {"Ceil", UnaryKind::kCeil},
                                                          {"Round", UnaryKind::kRound},
                                                          {"Elu", UnaryKind::kElu},
                                                          {"Erf", UnaryKind::kErf},
                                                          {"Gelu", UnaryKind::kGelu},
                                                          {"Log", UnaryKind::kLog},
                                                          {"Mish", UnaryKind::kMish},
                                                          {"Softplus", UnaryKind::kSoftplus},
                                                          {"Swish", UnaryKind::kSwish}};
  Unary unary;
  unary.kind = kKinds.at(node.op);
  if (unary.kind == UnaryKind::kHardSigmoid) {
    unary.alpha = node.Float("alpha", 0.2f);
    unary.beta = node.Float("beta", 0.5f);
  }
  if (unary.kind == UnaryKind::kElu || unary.kind == UnaryKind::kSwish) unary.alpha = node.Float("alpha", 1.0f);
  if (unary.kind == UnaryKind::kGelu && node.String("approximate", "none") == "tanh") unary.kind = UnaryKind::kGeluTanh;
  return MapElements(lowering, node, unary);
}

// 1 / x.
Status LowerReciprocal(Lowering& lowering, const SourceNode& node) {
  Binary binary{BinaryKind::kDiv, lowering.builder.AddFloats({1}, {1.0f}), /*constant_first=*/true};
  return MapElements(lowering, node, binary);
}

Status LowerClamp(Lowering& lowering, const SourceNode& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Clamp clamp{0, kInfinity};
  if (node.op == "Clip") {
    BNN_ASSIGN_OR_RETURN(clamp.low, ScalarInput(lowering, node, 1, -kInfinity));
    BNN_ASSIGN_OR_RETURN(clamp.high, ScalarInput(lowering, node, 2, kInfinity));
    // ONNX: where the limits are reversed, the upper one wins.
    if (clamp.low > clamp.high) clamp.low = clamp.high;
  }
  return MapElements(lowering, node, clamp);
}

Status LowerPRelu(Lowering& lowering, const SourceNode& node) {
  std::vector<float> slope = {node.Float("alpha", 0.01f)};
  if (node.op == "PRelu") {
    const Tensor* constant = lowering.graph.FindConstant(node.inputs[1]);
    if (constant == nullptr) return NodeNotLowered(node, "its slope is not constant");
    std::optional<std::vector<float>> values = PerChannel(*constant, lowering.DimsOf(node.inputs[0]));
    if (!values) return NodeNotLowered(node, "its slope " + DimsToString(constant->dims) + " is not one per channel");
    slope = std::move(*values);
  }
  BNN_ASSIGN_OR_RETURN(Form form, lowering.Any(node.inputs[0]));
  if (slope.size() > 1) form = lowering.AsVector(node.name, form, node.inputs[0]);
  PRelu prelu;
  prelu.slope = lowering.ChannelBlob(Lowering::InOrder(form, std::move(slope)));
  BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Emit(node, prelu, {form.tensor}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], form);
  return OkStatus();
}

// Sign with its 0 has three levels.
Status LowerSign(Lowering& lowering, const SourceNode& node) {
  const std::string& value = node.outputs[0];
  BNN_ASSIGN_OR_RETURN(const Form x, lowering.Any(node.inputs[0]));
  const ChannelNumbers not_negative = {0.0f}, positive = {std::nextafter(0.0f, 1.0f)};
  BNN_ASSIGN_OR_RETURN(const Form levels,
                       lowering.Binarized(node.name, x, {not_negative, positive}, value + "/levels"));
  const ChannelNumbers minus = {-1.0f}, zero = {0.0f}, plus = {1.0f};
  BNN_ASSIGN_OR_RETURN(const Form form, lowering.Unpacked(node.name, levels, {minus, zero, plus}, value));
  lowering.SetFloats(value, form);
  return OkStatus();
}

Status LowerIdentity(Lowering& lowering, const SourceNode& node) {
  if (lowering.graph.FindValue(node.outputs[0])->type != DType::kFloat32) {
    return NodeNotLowered(node, std::string("it makes ") + DTypeName(lowering.graph.FindValue(node.outputs[0])->type));
  }
  BNN_ASSIGN_OR_RETURN(const Form form, lowering.Any(node.inputs[0]));
  lowering.SetFloats(node.outputs[0], form);
  return OkStatus();
}

}  // namespace bnn::formats
