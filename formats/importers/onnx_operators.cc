// The operators that are imported. Operators of the interpreter that this table lacks cannot come from ONNX files.
#include "formats/importers/onnx_normalize.h"

namespace bnn::formats {
namespace {

constexpr OnnxOperator kOnnxOperators[] = {
    {"Abs", KeepNode},
    {"Add", KeepNode},
    {"And", KeepNode},
    {"AveragePool", NormalizeWindow},
    {"BatchNormalization", NormalizeBatchNormalization},
    {"Cast", NormalizeCast},
    {"Ceil", KeepNode},
    {"Clip", NormalizeClip},
    {"Concat", NormalizeAxis},
    {"Constant", NormalizeConstant},
    {"ConstantOfShape", KeepNode},
    {"Conv", NormalizeWindow},
    {"ConvTranspose", NormalizeConvTranspose},
    {"DepthToSpace", NormalizeDepthToSpace},
    {"DequantizeLinear", NormalizeDequantizeLinear},
    {"Div", KeepNode},
    {"Dropout", NormalizeDropout},
    {"Elu", KeepNode},
    {"Equal", KeepNode},
    {"Erf", KeepNode},
    {"Exp", KeepNode},
    {"Expand", KeepNode},
    {"Flatten", NormalizeAxis},
    {"Floor", KeepNode},
    {"Gather", NormalizeAxis},
    {"Gelu", KeepNode},
    {"Gemm", KeepNode},
    {"GlobalAveragePool", KeepNode},
    {"GlobalMaxPool", KeepNode},
    {"Greater", KeepNode},
    {"GreaterOrEqual", KeepNode},
    {"HardSigmoid", KeepNode},
    {"HardSwish", KeepNode},
    {"Identity", KeepNode},
    {"LRN", KeepNode},
    {"LeakyRelu", KeepNode},
    {"Less", KeepNode},
    {"LessOrEqual", KeepNode},
    {"Log", KeepNode},
    {"LogSoftmax", NormalizeSoftmax},
    {"LpNormalization", NormalizeLpNormalization},
    {"MatMul", KeepNode},
    {"Max", NormalizeVariadic},
    {"MaxPool", NormalizeWindow},
    {"Mean", NormalizeVariadic},
    {"Min", NormalizeVariadic},
    {"Mish", KeepNode},
    {"Mul", KeepNode},
    {"Neg", KeepNode},
    {"Not", KeepNode},
    {"Or", KeepNode},
    {"PRelu", KeepNode},
    {"Pad", NormalizePad},
    {"Pow", KeepNode},
    {"QLinearConv", NormalizeQLinear},
    {"QLinearMatMul", NormalizeQLinear},
    {"QuantizeLinear", NormalizeQuantizeLinear},
    {"Range", KeepNode},
    {"Reciprocal", KeepNode},
    {"ReduceMax", NormalizeReduce},
    {"ReduceMean", NormalizeReduce},
    {"ReduceMin", NormalizeReduce},
    {"ReduceProd", NormalizeReduce},
    {"ReduceSum", NormalizeReduce},
    {"Relu", KeepNode},
    {"Reshape", KeepNode},
    {"Resize", NormalizeResize},
    {"Round", KeepNode},
    {"Shape", KeepNode},
    {"Sigmoid", KeepNode},
    {"Sign", KeepNode},
    {"Slice", NormalizeSlice},
    {"Softmax", NormalizeSoftmax},
    {"Softplus", KeepNode},
    {"SpaceToDepth", NormalizeSpaceToDepth},
    {"Split", NormalizeSplit},
    {"Sqrt", KeepNode},
    {"Squeeze", NormalizeAxesInput},
    {"Sub", KeepNode},
    {"Sum", NormalizeVariadic},
    {"Tanh", KeepNode},
    {"Transpose", NormalizeTranspose},
    {"Unsqueeze", NormalizeAxesInput},
    {"Upsample", NormalizeUpsample},
    {"Where", KeepNode},
};

constexpr OnnxOperator kBipolarQuant = {"BipolarQuant", KeepNode};
constexpr OnnxOperator kQuant = {"Quant", NormalizeQuant};
constexpr OnnxOperator kIntQuant = {"IntQuant", NormalizeQuant};
constexpr OnnxOperator kFakeQuantize = {"FakeQuantize", NormalizeFakeQuantize};

constexpr struct {
  const char* domain;
  const OnnxOperator* op;
} kQuantizers[] = {
    {"qonnx.custom_op.general", &kBipolarQuant}, {"onnx.brevitas", &kBipolarQuant},
    {"finn.custom_op.general", &kBipolarQuant},  {"qonnx.custom_op.general", &kQuant},
    {"qonnx.custom_op.general", &kIntQuant},     {"onnx.brevitas", &kQuant},
    {"finn.custom_op.general", &kQuant},         {"org.openvinotoolkit", &kFakeQuantize},
};

}  // namespace

const OnnxOperator* FindOnnxOperator(const std::string& domain, const std::string& op) {
  if (domain.empty() || domain == "ai.onnx") {
    for (const OnnxOperator& known : kOnnxOperators) {
      if (op == known.op) return &known;
    }
    return nullptr;
  }
  for (const auto& quantizer : kQuantizers) {
    if (domain == quantizer.domain && op == quantizer.op->op) return quantizer.op;
  }
  return nullptr;
}

}  // namespace bnn::formats
