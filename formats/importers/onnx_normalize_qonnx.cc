// QONNX's Quant (Brevitas, FINN): uniform quantization to integers of any width, written out as what it computes:
//
//   y = (round(clip(x / scale + zero_point, low, high)) - zero_point) * scale
//
// Inputs x, scale, zero point, bit width; attributes signed, narrow, rounding_mode. The range of b bits is 0 to 2^b -
// 1, signed -2^(b-1) to 2^(b-1) - 1; narrow leaves out the lowest integer where it is signed, else the highest one.
// Signed integers of one bit are -1 and +1. Specification: the operator's page of the QONNX project.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <utility>

#include "formats/importers/onnx_normalize.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

constexpr int64_t kMaxWidth = 24;  // floats count that far

struct IntegerLimits {
  int64_t low = 0, high = 0;
};

IntegerLimits LimitsOf(int64_t width, bool is_signed, bool narrow) {
  if (!is_signed) return {0, (int64_t{1} << width) - (narrow ? 2 : 1)};
  const int64_t half = int64_t{1} << (width - 1);
  return {narrow ? 1 - half : -half, half - 1};
}

// The ONNX operator for a rounding_mode, in any case; "" for one that has none.
std::string RoundingOperator(std::string mode) {
  std::transform(mode.begin(), mode.end(), mode.begin(), [](unsigned char c) { return std::toupper(c); });
  if (mode == "ROUND" || mode == "HALF_EVEN") return "Round";
  if (mode == "FLOOR") return "Floor";
  return mode == "CEIL" ? "Ceil" : "";
}

// Appends the nodes of one Quant, one after the other.
class Chain {
 public:
  Chain(const SourceNode& quant, OnnxGraphBuilder* builder)
      : quant_(quant), builder_(builder), value_(quant.inputs[0]) {}

  const std::string& value() const { return value_; }

  Status Append(const std::string& op, const std::vector<std::string>& constants, bool is_last = false) {
    SourceNode node;
    node.name = is_last ? quant_.name : quant_.name + "/" + op;
    node.op = op;
    node.inputs = {value_};
    node.inputs.insert(node.inputs.end(), constants.begin(), constants.end());
    value_ = is_last ? quant_.outputs[0] : builder_->NewValueName(quant_.outputs[0] + "/" + op);
    node.outputs = {value_};
    return builder_->Emit(std::move(node));
  }

  std::string Number(const std::string& what, float value) {
    return builder_->AddConstant(quant_.outputs[0] + "/" + what, FloatTensor({}, {value}));
  }

 private:
  const SourceNode& quant_;
  OnnxGraphBuilder* builder_;
  std::string value_;
};

// The bit width, input 3.
Result<int64_t> WidthOf(const SourceNode& node, const OnnxGraphBuilder& builder) {
  const Tensor* width = builder.FindKnown(node.inputs[3]);
  if (width == nullptr || width->size() != 1)
    return NodeUnsupported(node, "its bit width, input 3, is no constant number");
  const double bits =
      width->type == DType::kFloat32 ? static_cast<double>(width->floats[0]) : static_cast<double>(width->integers[0]);
  if (!(bits >= 1 && bits <= kMaxWidth) || bits != std::floor(bits)) {
    return NodeUnsupported(
        node, "its bit width is " + std::to_string(bits) + "; supported: 1 to " + std::to_string(kMaxWidth));
  }
  return static_cast<int64_t>(bits);
}

}  // namespace

Status NormalizeQuant(SourceNode node, OnnxGraphBuilder* builder) {
  if (node.inputs.size() != 4 || node.outputs.size() != 1) {
    return NodeError(node, "has " + std::to_string(node.inputs.size()) + " inputs and " +
                               std::to_string(node.outputs.size()) + " outputs, expected 4 and 1");
  }
  for (size_t i = 0; i < 4; ++i) {
    if (!node.HasInput(i)) return NodeError(node, "lacks input " + std::to_string(i));
    const DType type = builder->InfoOf(node.inputs[i]).type;
    if (i == 3 || type == DType::kFloat32) continue;
    return NodeUnsupported(node, "its input " + std::to_string(i) + " is " + DTypeName(type) + ", not float32");
  }
  BNN_ASSIGN_OR_RETURN(const int64_t width, WidthOf(node, *builder));
  const bool is_signed = node.Int("signed", 1) != 0, narrow = node.Int("narrow", 0) != 0;
  const Tensor* zero_point = builder->FindKnown(node.inputs[2]);
  const bool shifts = zero_point == nullptr ||
                      std::any_of(zero_point->floats.begin(), zero_point->floats.end(), [](float z) { return z != 0; });
  if (width == 1 && is_signed) {
    if (shifts) return NodeUnsupported(node, "signed integers of one bit have a zero point, input 2, that is not 0");
    node.op = "BipolarQuant";
    node.inputs.resize(2);
    node.attributes.clear();
    return builder->Emit(std::move(node));
  }
  const std::string mode = node.String("rounding_mode", "ROUND");
  const std::string rounding = RoundingOperator(mode);
  if (rounding.empty()) {
    return NodeUnsupported(node,
                           "attribute 'rounding_mode' is \"" + mode + "\"; supported: ROUND, HALF_EVEN, FLOOR, CEIL");
  }
  const IntegerLimits limits = LimitsOf(width, is_signed, narrow);
  Chain chain(node, builder);
  BNN_RETURN_IF_ERROR(chain.Append("Div", {node.inputs[1]}));
  if (shifts) BNN_RETURN_IF_ERROR(chain.Append("Add", {node.inputs[2]}));
  BNN_RETURN_IF_ERROR(chain.Append("Clip", {chain.Number("low", static_cast<float>(limits.low)),
                                            chain.Number("high", static_cast<float>(limits.high))}));
  BNN_RETURN_IF_ERROR(chain.Append(rounding, {}));
  if (shifts) BNN_RETURN_IF_ERROR(chain.Append("Sub", {node.inputs[2]}));
  return chain.Append("Mul", {node.inputs[1]}, /*is_last=*/true);
}

}  // namespace bnn::formats
