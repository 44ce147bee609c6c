// Operators of two or three inputs that broadcast as numpy does.
#include <cmath>
#include <cstdint>
#include <limits>

#include "formats/ops/broadcast.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

using FloatOperator = float (*)(float a, float b);
using IntOperator = int64_t (*)(int64_t a, int64_t b);

int64_t AddWrapped(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t SubWrapped(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t MulWrapped(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
// Toward zero. Zero divisors are refused before; the one quotient that does not fit wraps.
int64_t DivWrapped(int64_t a, int64_t b) { return b == -1 ? SubWrapped(0, a) : a / b; }

float PowRounded(float a, float b) {
  if (b == 2.0F) return a * a;
  return static_cast<float>(std::pow(static_cast<double>(a), static_cast<double>(b)));
}
int64_t PowInteger(int64_t a, int64_t b) {
  if (b < 0) return a == 1 ? 1 : (a == -1 ? (b % 2 == 0 ? 1 : -1) : 0);
  int64_t result = 1;
  for (; b > 0; b >>= 1) {
    if ((b & 1) != 0) result = MulWrapped(result, a);
    a = MulWrapped(a, a);
  }
  return result;
}

// NaN wins over any number.
float MaxNan(float a, float b) { return std::isnan(a) || a > b ? a : b; }
float MinNan(float a, float b) { return std::isnan(a) || a < b ? a : b; }

struct BinaryOperator {
  const char* op;
  FloatOperator of_float;
  IntOperator of_int;
};

const BinaryOperator kBinaryOperators[] = {
    {"Add", [](float a, float b) { return a + b; }, AddWrapped},
    {"Div", [](float a, float b) { return a / b; }, DivWrapped},
    {"Max", MaxNan, [](int64_t a, int64_t b) { return a > b ? a : b; }},
    {"Min", MinNan, [](int64_t a, int64_t b) { return a < b ? a : b; }},
    {"Mul", [](float a, float b) { return a * b; }, MulWrapped},
    {"Pow", PowRounded, PowInteger},
    {"Sub", [](float a, float b) { return a - b; }, SubWrapped},
};

struct CompareOperator {
  const char* op;
  bool (*of_float)(float a, float b);
  bool (*of_int)(int64_t a, int64_t b);
};

// C++ comparisons are false where NaN takes part, which is the rule here too.
const CompareOperator kCompareOperators[] = {
    {"Equal", [](float a, float b) { return a == b; }, [](int64_t a, int64_t b) { return a == b; }},
    {"Greater", [](float a, float b) { return a > b; }, [](int64_t a, int64_t b) { return a > b; }},
    {"GreaterOrEqual", [](float a, float b) { return a >= b; }, [](int64_t a, int64_t b) { return a >= b; }},
    {"Less", [](float a, float b) { return a < b; }, [](int64_t a, int64_t b) { return a < b; }},
    {"LessOrEqual", [](float a, float b) { return a <= b; }, [](int64_t a, int64_t b) { return a <= b; }},
};

template <typename Table>
const auto* FindOperator(const Table& table, const std::string& op) {
  for (const auto& entry : table) {
    if (op == entry.op) return &entry;
  }
  return static_cast<decltype(&table[0])>(nullptr);
}

Status ExpectSameType(const SourceNode& node, const Tensor& a, const Tensor& b) {
  if (a.type == b.type) return OkStatus();
  return NodeError(node,
                   "inputs have different types: " + std::string(DTypeName(a.type)) + " and " + DTypeName(b.type));
}

// Pow may raise floats to integers and the reverse; the result has the base's type.
Result<OutputTensors> EvaluateMixedPow(const SourceNode& node, const InputTensors& inputs) {
  Tensor base = *inputs[0];
  Tensor exponent = *inputs[1];
  for (Tensor* tensor : {&base, &exponent}) {
    if (tensor->type != DType::kFloat32) {
      *tensor = FloatTensor(tensor->dims, std::vector<float>(tensor->integers.begin(), tensor->integers.end()));
    }
  }
  BNN_ASSIGN_OR_RETURN(OutputTensors result, EvaluateBinary(node, {&base, &exponent}));
  if (inputs[0]->type == DType::kFloat32) return result;
  Tensor integers = IntTensor(result[0].dims, {});
  for (const float value : result[0].floats) {
    if (!(std::fabs(value) < 9.0e18F)) return NodeError(node, "a power does not fit in 64 bits");
    integers.integers.push_back(static_cast<int64_t>(value));
  }
  return OutputTensors{std::move(integers)};
}

}  // namespace

Result<OutputTensors> EvaluateBinary(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& a = *inputs[0];
  const Tensor& b = *inputs[1];
  if (a.type == DType::kBool || b.type == DType::kBool) return NodeError(node, "does not take bool");
  if (node.op == "Pow" && a.type != b.type) return EvaluateMixedPow(node, inputs);
  BNN_RETURN_IF_ERROR(ExpectSameType(node, a, b));
  const BinaryOperator* binary = FindOperator(kBinaryOperators, node.op);
  if (binary == nullptr) return NodeUnsupported(node, "unknown operator");
  BNN_ASSIGN_OR_RETURN(Dims out, BroadcastInputs(node, inputs));
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, a.type, out));
  const Dims strides[] = {BroadcastStrides(a.dims, out), BroadcastStrides(b.dims, out)};
  if (a.type == DType::kFloat32) {
    ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
      y.floats[i] = binary->of_float(a.floats[at[0]], b.floats[at[1]]);
    });
    return OutputTensors{std::move(y)};
  }
  if (node.op == "Div") {
    for (const int64_t divisor : b.integers) {
      if (divisor == 0) return NodeError(node, "divides integers by zero");
    }
  }
  ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
    y.integers[i] = binary->of_int(a.integers[at[0]], b.integers[at[1]]);
  });
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateCompare(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& a = *inputs[0];
  const Tensor& b = *inputs[1];
  BNN_RETURN_IF_ERROR(ExpectSameType(node, a, b));
  const CompareOperator* compare = FindOperator(kCompareOperators, node.op);
  if (compare == nullptr) return NodeUnsupported(node, "unknown operator");
  BNN_ASSIGN_OR_RETURN(Dims out, BroadcastInputs(node, inputs));
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kBool, out));
  const Dims strides[] = {BroadcastStrides(a.dims, out), BroadcastStrides(b.dims, out)};
  if (a.type == DType::kFloat32) {
    ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
      y.integers[i] = compare->of_float(a.floats[at[0]], b.floats[at[1]]) ? 1 : 0;
    });
  } else {
    ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
      y.integers[i] = compare->of_int(a.integers[at[0]], b.integers[at[1]]) ? 1 : 0;
    });
  }
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateLogic(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& a = *inputs[0];
  const Tensor& b = *inputs[1];
  if (a.type != DType::kBool || b.type != DType::kBool) return NodeError(node, "takes only bool");
  BNN_ASSIGN_OR_RETURN(Dims out, BroadcastInputs(node, inputs));
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kBool, out));
  const Dims strides[] = {BroadcastStrides(a.dims, out), BroadcastStrides(b.dims, out)};
  const bool is_and = node.op == "And";
  ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
    const int64_t x = a.integers[at[0]];
    const int64_t z = b.integers[at[1]];
    y.integers[i] = is_and ? x & z : x | z;
  });
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateWhere(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& condition = *inputs[0];
  const Tensor& a = *inputs[1];
  const Tensor& b = *inputs[2];
  if (condition.type != DType::kBool) return NodeError(node, "the condition must be bool");
  BNN_RETURN_IF_ERROR(ExpectSameType(node, a, b));
  BNN_ASSIGN_OR_RETURN(Dims out, BroadcastInputs(node, inputs));
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, a.type, out));
  const Dims strides[] = {BroadcastStrides(condition.dims, out), BroadcastStrides(a.dims, out),
                          BroadcastStrides(b.dims, out)};
  if (a.type == DType::kFloat32) {
    ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
      y.floats[i] = condition.integers[at[0]] != 0 ? a.floats[at[1]] : b.floats[at[2]];
    });
  } else {
    ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
      y.integers[i] = condition.integers[at[0]] != 0 ? a.integers[at[1]] : b.integers[at[2]];
    });
  }
  return OutputTensors{std::move(y)};
}

// The slope broadcasts to x, never the reverse.
Result<OutputTensors> EvaluatePRelu(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  const Tensor& slope = *inputs[1];
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  BNN_ASSIGN_OR_RETURN(Dims out, BroadcastInputs(node, inputs));
  if (out != x.dims) {
    return NodeError(node,
                     "slope of dims " + DimsToString(slope.dims) + " is larger than the input " + DimsToString(x.dims));
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kFloat32, out));
  const Dims strides[] = {BroadcastStrides(x.dims, out), BroadcastStrides(slope.dims, out)};
  ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
    const float value = x.floats[at[0]];
    y.floats[i] = value < 0 ? value * slope.floats[at[1]] : value;
  });
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
