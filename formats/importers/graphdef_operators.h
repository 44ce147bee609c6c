// The operators of GraphDef files: what each becomes in a source graph. One file a family, one table.
#pragma once

#include <span>
#include <string>

#include "bnn/status.h"
#include "formats/importers/graphdef_node.h"

namespace bnn::formats {

class GraphdefGraph;

using GraphdefImportFunction = Status (*)(const GraphdefNode& node, GraphdefGraph* graph);

struct GraphdefOperatorEntry {
  const char* op;
  GraphdefImportFunction import;
  const char* renamed = nullptr;  // the operator of the source graph, where the function serves several
};

// All of them.
std::span<const GraphdefOperatorEntry> GraphdefOperators();
// nullptr where the operator is not supported.
const GraphdefOperatorEntry* FindGraphdefOperator(const std::string& op);
// The entry of a node whose operator is in the table.
const GraphdefOperatorEntry& EntryOf(const GraphdefNode& node);

// graphdef_layers.cc: layers with weights, and pooling
Status ImportGraphdefConv(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefDepthwiseConv(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefMatMul(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefBiasAdd(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefBatchNorm(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefPool(const GraphdefNode& node, GraphdefGraph* graph);
// graphdef_arithmetic.cc: elementwise operators and those that reduce
Status ImportGraphdefUnary(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefBinary(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefAddN(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefSquare(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefRsqrt(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefRelu6(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefLeakyRelu(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefSoftmax(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefSelect(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefReduce(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefCast(const GraphdefNode& node, GraphdefGraph* graph);
// graphdef_move.cc: operators that move elements
Status ImportGraphdefConcat(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefSplit(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefSlice(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefStridedSlice(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefPad(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefTranspose(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefGather(const GraphdefNode& node, GraphdefGraph* graph);
// graphdef_shape.cc: operators that change or make shapes, and constants
Status ImportGraphdefConst(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefReshape(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefSqueeze(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefExpandDims(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefShape(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefRank(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefRange(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefPack(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefUnpack(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefFill(const GraphdefNode& node, GraphdefGraph* graph);
// graphdef_maps.cc: operators that exchange space and depth or enlarge maps
Status ImportGraphdefBlocks(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefImagePatches(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportGraphdefResize(const GraphdefNode& node, GraphdefGraph* graph);
// graphdef_quantize.cc: quantizers of TensorFlow and Blueoil
Status ImportGraphdefFakeQuant(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportBlueoilMeanScaling(const GraphdefNode& node, GraphdefGraph* graph);
Status ImportBlueoilMidTreadHalf(const GraphdefNode& node, GraphdefGraph* graph);

}  // namespace bnn::formats
