// Arithmetic of two values, and of a value with constants.
//
// Add, Sub and Mul with a constant per channel are an Affine with the same single rounding: fma(x, 1, c), fma(x, -1, c)
// and fma(x, c, 0). Div is one where 1/c is exact. Chains are not merged here: each source operator keeps its rounding,
// and the engine fuses.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "formats/lower/operators.h"
#include "formats/passes/channels.h"

namespace bnn::formats {
namespace {

BinaryKind KindOf(const std::string& op) {
  static const std::map<std::string, BinaryKind> kKinds = {{"Add", BinaryKind::kAdd}, {"Sub", BinaryKind::kSub},
                                                           {"Mul", BinaryKind::kMul}, {"Div", BinaryKind::kDiv},
                                                           {"Max", BinaryKind::kMax}, {"Min", BinaryKind::kMin}};
  return kKinds.at(op);
}

bool IsPowerOfTwo(float value) {
  int exponent = 0;
  return std::isnormal(value) && std::isnormal(1 / value) && std::fabs(std::frexp(value, &exponent)) == 0.5f;
}

struct ScaleBias {
  std::vector<float> scale, bias;  // one or one per channel
};

// x (op) constant, or constant (op) x, as x * scale + bias with the same rounding; nothing where there is none.
std::optional<ScaleBias> AsAffine(BinaryKind kind, bool constant_first, std::vector<float> constant) {
  switch (kind) {
    case BinaryKind::kAdd:
      return ScaleBias{{1.0f}, std::move(constant)};
    case BinaryKind::kSub:
      if (constant_first) return ScaleBias{{-1.0f}, std::move(constant)};
      for (float& c : constant) c = -c;
      return ScaleBias{{1.0f}, std::move(constant)};
    case BinaryKind::kMul:
      return ScaleBias{std::move(constant), {0.0f}};
    case BinaryKind::kDiv:
      if (constant_first || !std::all_of(constant.begin(), constant.end(), IsPowerOfTwo)) return std::nullopt;
      for (float& c : constant) c = 1 / c;
      return ScaleBias{std::move(constant), {0.0f}};
    case BinaryKind::kMax:
    case BinaryKind::kMin:
      return std::nullopt;
  }
  return std::nullopt;
}

Status LowerAffine(Lowering& lowering, const SourceNode& node, const std::string& x, ScaleBias parameters) {
  BNN_ASSIGN_OR_RETURN(Form form, lowering.Any(x));
  if (parameters.scale.size() > 1 || parameters.bias.size() > 1) form = lowering.AsVector(node.name, form, x);
  Affine affine;
  affine.scale = lowering.ChannelBlob(Lowering::InOrder(form, std::move(parameters.scale)));
  affine.bias = lowering.ChannelBlob(Lowering::InOrder(form, std::move(parameters.bias)));
  BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Emit(node, affine, {form.tensor}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], form);
  return OkStatus();
}

// The constant with the rank of the value, in the stored order, without the batch axis (which must be 1).
Result<int> BroadcastBlob(Lowering& lowering, const SourceNode& node, const Tensor& constant, size_t rank) {
  if (constant.dims.size() > rank || (constant.dims.size() == rank && constant.dims[0] != 1)) {
    return NodeNotLowered(node, "its constant " + DimsToString(constant.dims) + " differs from sample to sample");
  }
  Dims dims(rank - constant.dims.size(), 1);
  dims.insert(dims.end(), constant.dims.begin(), constant.dims.end());
  if (rank != 4) return lowering.builder.AddFloats(NaturalDims(dims), constant.floats);
  std::vector<float> nhwc;
  nhwc.reserve(constant.floats.size());
  const MapDims map{dims[1], dims[2], dims[3]};
  for (int64_t i = 0; i < map.size(); ++i) nhwc.push_back(constant.floats[static_cast<size_t>(SourceIndex(map, i))]);
  return lowering.builder.AddFloats(StoredDims(dims), nhwc);
}

Status LowerWithConstant(Lowering& lowering, const SourceNode& node, bool constant_first) {
  const Tensor& constant = *lowering.graph.FindConstant(node.inputs[constant_first ? 0 : 1]);
  const std::string& x = node.inputs[constant_first ? 1 : 0];
  const Dims& dims = lowering.DimsOf(x);
  if (constant.type != DType::kFloat32) return NodeNotLowered(node, "it computes with integers");
  const BinaryKind kind = KindOf(node.op);
  if (std::optional<std::vector<float>> values = PerChannel(constant, dims)) {
    std::optional<ScaleBias> affine = AsAffine(kind, constant_first, std::move(*values));
    if (affine) return LowerAffine(lowering, node, x, std::move(*affine));
  }
  Binary binary;
  binary.kind = kind;
  binary.constant_first = constant_first;
  BNN_ASSIGN_OR_RETURN(binary.constant, BroadcastBlob(lowering, node, constant, dims.size()));
  BNN_ASSIGN_OR_RETURN(const int in, lowering.Stored(x));
  Form out;
  out.order = dims.size() == 4 ? Order::kNhwc : Order::kSource;
  BNN_ASSIGN_OR_RETURN(out.tensor, lowering.Emit(node, binary, {in}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], out);
  return OkStatus();
}

Status LowerOfTwo(Lowering& lowering, const SourceNode& node) {
  const Dims& left = lowering.DimsOf(node.inputs[0]);
  const Dims& right = lowering.DimsOf(node.inputs[1]);
  if (left.size() != right.size()) {
    return NodeNotLowered(node, "broadcasting " + DimsToString(left) + " with " + DimsToString(right) +
                                    " would mix the batch with other axes");
  }
  Binary binary;
  binary.kind = KindOf(node.op);
  BNN_ASSIGN_OR_RETURN(Form a, lowering.Any(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(Form b, lowering.Any(node.inputs[1]));
  if (a.order == Order::kFlattened && b.order == Order::kFlattened && a.map == b.map) {
    a = lowering.AsVector(node.name, a, node.inputs[0]);
    b = lowering.AsVector(node.name, b, node.inputs[1]);
  } else {
    BNN_ASSIGN_OR_RETURN(const int stored_a, lowering.Stored(node.inputs[0]));
    BNN_ASSIGN_OR_RETURN(const int stored_b, lowering.Stored(node.inputs[1]));
    const Order order = left.size() == 4 ? Order::kNhwc : Order::kSource;
    a = {stored_a, order, {}};
    b = {stored_b, order, {}};
  }
  BNN_ASSIGN_OR_RETURN(a.tensor, lowering.Emit(node, binary, {a.tensor, b.tensor}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], a);
  return OkStatus();
}

}  // namespace

Status LowerBinary(Lowering& lowering, const SourceNode& node) {
  if (node.inputs.size() != 2) return NodeNotLowered(node, "it has " + std::to_string(node.inputs.size()) + " inputs");
  if (lowering.graph.FindConstant(node.inputs[0]) != nullptr) return LowerWithConstant(lowering, node, true);
  if (lowering.graph.FindConstant(node.inputs[1]) != nullptr) return LowerWithConstant(lowering, node, false);
  return LowerOfTwo(lowering, node);
}

Status LowerPow(Lowering& lowering, const SourceNode& node) {
  const Tensor* exponent = lowering.graph.FindConstant(node.inputs[1]);
  if (exponent == nullptr || exponent->size() != 1) return NodeNotLowered(node, "its exponent is not one constant");
  Unary unary;
  unary.kind = UnaryKind::kPow;
  unary.alpha = exponent->type == DType::kFloat32 ? exponent->floats[0] : static_cast<float>(exponent->integers[0]);
  BNN_ASSIGN_OR_RETURN(Form form, lowering.Any(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Emit(node, unary, {form.tensor}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], form);
  return OkStatus();
}

Status LowerNeg(Lowering& lowering, const SourceNode& node) {
  return LowerAffine(lowering, node, node.inputs[0], {{-1.0f}, {0.0f}});
}

// (x - mean) / sqrt(var + epsilon) * gamma + beta, its constants folded in double and rounded once.
Status LowerBatchNormalization(Lowering& lowering, const SourceNode& node) {
  const size_t rank = lowering.DimsOf(node.inputs[0]).size();
  if (rank != 4 && rank != 2) {
    return NodeNotLowered(node, "its input has rank " + std::to_string(rank) + "; 2 and 4 are supported");
  }
  const Tensor* parameters[4] = {};
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = lowering.graph.FindConstant(node.inputs[i + 1]);
    if (parameters[i] == nullptr || parameters[i]->size() != lowering.DimsOf(node.inputs[0])[1]) {
      return NodeNotLowered(node, "'" + node.inputs[i + 1] + "' is not one constant per channel");
    }
  }
  const auto& [gamma, beta, mean, variance] = parameters;
  const double epsilon = node.Float("epsilon", 1e-5f);
  ScaleBias affine;
  for (size_t c = 0; c < gamma->floats.size(); ++c) {
    const double scale = gamma->floats[c] / std::sqrt(static_cast<double>(variance->floats[c]) + epsilon);
    affine.scale.push_back(static_cast<float>(scale));
    affine.bias.push_back(static_cast<float>(beta->floats[c] - mean->floats[c] * scale));
  }
  return LowerAffine(lowering, node, node.inputs[0], std::move(affine));
}

}  // namespace bnn::formats
