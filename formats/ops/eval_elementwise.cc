// Operators of one input that treat each element alone. Arithmetic is float32, as in the runtimes that networks are
// trained and exported with; functions that no processor computes exactly (exp, tanh, sigmoid) are taken in double and
// rounded once.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

using FloatFunction = float (*)(float x, float alpha, float beta);
using IntFunction = int64_t (*)(int64_t x);

float HardSigmoid(float x, float alpha, float beta) { return std::max(0.0F, std::min(1.0F, alpha * x + beta)); }

float Rounded(double y) { return static_cast<float>(y); }

// log(1 + e^x), without overflow.
double Softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

float Mish(double x) { return Rounded(x * std::tanh(Softplus(x))); }

float Gelu(double x) { return Rounded(x * (1 + std::erf(x / std::sqrt(2.0))) / 2); }

// Gelu with attribute approximate = "tanh".
float GeluTanh(double x) { return Rounded(x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2); }

// Integers wrap around as the machine's do, without undefined behaviour.
int64_t NegateWrapped(int64_t x) { return static_cast<int64_t>(uint64_t{0} - static_cast<uint64_t>(x)); }

struct UnaryOperator {
  const char* op;
  float default_alpha;
  float default_beta;
  FloatFunction of_float;  // nullptr: floats are not taken
  IntFunction of_int;      // nullptr: integers are not taken
};

// Relu and Sign are written so that NaN stays NaN.
const UnaryOperator kUnaryOperators[] = {
    {"Abs", 0, 0, [](float x, float, float) { return std::fabs(x); },
     [](int64_t x) { return x < 0 ? NegateWrapped(x) : x; }},
    {"Ceil", 0, 0, [](float x, float, float) { return std::ceil(x); }, nullptr},
    {"Elu", 1, 0,
     [](float x, float alpha, float) {
       return x < 0 ? Rounded(static_cast<double>(alpha) * std::expm1(static_cast<double>(x))) : x;
     },
     nullptr},
    {"Erf", 0, 0, [](float x, float, float) { return Rounded(std::erf(static_cast<double>(x))); }, nullptr},
    {"Exp", 0, 0, [](float x, float, float) { return static_cast<float>(std::exp(static_cast<double>(x))); }, nullptr},
    {"Floor", 0, 0, [](float x, float, float) { return std::floor(x); }, nullptr},
    {"Gelu", 0, 0, [](float x, float, float) { return Gelu(static_cast<double>(x)); }, nullptr},
    {"HardSigmoid", 0.2F, 0.5F, HardSigmoid, nullptr},
    {"HardSwish", 1.0F / 6.0F, 0.5F, [](float x, float alpha, float beta) { return x * HardSigmoid(x, alpha, beta); },
     nullptr},
    {"LeakyRelu", 0.01F, 0, [](float x, float alpha, float) { return x < 0 ? alpha * x : x; }, nullptr},
    {"Log", 0, 0, [](float x, float, float) { return Rounded(std::log(static_cast<double>(x))); }, nullptr},
    {"Mish", 0, 0, [](float x, float, float) { return Mish(static_cast<double>(x)); }, nullptr},
    {"Neg", 0, 0, [](float x, float, float) { return -x; }, NegateWrapped},
    {"Reciprocal", 0, 0, [](float x, float, float) { return 1.0F / x; }, nullptr},
    {"Relu", 0, 0, [](float x, float, float) { return x < 0 ? 0.0F : x; },
     [](int64_t x) { return std::max<int64_t>(x, 0); }},
    // Half to even: the default rounding mode, which nothing here changes.
    {"Round", 0, 0, [](float x, float, float) { return std::nearbyint(x); }, nullptr},
    {"Sigmoid", 0, 0,
     [](float x, float, float) { return static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(x)))); },
     nullptr},
    {"Sign", 0, 0, [](float x, float, float) { return x > 0 ? 1.0F : (x < 0 ? -1.0F : (x == 0 ? 0.0F : x)); },
     [](int64_t x) { return static_cast<int64_t>(x > 0) - static_cast<int64_t>(x < 0); }},
    {"Softplus", 0, 0, [](float x, float, float) { return Rounded(Softplus(static_cast<double>(x))); }, nullptr},
    {"Sqrt", 0, 0, [](float x, float, float) { return std::sqrt(x); }, nullptr},
    {"Swish", 1, 0,
     [](float x, float alpha, float) {
       return Rounded(static_cast<double>(x) / (1 + std::exp(-static_cast<double>(alpha) * static_cast<double>(x))));
     },
     nullptr},
    {"Tanh", 0, 0, [](float x, float, float) { return static_cast<float>(std::tanh(static_cast<double>(x))); },
     nullptr},
};

const UnaryOperator* FindUnary(const std::string& op) {
  for (const UnaryOperator& candidate : kUnaryOperators) {
    if (op == candidate.op) return &candidate;
  }
  return nullptr;
}

// The integer types of ONNX by TensorProto.DataType; all are held as int64, so a cast keeps only what fits the type.
struct IntegerType {
  int64_t code;
  int bits;
  bool is_signed;
};
constexpr IntegerType kIntegerTypes[] = {{2, 8, false}, {3, 8, true},  {4, 16, false},  {5, 16, true},
                                         {6, 32, true}, {7, 64, true}, {12, 32, false}, {13, 63, false}};
constexpr int64_t kBoolCode = 9;
constexpr int64_t kFloatCodes[] = {1, 10, 11, 16};  // float, float16, double, bfloat16: all become float32

int64_t WrapInteger(int64_t value, const IntegerType& type) {
  if (type.bits >= 63) return value;
  const uint64_t mask = (uint64_t{1} << type.bits) - 1;
  const uint64_t low = static_cast<uint64_t>(value) & mask;
  const bool negative = type.is_signed && (low >> (type.bits - 1)) != 0;
  return static_cast<int64_t>(negative ? low | ~mask : low);
}

// Toward zero; beyond the type's range, where the standard leaves the result open, the nearest value; NaN gives 0.
int64_t TruncateFloat(float value, const IntegerType& type) {
  if (std::isnan(value)) return 0;
  const int magnitude_bits = type.is_signed ? type.bits - 1 : type.bits;
  const int64_t highest =
      magnitude_bits >= 63 ? std::numeric_limits<int64_t>::max() : (int64_t{1} << magnitude_bits) - 1;
  const int64_t lowest = type.is_signed ? -highest - 1 : 0;
  if (static_cast<double>(value) >= static_cast<double>(highest)) return highest;
  if (static_cast<double>(value) <= static_cast<double>(lowest)) return lowest;
  return static_cast<int64_t>(value);
}

Result<OutputTensors> CastToFloat(const SourceNode& node, const Tensor& x) {
  if (x.type == DType::kFloat32) return OutputTensors{x};
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kFloat32, x.dims));
  for (size_t i = 0; i < x.integers.size(); ++i) y.floats[i] = static_cast<float>(x.integers[i]);
  return OutputTensors{std::move(y)};
}

// One limit of Clip: absent, or a scalar (also spelled [1]).
Status ReadLimit(const SourceNode& node, const InputTensors& inputs, size_t index) {
  if (index >= inputs.size() || inputs[index] == nullptr) return OkStatus();
  if (inputs[index]->size() != 1 || inputs[index]->type != inputs[0]->type) {
    return NodeError(node, std::string(index == 1 ? "min" : "max") + " must be one " + DTypeName(inputs[0]->type) +
                               ", has dims " + DimsToString(inputs[index]->dims));
  }
  return OkStatus();
}

}  // namespace

Result<OutputTensors> EvaluateUnary(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  if (node.op == "Not") {
    if (x.type != DType::kBool) return NodeError(node, "expects bool, got " + std::string(DTypeName(x.type)));
    Tensor y = x;
    for (int64_t& value : y.integers) value = value == 0 ? 1 : 0;
    return OutputTensors{std::move(y)};
  }
  const UnaryOperator* unary = FindUnary(node.op);
  if (unary == nullptr) return NodeUnsupported(node, "unknown operator");
  Tensor y = x;
  if (x.type == DType::kFloat32) {
    const float alpha = node.Float("alpha", unary->default_alpha);
    const float beta = node.Float("beta", unary->default_beta);
    const bool is_gelu_tanh = node.op == "Gelu" && node.String("approximate", "none") == "tanh";
    for (float& value : y.floats) {
      value = is_gelu_tanh ? GeluTanh(static_cast<double>(value)) : unary->of_float(value, alpha, beta);
    }
    return OutputTensors{std::move(y)};
  }
  if (x.type == DType::kBool || unary->of_int == nullptr) {
    return NodeError(node, "does not take " + std::string(DTypeName(x.type)));
  }
  for (int64_t& value : y.integers) value = unary->of_int(value);
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateCast(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  const int64_t to = node.Int("to", 0);
  if (std::find(std::begin(kFloatCodes), std::end(kFloatCodes), to) != std::end(kFloatCodes)) {
    return CastToFloat(node, x);
  }
  const auto* target = std::find_if(std::begin(kIntegerTypes), std::end(kIntegerTypes),
                                    [to](const IntegerType& type) { return type.code == to; });
  if (to != kBoolCode && target == std::end(kIntegerTypes)) {
    return NodeUnsupported(node, "cannot cast to data type " + std::to_string(to));
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, to == kBoolCode ? DType::kBool : DType::kInt64, x.dims));
  for (size_t i = 0; i < y.integers.size(); ++i) {
    const bool is_float = x.type == DType::kFloat32;
    if (to == kBoolCode) {
      y.integers[i] = (is_float ? x.floats[i] != 0.0F : x.integers[i] != 0) ? 1 : 0;
    } else {
      y.integers[i] = is_float ? TruncateFloat(x.floats[i], *target) : WrapInteger(x.integers[i], *target);
    }
  }
  return OutputTensors{std::move(y)};
}

// min(max(x, low), high), so that high wins where the limits cross; NaN stays. An absent limit is the largest finite
// number, not infinity.
Result<OutputTensors> EvaluateClip(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  if (x.type == DType::kBool) return NodeError(node, "does not take bool");
  BNN_RETURN_IF_ERROR(ReadLimit(node, inputs, 1));
  BNN_RETURN_IF_ERROR(ReadLimit(node, inputs, 2));
  const Tensor* low = inputs.size() > 1 ? inputs[1] : nullptr;
  const Tensor* high = inputs.size() > 2 ? inputs[2] : nullptr;
  Tensor y = x;
  const auto clip = [](auto& values, const auto* lowest, const auto* highest) {
    using Limits = std::numeric_limits<std::remove_cvref_t<decltype(values[0])>>;
    const auto least = lowest != nullptr ? *lowest : Limits::lowest();
    const auto greatest = highest != nullptr ? *highest : Limits::max();
    for (auto& value : values) {
      if (value < least) value = least;
      if (value > greatest) value = greatest;
    }
  };
  if (x.type == DType::kFloat32) {
    clip(y.floats, low ? low->floats.data() : nullptr, high ? high->floats.data() : nullptr);
  } else {
    clip(y.integers, low ? low->integers.data() : nullptr, high ? high->integers.data() : nullptr);
  }
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
