// The operators of .tflite files: what each becomes in a source graph. One file a family, one table.
#pragma once

#include <cstdint>
#include <string>

#include "bnn/status.h"
#include "formats/importers/tflite_graph.h"
#include "formats/importers/tflite_model.h"

namespace bnn::formats {

using TfliteImportFunction = Status (*)(const TfliteOperator& op, TfliteGraph* graph);

struct TfliteOperatorEntry {
  const char* name;  // of BuiltinOperator, or the custom code
  int32_t code;      // kTfliteCustom for custom operators
  TfliteImportFunction import;
  const char* renamed = nullptr;  // the operator of the source graph, where the function serves several
};

// nullptr where the operator is not supported.
const TfliteOperatorEntry* FindTfliteOperator(int32_t code, const std::string& custom_name);
// The entry of an operator that is in the table.
const TfliteOperatorEntry& EntryOf(const TfliteOperator& op);

// tflite_window.cc: layers with weights, and pooling
Status ImportTfliteConv(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteDepthwiseConv(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteFullyConnected(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTflitePool(const TfliteOperator& op, TfliteGraph* graph);
// tflite_arithmetic.cc: elementwise operators and those that reduce
Status ImportTfliteBinary(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteUnary(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteActivation(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteLeakyRelu(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTflitePRelu(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteSoftmax(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteReduce(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteCast(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteQuantize(const TfliteOperator& op, TfliteGraph* graph);
// tflite_move.cc: operators that move elements
Status ImportTfliteConcat(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteSplit(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteSlice(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteStridedSlice(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTflitePad(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteTranspose(const TfliteOperator& op, TfliteGraph* graph);
// tflite_shape.cc: operators that change or make shapes
Status ImportTfliteReshape(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteSqueeze(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteExpandDims(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteShape(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTflitePack(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteGather(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteBlocks(const TfliteOperator& op, TfliteGraph* graph);
// tflite_resize.cc: operators that enlarge maps
Status ImportTfliteResize(const TfliteOperator& op, TfliteGraph* graph);
Status ImportTfliteTransposeConv(const TfliteOperator& op, TfliteGraph* graph);
// tflite_lce.cc: the operators of Larq Compute Engine
Status ImportLceQuantize(const TfliteOperator& op, TfliteGraph* graph);
Status ImportLceDequantize(const TfliteOperator& op, TfliteGraph* graph);
Status ImportLceBconv2d(const TfliteOperator& op, TfliteGraph* graph);
Status ImportLceBMaxPool2d(const TfliteOperator& op, TfliteGraph* graph);

}  // namespace bnn::formats
