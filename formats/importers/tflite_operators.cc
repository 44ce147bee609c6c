// The operators that are imported, by name. Custom operators have the code 32.
#include "formats/importers/tflite_operators.h"

namespace bnn::formats {
namespace {

constexpr TfliteOperatorEntry kOperators[] = {
    {"ABS", 101, ImportTfliteUnary, "Abs"},
    {"ADD", 0, ImportTfliteBinary, "Add"},
    {"AVERAGE_POOL_2D", 1, ImportTflitePool, "AveragePool"},
    {"CAST", 53, ImportTfliteCast},
    {"CEIL", 104, ImportTfliteUnary, "Ceil"},
    {"CONCATENATION", 2, ImportTfliteConcat},
    {"CONV_2D", 3, ImportTfliteConv},
    {"DEPTHWISE_CONV_2D", 4, ImportTfliteDepthwiseConv},
    {"DEQUANTIZE", 6, ImportTfliteQuantize},
    {"DEPTH_TO_SPACE", 5, ImportTfliteBlocks},
    {"DIV", 42, ImportTfliteBinary, "Div"},
    {"ELU", 111, ImportTfliteUnary, "Elu"},
    {"EXP", 47, ImportTfliteUnary, "Exp"},
    {"EXPAND_DIMS", 70, ImportTfliteExpandDims},
    {"FLOOR", 8, ImportTfliteUnary, "Floor"},
    {"FULLY_CONNECTED", 9, ImportTfliteFullyConnected},
    {"GATHER", 36, ImportTfliteGather},
    {"HARD_SWISH", 117, ImportTfliteUnary, "HardSwish"},
    {"LEAKY_RELU", 98, ImportTfliteLeakyRelu},
    {"LOGISTIC", 14, ImportTfliteUnary, "Sigmoid"},
    {"LOG_SOFTMAX", 50, ImportTfliteSoftmax, "LogSoftmax"},
    {"MAXIMUM", 55, ImportTfliteBinary, "Max"},
    {"MAX_POOL_2D", 17, ImportTflitePool, "MaxPool"},
    {"MEAN", 40, ImportTfliteReduce, "ReduceMean"},
    {"MINIMUM", 57, ImportTfliteBinary, "Min"},
    {"MIRROR_PAD", 100, ImportTflitePad},
    {"MUL", 18, ImportTfliteBinary, "Mul"},
    {"NEG", 59, ImportTfliteUnary, "Neg"},
    {"PACK", 83, ImportTflitePack},
    {"PAD", 34, ImportTflitePad},
    {"PADV2", 60, ImportTflitePad},
    {"PRELU", 54, ImportTflitePRelu},
    {"QUANTIZE", 114, ImportTfliteQuantize},
    {"REDUCE_MAX", 82, ImportTfliteReduce, "ReduceMax"},
    {"REDUCE_MIN", 89, ImportTfliteReduce, "ReduceMin"},
    {"REDUCE_PROD", 81, ImportTfliteReduce, "ReduceProd"},
    {"RELU", 19, ImportTfliteActivation},
    {"RELU6", 21, ImportTfliteActivation},
    {"RELU_0_TO_1", 152, ImportTfliteActivation},
    {"RELU_N1_TO_1", 20, ImportTfliteActivation},
    {"RESIZE_BILINEAR", 23, ImportTfliteResize},
    {"RESIZE_NEAREST_NEIGHBOR", 97, ImportTfliteResize},
    {"RESHAPE", 22, ImportTfliteReshape},
    {"ROUND", 116, ImportTfliteUnary, "Round"},
    {"SHAPE", 77, ImportTfliteShape},
    {"SLICE", 65, ImportTfliteSlice},
    {"SOFTMAX", 25, ImportTfliteSoftmax, "Softmax"},
    {"SPACE_TO_DEPTH", 26, ImportTfliteBlocks},
    {"SPLIT", 49, ImportTfliteSplit},
    {"SPLIT_V", 102, ImportTfliteSplit},
    {"SQRT", 75, ImportTfliteUnary, "Sqrt"},
    {"SQUEEZE", 43, ImportTfliteSqueeze},
    {"STRIDED_SLICE", 45, ImportTfliteStridedSlice},
    {"SUB", 41, ImportTfliteBinary, "Sub"},
    {"SUM", 74, ImportTfliteReduce, "ReduceSum"},
    {"TANH", 28, ImportTfliteUnary, "Tanh"},
    {"TRANSPOSE", 39, ImportTfliteTranspose},
    {"TRANSPOSE_CONV", 67, ImportTfliteTransposeConv},
    {"LceBMaxPool2d", kTfliteCustom, ImportLceBMaxPool2d},
    {"LceBconv2d", kTfliteCustom, ImportLceBconv2d},
    {"LceDequantize", kTfliteCustom, ImportLceDequantize},
    {"LceQuantize", kTfliteCustom, ImportLceQuantize},
};

}  // namespace

const TfliteOperatorEntry* FindTfliteOperator(int32_t code, const std::string& custom_name) {
  for (const TfliteOperatorEntry& entry : kOperators) {
    if (entry.code == code && (code != kTfliteCustom || custom_name == entry.name)) return &entry;
  }
  return nullptr;
}

const TfliteOperatorEntry& EntryOf(const TfliteOperator& op) { return *FindTfliteOperator(op.code, op.custom_name); }

}  // namespace bnn::formats
