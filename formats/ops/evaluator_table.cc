#include <string_view>

#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

constexpr Evaluator kEvaluators[] = {
    {"Abs", 1, 1, 1, EvaluateUnary},
    {"Add", 2, 2, 1, EvaluateBinary},
    {"And", 2, 2, 1, EvaluateLogic},
    {"AveragePool", 1, 1, 1, EvaluatePool},
    {"BatchNormalization", 5, 5, 1, EvaluateBatchNormalization},
    {"BipolarQuant", 2, 2, 1, EvaluateBipolarQuant},
    {"Cast", 1, 1, 1, EvaluateCast},
    {"Ceil", 1, 1, 1, EvaluateUnary},
    {"Clip", 1, 3, 1, EvaluateClip},
    {"Concat", 1, kAnyNumber, 1, EvaluateConcat},
    {"ConstantOfShape", 1, 1, 1, EvaluateConstantOfShape},
    {"Conv", 2, 3, 1, EvaluateConv},
    {"ConvTranspose", 2, 3, 1, EvaluateConvTranspose},
    {"DequantizeLinear", 2, 3, 1, EvaluateDequantizeLinear},
    {"DetectionOutput", 3, 3, 1, EvaluateDetectionOutput},
    {"Div", 2, 2, 1, EvaluateBinary},
    {"Elu", 1, 1, 1, EvaluateUnary},
    {"Equal", 2, 2, 1, EvaluateCompare},
    {"Erf", 1, 1, 1, EvaluateUnary},
    {"Exp", 1, 1, 1, EvaluateUnary},
    {"Expand", 2, 2, 1, EvaluateExpand},
    {"FakeQuantize", 5, 5, 1, EvaluateFakeQuantize},
    {"Flatten", 1, 1, 1, EvaluateFlatten},
    {"Floor", 1, 1, 1, EvaluateUnary},
    {"Gather", 2, 2, 1, EvaluateGather},
    {"Gelu", 1, 1, 1, EvaluateUnary},
    {"Gemm", 2, 3, 1, EvaluateGemm},
    {"GlobalAveragePool", 1, 1, 1, EvaluateGlobalPool},
    {"GlobalMaxPool", 1, 1, 1, EvaluateGlobalPool},
    {"Greater", 2, 2, 1, EvaluateCompare},
    {"GreaterOrEqual", 2, 2, 1, EvaluateCompare},
    {"HardSigmoid", 1, 1, 1, EvaluateUnary},
    {"HardSwish", 1, 1, 1, EvaluateUnary},
    {"Identity", 1, 1, 1, EvaluateIdentity},
    {"LRN", 1, 1, 1, EvaluateLrn},
    {"LeakyRelu", 1, 1, 1, EvaluateUnary},
    {"Less", 2, 2, 1, EvaluateCompare},
    {"LessOrEqual", 2, 2, 1, EvaluateCompare},
    {"Log", 1, 1, 1, EvaluateUnary},
    {"LogSoftmax", 1, 1, 1, EvaluateSoftmax},
    {"MatMul", 2, 2, 1, EvaluateMatMul},
    {"Max", 2, 2, 1, EvaluateBinary},
    {"MaxPool", 1, 1, 1, EvaluatePool},
    {"Min", 2, 2, 1, EvaluateBinary},
    {"Mish", 1, 1, 1, EvaluateUnary},
    {"Mul", 2, 2, 1, EvaluateBinary},
    {"Neg", 1, 1, 1, EvaluateUnary},
    {"NormalizeL2", 2, 2, 1, EvaluateNormalizeL2},
    {"Not", 1, 1, 1, EvaluateUnary},
    {"Or", 2, 2, 1, EvaluateLogic},
    {"PRelu", 2, 2, 1, EvaluatePRelu},
    {"Pad", 2, 3, 1, EvaluatePad},
    {"Pow", 2, 2, 1, EvaluateBinary},
    {"PriorBox", 2, 2, 1, EvaluatePriorBox},
    {"PriorBoxClustered", 2, 2, 1, EvaluatePriorBoxClustered},
    {"QuantizeLinear", 2, 3, 1, EvaluateQuantizeLinear},
    {"Range", 3, 3, 1, EvaluateRange},
    {"Reciprocal", 1, 1, 1, EvaluateUnary},
    {"ReduceMax", 1, 2, 1, EvaluateReduce},
    {"ReduceMean", 1, 2, 1, EvaluateReduce},
    {"ReduceMin", 1, 2, 1, EvaluateReduce},
    {"ReduceProd", 1, 2, 1, EvaluateReduce},
    {"ReduceSum", 1, 2, 1, EvaluateReduce},
    {"Relu", 1, 1, 1, EvaluateUnary},
    {"Reshape", 2, 2, 1, EvaluateReshape},
    {"Resize", 1, 4, 1, EvaluateResize},
    {"Round", 1, 1, 1, EvaluateUnary},
    {"Shape", 1, 1, 1, EvaluateShape},
    {"Sigmoid", 1, 1, 1, EvaluateUnary},
    {"Sign", 1, 1, 1, EvaluateUnary},
    {"Slice", 3, 5, 1, EvaluateSlice},
    {"Softplus", 1, 1, 1, EvaluateUnary},
    {"Softmax", 1, 1, 1, EvaluateSoftmax},
    {"Split", 2, 2, kAnyNumber, EvaluateSplit},
    {"Sqrt", 1, 1, 1, EvaluateUnary},
    {"Squeeze", 1, 2, 1, EvaluateSqueeze},
    {"Sub", 2, 2, 1, EvaluateBinary},
    {"Swish", 1, 1, 1, EvaluateUnary},
    {"Tanh", 1, 1, 1, EvaluateUnary},
    {"Transpose", 1, 1, 1, EvaluateTranspose},
    {"Unsqueeze", 2, 2, 1, EvaluateUnsqueeze},
    {"Where", 3, 3, 1, EvaluateWhere},
};

}  // namespace

std::span<const Evaluator> Evaluators() { return kEvaluators; }

const Evaluator* FindEvaluator(const std::string& op) {
  for (const Evaluator& evaluator : kEvaluators) {
    if (op == evaluator.op) return &evaluator;
  }
  return nullptr;
}

}  // namespace bnn::formats
