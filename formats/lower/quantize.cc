// Quantizers with more than two levels. What they make is kept as integers, for the layers that can read those, and as
// floats for everybody else; what nobody reads is dropped in the end.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "formats/lower/operators.h"
#include "formats/passes/channels.h"

namespace bnn::formats {
namespace {

struct LinearConstants {
  float scale = 1;
  int64_t zero_point = 0;
};

// Of QuantizeLinear and DequantizeLinear on data.
Result<LinearConstants> ParametersOf(const Lowering& lowering, const SourceNode& node) {
  LinearConstants constants;
  const Tensor* scale = lowering.graph.FindConstant(node.inputs[1]);
  if (scale == nullptr || scale->type != DType::kFloat32) return NodeNotLowered(node, "its scale is not constant");
  if (scale->size() != 1) {
    return NodeNotLowered(node, "its scale " + DimsToString(scale->dims) + " is not one for the whole tensor");
  }
  constants.scale = scale->floats[0];
  if (!std::isfinite(constants.scale) || constants.scale <= 0) {
    return NodeNotLowered(node, "its scale " + std::to_string(constants.scale) + " is not positive");
  }
  if (!node.HasInput(2)) return constants;
  const Tensor* zero_point = lowering.graph.FindConstant(node.inputs[2]);
  if (zero_point == nullptr || zero_point->type != DType::kInt64 || zero_point->size() != 1) {
    return NodeNotLowered(node, "its zero point is not one constant integer");
  }
  constants.zero_point = zero_point->integers[0];
  return constants;
}

// A zero point of the type's range.
Result<Quantization> ToQuantization(const SourceNode& node, const LinearConstants& constants, ElementType type) {
  const IntegerRange range = RangeOf(type);
  if (constants.zero_point < range.low || constants.zero_point > range.high) {
    return NodeNotLowered(node, "its zero point " + std::to_string(constants.zero_point) + " is out of range");
  }
  return Quantization{constants.scale, static_cast<int32_t>(constants.zero_point)};
}

// The four limits of a FakeQuantize on data; one value each, or one a channel.
struct Limits {
  std::vector<float> input_low, input_high, output_low, output_high;

  bool per_tensor() const {
    return input_low.size() == 1 && input_high.size() == 1 && output_low.size() == 1 && output_high.size() == 1;
  }
};

Result<Limits> LimitsOf(const Lowering& lowering, const SourceNode& node) {
  Limits limits;
  std::vector<float>* const fields[] = {&limits.input_low, &limits.input_high, &limits.output_low, &limits.output_high};
  for (size_t i = 0; i < 4; ++i) {
    const Tensor* constant = lowering.graph.FindConstant(node.inputs[i + 1]);
    if (constant == nullptr) return NodeNotLowered(node, "its limits are not constant");
    std::optional<std::vector<float>> values = PerChannel(*constant, lowering.DimsOf(node.outputs[0]));
    if (!values) {
      return NodeNotLowered(node, "its limits " + DimsToString(constant->dims) + " are not one value per channel");
    }
    if (std::any_of(values->begin(), values->end(), [](float v) { return !std::isfinite(v); })) {
      return NodeNotLowered(node, "its limits are not finite");
    }
    *fields[i] = std::move(*values);
  }
  return limits;
}

// FakeQuantize as integers: level n of 0 .. levels - 1 is the integer n + offset.
struct FakeQuantizeGrid {
  ElementType type = ElementType::kUInt8;
  Quantization to;    // of x
  Quantization from;  // of the output: another one where input and output limits differ
};

// low = -zero_point * scale, high = (levels - 1 - zero_point) * scale.
std::optional<Quantization> GridOf(float low, float high, int64_t levels) {
  // FakeQuantize computes in float32: zero points closer to an integer than this differ by its rounding only.
  constexpr double kTolerance = 2e-4;
  const double scale = (static_cast<double>(high) - static_cast<double>(low)) / static_cast<double>(levels - 1);
  if (!(scale > 0) || !std::isnormal(static_cast<float>(scale))) return std::nullopt;
  const double zero_point = -static_cast<double>(low) / scale;
  if (zero_point < -0.5 || zero_point > static_cast<double>(levels) - 0.5) return std::nullopt;
  if (std::fabs(zero_point - std::nearbyint(zero_point)) > kTolerance) return std::nullopt;
  return Quantization{static_cast<float>(scale), static_cast<int32_t>(std::nearbyint(zero_point))};
}

// The grid, or kUnsupported with the reason why there is none.
Result<FakeQuantizeGrid> FindGrid(const Limits& limits, int64_t levels) {
  if (levels != 255 && levels != 256) return Unsupported("FakeQuantize with " + std::to_string(levels) + " levels");
  if (!limits.per_tensor()) return Unsupported("FakeQuantize with limits per channel");
  const std::optional<Quantization> to = GridOf(limits.input_low[0], limits.input_high[0], levels);
  const std::optional<Quantization> from = GridOf(limits.output_low[0], limits.output_high[0], levels);
  if (!to || !from) {
    const bool input = !to;
    char text[160];
    std::snprintf(text, sizeof(text), "0 is none of the %d values between FakeQuantize's %s limits %.6g and %.6g",
                  static_cast<int>(levels), input ? "input" : "output",
                  static_cast<double>(input ? limits.input_low[0] : limits.output_low[0]),
                  static_cast<double>(input ? limits.input_high[0] : limits.output_high[0]));
    return Unsupported(text);
  }
  FakeQuantizeGrid grid{ElementType::kUInt8, *to, *from};
  // With zero in the middle of both, signed integers need no zero point.
  const int32_t middle = static_cast<int32_t>(levels / 2);
  if (to->zero_point == middle && from->zero_point == middle) {
    grid.type = ElementType::kInt8;
    grid.to.zero_point = grid.from.zero_point = 0;
  }
  return grid;
}

Status LowerFakeQuantizeAsFloats(Lowering& lowering, const SourceNode& node, const Limits& limits, int64_t levels) {
  BNN_ASSIGN_OR_RETURN(Form form, lowering.Any(node.inputs[0]));
  if (!limits.per_tensor()) form = lowering.AsVector(node.name, form, node.inputs[0]);
  const auto blob = [&](const std::vector<float>& limit) {
    return lowering.ChannelBlob(Lowering::InOrder(form, limit));
  };
  const FakeQuantize op{levels, blob(limits.input_low), blob(limits.input_high), blob(limits.output_low),
                        blob(limits.output_high)};
  BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Emit(node, op, {form.tensor}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], form);
  return OkStatus();
}

// Registers what a quantizer made: integers, and floats from them.
Status SetQuantized(Lowering& lowering, const SourceNode& node, const Form& integers, const Quantization& from) {
  const std::string& value = node.outputs[0];
  lowering.SetIntegers(value, integers, from);
  Form floats = integers;
  BNN_ASSIGN_OR_RETURN(floats.tensor, lowering.Emit(node, Dequantize{from}, {integers.tensor}, value));
  lowering.SetFloats(value, floats);
  return OkStatus();
}

}  // namespace

Status LowerQuantizeLinear(Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const LinearConstants constants, ParametersOf(lowering, node));
  Quantize quantize;
  quantize.type = node.Int("low", 0) < 0 ? ElementType::kInt8 : ElementType::kUInt8;
  BNN_ASSIGN_OR_RETURN(quantize.to, ToQuantization(node, constants, quantize.type));
  BNN_ASSIGN_OR_RETURN(Form form, lowering.Any(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Emit(node, quantize, {form.tensor}, node.outputs[0]));
  lowering.SetIntegers(node.outputs[0], form, {1, 0});
  return OkStatus();
}

Status LowerDequantizeLinear(Lowering& lowering, const SourceNode& node) {
  const Lowering::Integers* integers = lowering.FindIntegers(node.inputs[0]);
  if (integers == nullptr) {
    return NodeNotLowered(node, "its input '" + node.inputs[0] + "' was not made by QuantizeLinear");
  }
  BNN_ASSIGN_OR_RETURN(const LinearConstants constants, ParametersOf(lowering, node));
  const ElementType type = lowering.builder.tensor(integers->form.tensor).type;
  BNN_ASSIGN_OR_RETURN(const Quantization from, ToQuantization(node, constants, type));
  return SetQuantized(lowering, node, integers->form, from);
}

Status LowerFakeQuantize(Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const Limits limits, LimitsOf(lowering, node));
  const int64_t levels = node.Int("levels", 0);
  const Result<FakeQuantizeGrid> grid = FindGrid(limits, levels);
  if (!grid.ok()) {
    lowering.refused_quantizers[node.outputs[0]] = grid.status().message();
    return LowerFakeQuantizeAsFloats(lowering, node, limits, levels);
  }
  BNN_ASSIGN_OR_RETURN(Form form, lowering.Any(node.inputs[0]));
  if (levels == 255) {  // the 256th integer is none of the levels
    const Clamp clamp{limits.input_low[0], limits.input_high[0]};
    BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Emit(node, clamp, {form.tensor}, node.outputs[0] + "/clamped"));
  }
  const Quantize quantize{grid->type, grid->to};
  BNN_ASSIGN_OR_RETURN(form.tensor, lowering.Emit(node, quantize, {form.tensor}, node.outputs[0] + "/integers"));
  return SetQuantized(lowering, node, form, grid->from);
}

}  // namespace bnn::formats
