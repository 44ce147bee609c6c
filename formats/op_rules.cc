#include "formats/op_rules.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <variant>

#include "formats/text.h"
#include "formats/validate.h"

namespace bnn::formats {
namespace {

enum class Values : uint8_t { kFinite, kNotNan };

bool IsAllowed(float value, Values allowed) {
  return allowed == Values::kFinite ? std::isfinite(value) : !std::isnan(value);
}

const char* Name(Values allowed) { return allowed == Values::kFinite ? "a finite number" : "a number"; }

Status CheckFloat(const char* field, float value, Values allowed) {
  if (IsAllowed(value, allowed)) return OkStatus();
  return InvalidModel(std::string(field) + ": found " + std::to_string(value) + ", expected " + Name(allowed));
}

float LittleEndianFloat(const std::byte* at) {
  uint32_t bits = 0;
  for (int i = 3; i >= 0; --i) bits = bits << 8 | static_cast<uint32_t>(at[i]);
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// The values of blob `index`; kNone is an absent optional one.
Status CheckBlobFloats(const char* field, int index, const std::vector<Blob>& blobs, Values allowed) {
  if (index == kNone) return OkStatus();
  const std::vector<std::byte>& data = blobs[static_cast<size_t>(index)].data;
  for (size_t at = 0; at + 4 <= data.size(); at += 4) {
    const float value = LittleEndianFloat(&data[at]);
    if (IsAllowed(value, allowed)) continue;
    return InvalidModel(std::string(field) + ": found " + std::to_string(value) + " at element " +
                        std::to_string(at / 4) + ", expected " + Name(allowed));
  }
  return OkStatus();
}

// The rows of a [rows][columns] blob of floats do not decrease from one to the next.
Status CheckIncreasing(const char* field, const Blob& blob) {
  if (blob.dims.size() != 2) return OkStatus();
  const auto columns = static_cast<size_t>(blob.dims[1]);
  for (size_t i = columns; i < blob.data.size() / 4; ++i) {
    const float before = LittleEndianFloat(&blob.data[(i - columns) * 4]), value = LittleEndianFloat(&blob.data[i * 4]);
    if (value >= before) continue;
    return InvalidModel(std::string(field) + ": found " + std::to_string(value) + " at element " + std::to_string(i) +
                        ", expected at least the " + std::to_string(before) + " of the level before");
  }
  return OkStatus();
}

template <typename Enum>
Status CheckEnum(const char* field, Enum value, Enum last) {
  if (static_cast<int>(value) >= 1 && value <= last) return OkStatus();
  return InvalidModel(std::string(field) + ": found value " + std::to_string(static_cast<int>(value)) +
                      ", expected 1 to " + std::to_string(static_cast<int>(last)));
}

Status CheckScale(const std::string& field, const Quantization& quantization) {
  if (std::isfinite(quantization.scale) && quantization.scale > 0) return OkStatus();
  return InvalidModel(field + ".scale: found " + std::to_string(quantization.scale) + ", expected a positive number");
}

Status CheckZeroPoint(const std::string& field, const Quantization& quantization, ElementType type) {
  const IntegerRange range = RangeOf(type);
  if (quantization.zero_point >= range.low && quantization.zero_point <= range.high) return OkStatus();
  return InvalidModel(field + ".zero_point: found " + std::to_string(quantization.zero_point) + ", expected " +
                      std::to_string(range.low) + " to " + std::to_string(range.high) + " of " + TypeName(type));
}

Status CheckQuantization(const std::string& field, const Quantization& quantization, ElementType type) {
  BNN_RETURN_IF_ERROR(CheckScale(field, quantization));
  return CheckZeroPoint(field, quantization, type);
}

// One overload an operator.
struct ValueRules {
  const std::vector<Blob>& blobs;

  Status operator()(const BConv2d& op) const { return CheckEnum("pad_value", op.pad_value, PadValue::kZero); }
  Status operator()(const BDense&) const { return OkStatus(); }
  Status operator()(const BMaxPool&) const { return OkStatus(); }
  Status operator()(const Binarize& op) const {
    BNN_RETURN_IF_ERROR(CheckBlobFloats("thresholds", op.thresholds, blobs, Values::kNotNan));
    return CheckIncreasing("thresholds", blobs[static_cast<size_t>(op.thresholds)]);
  }
  Status operator()(const Unpack& op) const {
    BNN_RETURN_IF_ERROR(CheckBlobFloats("low", op.low, blobs, Values::kFinite));
    BNN_RETURN_IF_ERROR(CheckBlobFloats("high", op.high, blobs, Values::kFinite));
    return CheckBlobFloats("values", op.values, blobs, Values::kFinite);
  }
  Status operator()(const Conv2d& op) const {
    BNN_RETURN_IF_ERROR(CheckBlobFloats("weights", op.weights, blobs, Values::kFinite));
    return CheckBlobFloats("bias", op.bias, blobs, Values::kFinite);
  }
  Status operator()(const Dense& op) const {
    BNN_RETURN_IF_ERROR(CheckBlobFloats("weights", op.weights, blobs, Values::kFinite));
    return CheckBlobFloats("bias", op.bias, blobs, Values::kFinite);
  }
  Status operator()(const Affine& op) const {
    BNN_RETURN_IF_ERROR(CheckBlobFloats("scale", op.scale, blobs, Values::kFinite));
    return CheckBlobFloats("bias", op.bias, blobs, Values::kFinite);
  }
  Status operator()(const PRelu& op) const { return CheckBlobFloats("slope", op.slope, blobs, Values::kFinite); }
  Status operator()(const Clamp& op) const {
    BNN_RETURN_IF_ERROR(CheckFloat("low", op.low, Values::kNotNan));
    BNN_RETURN_IF_ERROR(CheckFloat("high", op.high, Values::kNotNan));
    if (op.low <= op.high) return OkStatus();
    return InvalidModel("low: found " + std::to_string(op.low) +
                        ", expected at most high = " + std::to_string(op.high));
  }
  Status operator()(const Unary& op) const {
    BNN_RETURN_IF_ERROR(CheckEnum("kind", op.kind, UnaryKind::kLog));
    BNN_RETURN_IF_ERROR(CheckFloat("alpha", op.alpha, Values::kFinite));
    return CheckFloat("beta", op.beta, Values::kFinite);
  }
  // The larger or smaller of x and an infinity is defined for all x, so these may be limits that do not limit.
  Status operator()(const Binary& op) const {
    BNN_RETURN_IF_ERROR(CheckEnum("kind", op.kind, BinaryKind::kMin));
    const bool is_limit = op.kind == BinaryKind::kMax || op.kind == BinaryKind::kMin;
    return CheckBlobFloats("constant", op.constant, blobs, is_limit ? Values::kNotNan : Values::kFinite);
  }
  Status operator()(const MaxPool&) const { return OkStatus(); }
  Status operator()(const AvgPool&) const { return OkStatus(); }
  Status operator()(const Concat&) const { return OkStatus(); }
  Status operator()(const Slice&) const { return OkStatus(); }
  // -inf pads for a maximum, so infinities are allowed.
  Status operator()(const Pad& op) const {
    BNN_RETURN_IF_ERROR(CheckEnum("mode", op.mode, PadMode::kSymmetric));
    return CheckFloat("value", op.value, Values::kNotNan);
  }
  Status operator()(const Transpose&) const { return OkStatus(); }
  Status operator()(const Reshape&) const { return OkStatus(); }
  Status operator()(const Softmax&) const { return OkStatus(); }
  Status operator()(const Quantize& op) const {
    if (op.type != ElementType::kInt8 && op.type != ElementType::kUInt8) {
      return InvalidModel("type: found value " + std::to_string(static_cast<int>(op.type)) +
                          ", expected int8 (3) or uint8 (4)");
    }
    return CheckQuantization("to", op.to, op.type);
  }
  // The zero point depends on the type of the input: OutputType() checks it.
  Status operator()(const Dequantize& op) const { return CheckScale("from", op.from); }
  Status operator()(const QConv2d& op) const { return Quantized(op); }
  Status operator()(const QDense& op) const { return Quantized(op); }
  // More levels than floats can count would not be levels.
  Status operator()(const FakeQuantize& op) const {
    if (op.levels < 2 || op.levels > kMaxLevels) {
      return InvalidModel("levels: found " + std::to_string(op.levels) + ", expected 2 to " +
                          std::to_string(kMaxLevels));
    }
    BNN_RETURN_IF_ERROR(CheckBlobFloats("input_low", op.input_low, blobs, Values::kFinite));
    BNN_RETURN_IF_ERROR(CheckBlobFloats("input_high", op.input_high, blobs, Values::kFinite));
    BNN_RETURN_IF_ERROR(CheckBlobFloats("output_low", op.output_low, blobs, Values::kFinite));
    return CheckBlobFloats("output_high", op.output_high, blobs, Values::kFinite);
  }
  Status operator()(const ConvTranspose2d& op) const {
    BNN_RETURN_IF_ERROR(CheckBlobFloats("weights", op.weights, blobs, Values::kFinite));
    return CheckBlobFloats("bias", op.bias, blobs, Values::kFinite);
  }
  Status operator()(const Resize2d& op) const {
    BNN_RETURN_IF_ERROR(CheckEnum("kind", op.kind, ResizeKind::kLinear));
    BNN_RETURN_IF_ERROR(CheckEnum("coordinates", op.coordinates, Coordinates::kTfHalfPixel));
    BNN_RETURN_IF_ERROR(CheckEnum("nearest", op.nearest, Nearest::kCeil));
    BNN_RETURN_IF_ERROR(CheckFloat("scale_h", op.scale_h, Values::kFinite));
    return CheckFloat("scale_w", op.scale_w, Values::kFinite);
  }
  Status operator()(const Reduce& op) const { return CheckEnum("kind", op.kind, ReduceKind::kMin); }
  Status operator()(const Lrn& op) const {
    BNN_RETURN_IF_ERROR(CheckFloat("alpha", op.alpha, Values::kFinite));
    BNN_RETURN_IF_ERROR(CheckFloat("beta", op.beta, Values::kFinite));
    return CheckFloat("bias", op.bias, Values::kFinite);
  }
  Status operator()(const NormalizeL2& op) const {
    BNN_RETURN_IF_ERROR(CheckEnum("eps_mode", op.eps_mode, EpsMode::kMax));
    BNN_RETURN_IF_ERROR(CheckFloat("eps", op.eps, Values::kFinite));
    if (op.eps >= 0) return OkStatus();
    return InvalidModel("eps: found " + std::to_string(op.eps) + ", expected 0 or more");
  }
  Status operator()(const DetectionOutput& op) const {
    BNN_RETURN_IF_ERROR(CheckEnum("code", op.code, BoxCode::kCenterSize));
    BNN_RETURN_IF_ERROR(CheckFloat("score_threshold", op.score_threshold, Values::kFinite));
    BNN_RETURN_IF_ERROR(CheckFloat("overlap_threshold", op.overlap_threshold, Values::kFinite));
    return CheckBlobFloats("priors", op.priors, blobs, Values::kFinite);
  }

  template <typename QuantizedLayer>
  Status Quantized(const QuantizedLayer& op) const {
    BNN_RETURN_IF_ERROR(CheckScale("input", op.input));
    BNN_RETURN_IF_ERROR(CheckBlobFloats("weight_scales", op.weight_scales, blobs, Values::kFinite));
    return CheckBlobFloats("bias", op.bias, blobs, Values::kFinite);
  }
};

// How an op reads its int8 or uint8 input; nullptr where it has none.
const Quantization* InputQuantization(const Op& op) {
  return std::visit(
      []<typename T>(const T& o) -> const Quantization* {
        if constexpr (std::is_same_v<T, QConv2d> || std::is_same_v<T, QDense>) {
          return &o.input;
        } else if constexpr (std::is_same_v<T, Dequantize>) {
          return &o.from;
        } else {
          return nullptr;
        }
      },
      op);
}

template <typename T, typename... Options>
inline constexpr bool kIsOneOf = (std::is_same_v<T, Options> || ...);

}  // namespace

Status CheckOpValues(const Op& op, const std::vector<Blob>& blobs) { return std::visit(ValueRules{blobs}, op); }

Status CheckReshape(ElementType type, const std::vector<int64_t>& from, const std::vector<int64_t>& to) {
  if (ElementCount(from) != ElementCount(to)) {
    return InvalidModel("output: found dims " + ShapeText(to) + ", expected as many elements as " + ShapeText(from));
  }
  if (BitsOf(type) > 0 && (from.empty() || to.empty() || from.back() != to.back())) {
    return InvalidModel("output: found bits " + ShapeText(to) + ", expected the last axis of " + ShapeText(from));
  }
  return OkStatus();
}

Status CheckBits(int bits) {
  if (bits >= 1 && bits <= kMaxBits) return OkStatus();
  return InvalidModel("bits: found " + std::to_string(bits) + ", expected 1 to " + std::to_string(kMaxBits));
}

Status CheckBinarySums(const Op& op, const std::vector<ElementType>& inputs, const std::vector<Blob>& blobs) {
  const int weights = std::visit(
      []<typename T>(const T& o) {
        if constexpr (kIsOneOf<T, BConv2d, BDense>) return o.weights;
        return kNone;
      },
      op);
  if (weights == kNone) return OkStatus();
  const std::vector<int64_t>& dims = blobs[static_cast<size_t>(weights)].dims;
  const int64_t terms = ElementCount({dims.begin() + 1, dims.end()});
  const int64_t most = kMaxBinaryTerms / ((1 << BitsOf(inputs[0])) - 1);
  if (terms <= most) return OkStatus();
  return InvalidModel("weights: found " + std::to_string(terms) + " terms a sum, expected at most " +
                      std::to_string(most) + " of " + TypeName(inputs[0]));
}

Status CheckSpareBits(const Blob& blob) {
  if (blob.type != ElementType::kBits) return OkStatus();
  int64_t row_bits = 1;
  for (size_t i = 1; i < blob.dims.size(); ++i) row_bits *= blob.dims[i];
  const int64_t used = row_bits % 32;  // bits in use of the last word; 0: all
  if (used == 0) return OkStatus();
  const int64_t row_bytes = (row_bits + 31) / 32 * 4;
  for (int64_t row = 0; row < blob.dims[0]; ++row) {
    const std::byte* last_word = blob.data.data() + (row + 1) * row_bytes - 4;
    uint32_t word = 0;
    for (int i = 3; i >= 0; --i) word = word << 8 | static_cast<uint32_t>(last_word[i]);
    if (word >> used != 0) {
      return InvalidModel("row " + std::to_string(row) + " has spare bits that are 1, expected 0 after its " +
                          std::to_string(row_bits) + " bits");
    }
  }
  return OkStatus();
}

Result<ElementType> OutputType(const Op& op, const std::vector<ElementType>& inputs) {
  const Quantization* integers = InputQuantization(op);
  return std::visit(
      [&]<typename T>(const T& o) -> Result<ElementType> {
        constexpr bool kTakesAnyBits = kIsOneOf<T, BConv2d, BDense, BMaxPool>;
        constexpr bool kKeepsType = kIsOneOf<T, Reshape, BMaxPool>;
        constexpr bool kStatesBits = kIsOneOf<T, Binarize, Unpack>;
        if (kKeepsType && inputs.empty()) return InvalidModel("inputs: found 0, expected at least 1");
        ElementType stated = ElementType::kFloat32;
        if constexpr (kStatesBits) {
          BNN_RETURN_IF_ERROR(CheckBits(o.bits));
          stated = BitsType(o.bits);
        }
        ElementType expected = ElementType::kFloat32;
        if (std::is_same_v<T, Reshape>) expected = inputs[0];
        if (std::is_same_v<T, Unpack>) expected = stated;
        for (size_t i = 0; i < inputs.size(); ++i) {
          const bool is_integer = inputs[i] == ElementType::kInt8 || inputs[i] == ElementType::kUInt8;
          if (integers != nullptr ? is_integer : kTakesAnyBits ? BitsOf(inputs[i]) > 0 : inputs[i] == expected)
            continue;
          return InvalidModel("inputs[" + std::to_string(i) + "]: found " + TypeName(inputs[i]) + ", expected " +
                              (integers != nullptr ? "int8 or uint8"
                               : kTakesAnyBits     ? "bits"
                                                   : TypeName(expected)));
        }
        if (integers != nullptr && !inputs.empty()) {
          const char* field = std::is_same_v<T, Dequantize> ? "from" : "input";
          BNN_RETURN_IF_ERROR(CheckZeroPoint(field, *integers, inputs[0]));
        }
        if constexpr (std::is_same_v<T, Quantize>) return o.type;
        if constexpr (std::is_same_v<T, Binarize>) return stated;
        if (kKeepsType) return inputs[0];
        return ElementType::kFloat32;
      },
      op);
}

}  // namespace bnn::formats
