// The operators that are imported, by name.
#include "formats/importers/graphdef_operators.h"

namespace bnn::formats {
namespace {

// Identity comes under many names: what only training, checking or tracing needs does nothing here.
constexpr GraphdefOperatorEntry kOperators[] = {
    {"Abs", ImportGraphdefUnary, "Abs"},
    {"Add", ImportGraphdefBinary, "Add"},
    {"AddN", ImportGraphdefAddN},
    {"AddV2", ImportGraphdefBinary, "Add"},
    {"AvgPool", ImportGraphdefPool, "AveragePool"},
    {"BiasAdd", ImportGraphdefBiasAdd, "Add"},
    {"Cast", ImportGraphdefCast},
    {"Ceil", ImportGraphdefUnary, "Ceil"},
    {"CheckNumerics", ImportGraphdefUnary, "Identity"},
    {"ConcatV2", ImportGraphdefConcat},
    {"Const", ImportGraphdefConst},
    {"Conv2D", ImportGraphdefConv},
    {"DepthToSpace", ImportGraphdefBlocks},
    {"DepthwiseConv2dNative", ImportGraphdefDepthwiseConv},
    {"Div", ImportGraphdefBinary, "Div"},
    {"Elu", ImportGraphdefUnary, "Elu"},
    {"Equal", ImportGraphdefBinary, "Equal"},
    {"Exp", ImportGraphdefUnary, "Exp"},
    {"ExpandDims", ImportGraphdefExpandDims},
    {"ExtractImagePatches", ImportGraphdefImagePatches},
    {"FakeQuantWithMinMaxArgs", ImportGraphdefFakeQuant},
    {"FakeQuantWithMinMaxVars", ImportGraphdefFakeQuant},
    {"FakeQuantWithMinMaxVarsPerChannel", ImportGraphdefFakeQuant},
    {"Fill", ImportGraphdefFill},
    {"Floor", ImportGraphdefUnary, "Floor"},
    {"FusedBatchNorm", ImportGraphdefBatchNorm},
    {"FusedBatchNormV2", ImportGraphdefBatchNorm},
    {"FusedBatchNormV3", ImportGraphdefBatchNorm},
    {"Gather", ImportGraphdefGather},
    {"GatherV2", ImportGraphdefGather},
    {"Greater", ImportGraphdefBinary, "Greater"},
    {"GreaterEqual", ImportGraphdefBinary, "GreaterOrEqual"},
    {"Identity", ImportGraphdefUnary, "Identity"},
    {"Inv", ImportGraphdefUnary, "Reciprocal"},
    {"LeakyRelu", ImportGraphdefLeakyRelu},
    {"Less", ImportGraphdefBinary, "Less"},
    {"LessEqual", ImportGraphdefBinary, "LessOrEqual"},
    {"Log", ImportGraphdefUnary, "Log"},
    {"LogSoftmax", ImportGraphdefSoftmax, "LogSoftmax"},
    {"LogicalAnd", ImportGraphdefBinary, "And"},
    {"LogicalNot", ImportGraphdefUnary, "Not"},
    {"LogicalOr", ImportGraphdefBinary, "Or"},
    {"MatMul", ImportGraphdefMatMul},
    {"Max", ImportGraphdefReduce, "ReduceMax"},
    {"MaxPool", ImportGraphdefPool, "MaxPool"},
    {"Maximum", ImportGraphdefBinary, "Max"},
    {"Mean", ImportGraphdefReduce, "ReduceMean"},
    {"Min", ImportGraphdefReduce, "ReduceMin"},
    {"Minimum", ImportGraphdefBinary, "Min"},
    {"MirrorPad", ImportGraphdefPad},
    {"Mul", ImportGraphdefBinary, "Mul"},
    {"Neg", ImportGraphdefUnary, "Neg"},
    {"Pack", ImportGraphdefPack},
    {"Pad", ImportGraphdefPad},
    {"PadV2", ImportGraphdefPad},
    {"PlaceholderWithDefault", ImportGraphdefUnary, "Identity"},
    {"Pow", ImportGraphdefBinary, "Pow"},
    {"PreventGradient", ImportGraphdefUnary, "Identity"},
    {"Prod", ImportGraphdefReduce, "ReduceProd"},
    {"Range", ImportGraphdefRange},
    {"Rank", ImportGraphdefRank},
    {"RealDiv", ImportGraphdefBinary, "Div"},
    {"Reciprocal", ImportGraphdefUnary, "Reciprocal"},
    {"Relu", ImportGraphdefUnary, "Relu"},
    {"Relu6", ImportGraphdefRelu6},
    {"Reshape", ImportGraphdefReshape},
    {"ResizeBilinear", ImportGraphdefResize},
    {"ResizeNearestNeighbor", ImportGraphdefResize},
    {"Rint", ImportGraphdefUnary, "Round"},
    {"Round", ImportGraphdefUnary, "Round"},
    {"Rsqrt", ImportGraphdefRsqrt},
    {"Select", ImportGraphdefSelect},
    {"SelectV2", ImportGraphdefSelect},
    {"Shape", ImportGraphdefShape},
    {"Sigmoid", ImportGraphdefUnary, "Sigmoid"},
    {"Sign", ImportGraphdefUnary, "Sign"},
    {"Slice", ImportGraphdefSlice},
    {"Snapshot", ImportGraphdefUnary, "Identity"},
    {"Softmax", ImportGraphdefSoftmax, "Softmax"},
    {"Softplus", ImportGraphdefUnary, "Softplus"},
    {"SpaceToDepth", ImportGraphdefBlocks},
    {"Split", ImportGraphdefSplit},
    {"SplitV", ImportGraphdefSplit},
    {"Sqrt", ImportGraphdefUnary, "Sqrt"},
    {"Square", ImportGraphdefSquare},
    {"SquaredDifference", ImportGraphdefSquare},
    {"Squeeze", ImportGraphdefSqueeze},
    {"StopGradient", ImportGraphdefUnary, "Identity"},
    {"StridedSlice", ImportGraphdefStridedSlice},
    {"Sub", ImportGraphdefBinary, "Sub"},
    {"Sum", ImportGraphdefReduce, "ReduceSum"},
    {"Tanh", ImportGraphdefUnary, "Tanh"},
    {"Transpose", ImportGraphdefTranspose},
    {"Unpack", ImportGraphdefUnpack},
    // Blueoil's functions under their older and newer names, where a file calls them without defining them.
    {"BinaryChannelWiseMeanScalingQuantizer", ImportBlueoilMeanScaling, "channels"},
    {"BinaryMeanScalingQuantizer", ImportBlueoilMeanScaling, "tensor"},
    {"LinearMidTreadHalfQuantizer", ImportBlueoilMidTreadHalf},
    {"QTZ_binary_channel_wise_mean_scaling", ImportBlueoilMeanScaling, "channels"},
    {"QTZ_binary_mean_scaling", ImportBlueoilMeanScaling, "tensor"},
    {"QTZ_linear_mid_tread_half", ImportBlueoilMidTreadHalf},
};

}  // namespace

std::span<const GraphdefOperatorEntry> GraphdefOperators() { return kOperators; }

const GraphdefOperatorEntry* FindGraphdefOperator(const std::string& op) {
  for (const GraphdefOperatorEntry& entry : kOperators) {
    if (op == entry.op) return &entry;
  }
  return nullptr;
}

const GraphdefOperatorEntry& EntryOf(const GraphdefNode& node) { return *FindGraphdefOperator(node.op()); }

}  // namespace bnn::formats
