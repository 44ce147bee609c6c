// The operators that are imported. `newest_opset` is the newest one whose definition the function follows: a layer of a
// newer one is refused, since its attributes may mean something else.
#include "formats/importers/openvino_operators.h"

#include "formats/importers/openvino_text.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

constexpr OpenvinoOperator kOpenvinoOperators[] = {
    {"Abs", 1, 1, 1, ImportRenamed, "Abs"},
    {"Add", 1, 2, 2, ImportArithmetic, "Add"},
    {"AvgPool", 16, 1, 1, ImportPool, "AveragePool"},
    {"BatchNormInference", 5, 5, 5, ImportBatchNorm},
    {"BinaryConvolution", 1, 2, 2, ImportBinaryConvolution},
    {"Broadcast", 3, 2, 3, ImportBroadcast},
    {"Ceiling", 1, 1, 1, ImportRenamed, "Ceil"},
    {"Clamp", 1, 1, 1, ImportClamp},
    {"Concat", 1, 1, kAnyNumber, ImportConcat},
    {"Convert", 1, 1, 1, ImportConvert},
    {"ConvertLike", 1, 2, 2, ImportConvertLike},
    {"Convolution", 1, 2, 2, ImportConvolution},
    {"ConvolutionBackpropData", 1, 2, 3, ImportConvolutionBackprop},
    {"DepthToSpace", 1, 1, 1, ImportDepthToSpace},
    {"DetectionOutput", 8, 3, 5, ImportDetectionOutput},
    {"Divide", 1, 2, 2, ImportDivide},
    {"Elu", 1, 1, 1, ImportElu},
    {"Equal", 1, 2, 2, ImportArithmetic, "Equal"},
    {"Erf", 1, 1, 1, ImportRenamed, "Erf"},
    {"Exp", 1, 1, 1, ImportRenamed, "Exp"},
    {"FakeQuantize", 1, 5, 5, ImportFakeQuantize},
    {"Floor", 1, 1, 1, ImportRenamed, "Floor"},
    {"Gather", 8, 3, 3, ImportGather},
    {"Gelu", 7, 1, 1, ImportGelu},
    {"Greater", 1, 2, 2, ImportArithmetic, "Greater"},
    {"GreaterEqual", 1, 2, 2, ImportArithmetic, "GreaterOrEqual"},
    {"GroupConvolution", 1, 2, 2, ImportGroupConvolution},
    {"GroupConvolutionBackpropData", 1, 2, 3, ImportGroupConvolutionBackprop},
    {"HSigmoid", 5, 1, 1, ImportHSigmoid},
    {"HSwish", 4, 1, 1, ImportRenamed, "HardSwish"},
    {"HardSigmoid", 1, 3, 3, ImportHardSigmoid},
    {"Identity", 16, 1, 1, ImportRenamed, "Identity"},
    {"Interpolate", 11, 2, 4, ImportInterpolate},
    {"LRN", 1, 2, 2, ImportLrn},
    {"Less", 1, 2, 2, ImportArithmetic, "Less"},
    {"LessEqual", 1, 2, 2, ImportArithmetic, "LessOrEqual"},
    {"Log", 1, 1, 1, ImportRenamed, "Log"},
    {"LogSoftmax", 5, 1, 1, ImportSoftmax, "LogSoftmax"},
    {"LogicalAnd", 1, 2, 2, ImportArithmetic, "And"},
    {"LogicalNot", 1, 1, 1, ImportRenamed, "Not"},
    {"LogicalOr", 1, 2, 2, ImportArithmetic, "Or"},
    {"LogicalXor", 2, 2, 2, ImportNegated, "Equal"},
    {"MatMul", 1, 2, 2, ImportMatMul},
    {"MaxPool", 14, 1, 1, ImportPool, "MaxPool"},
    {"Maximum", 1, 2, 2, ImportArithmetic, "Max"},
    {"Minimum", 1, 2, 2, ImportArithmetic, "Min"},
    {"Mish", 4, 1, 1, ImportRenamed, "Mish"},
    {"Multiply", 1, 2, 2, ImportArithmetic, "Mul"},
    {"Negative", 1, 1, 1, ImportRenamed, "Neg"},
    {"NormalizeL2", 1, 2, 2, ImportNormalizeL2},
    {"NotEqual", 1, 2, 2, ImportNegated, "Equal"},
    {"PRelu", 1, 2, 2, ImportPRelu},
    {"Pad", 12, 3, 4, ImportPad},
    {"Power", 1, 2, 2, ImportArithmetic, "Pow"},
    {"PriorBox", 8, 2, 2, ImportPriorBox},
    {"PriorBoxClustered", 1, 2, 2, ImportPriorBoxClustered},
    {"Range", 4, 3, 3, ImportRange},
    {"ReduceL1", 4, 2, 2, ImportReduce, "ReduceL1"},
    {"ReduceL2", 4, 2, 2, ImportReduce, "ReduceL2"},
    {"ReduceMax", 1, 2, 2, ImportReduce, "ReduceMax"},
    {"ReduceMean", 1, 2, 2, ImportReduce, "ReduceMean"},
    {"ReduceMin", 1, 2, 2, ImportReduce, "ReduceMin"},
    {"ReduceProd", 1, 2, 2, ImportReduce, "ReduceProd"},
    {"ReduceSum", 1, 2, 2, ImportReduce, "ReduceSum"},
    {"Relu", 1, 1, 1, ImportRenamed, "Relu"},
    {"Reshape", 1, 2, 2, ImportReshape},
    {"Round", 5, 1, 1, ImportRound},
    {"Select", 1, 3, 3, ImportArithmetic, "Where"},
    {"ShapeOf", 3, 1, 1, ImportShapeOf},
    {"ShuffleChannels", 1, 1, 1, ImportShuffleChannels},
    {"Sigmoid", 1, 1, 1, ImportRenamed, "Sigmoid"},
    {"Sign", 1, 1, 1, ImportRenamed, "Sign"},
    {"Slice", 8, 4, 5, ImportSlice},
    {"SoftPlus", 4, 1, 1, ImportRenamed, "Softplus"},
    {"Softmax", 8, 1, 1, ImportSoftmax, "Softmax"},
    {"SpaceToDepth", 1, 1, 1, ImportSpaceToDepth},
    {"Split", 1, 2, 2, ImportSplit},
    {"Sqrt", 1, 1, 1, ImportRenamed, "Sqrt"},
    {"SquaredDifference", 1, 2, 2, ImportSquaredDifference},
    {"Squeeze", 15, 1, 2, ImportSqueeze},
    {"StridedSlice", 1, 3, 4, ImportStridedSlice},
    {"Subtract", 1, 2, 2, ImportArithmetic, "Sub"},
    {"Swish", 4, 1, 2, ImportSwish},
    {"Tanh", 1, 1, 1, ImportRenamed, "Tanh"},
    {"Tile", 1, 2, 2, ImportTile},
    {"Transpose", 1, 2, 2, ImportTranspose},
    {"Unsqueeze", 1, 2, 2, ImportUnsqueeze},
    {"VariadicSplit", 1, 3, 3, ImportVariadicSplit},
};

}  // namespace

std::span<const OpenvinoOperator> OpenvinoOperators() { return kOpenvinoOperators; }

const OpenvinoOperator* FindOpenvinoOperator(const std::string& type) {
  for (const OpenvinoOperator& known : kOpenvinoOperators) {
    if (EqualIgnoringCase(type, known.type)) return &known;
  }
  return nullptr;
}

}  // namespace bnn::formats
