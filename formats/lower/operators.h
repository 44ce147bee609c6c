// The operators that a lowering knows, by source name. One file a family; the table is in lower.cc.
#pragma once

#include "bnn/status.h"
#include "formats/lower/lowering.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// Appends what `node` becomes and registers the floats of its outputs. kUnsupported with the node's name where there is
// no exact counterpart.
using LowerFunction = Status (*)(Lowering& lowering, const SourceNode& node);

// elementwise.cc
Status LowerUnary(Lowering& lowering, const SourceNode& node);  // Sigmoid, Floor, ...
Status LowerReciprocal(Lowering& lowering, const SourceNode& node);
Status LowerClamp(Lowering& lowering, const SourceNode& node);     // Relu, Clip
Status LowerPRelu(Lowering& lowering, const SourceNode& node);     // PRelu, LeakyRelu
Status LowerSign(Lowering& lowering, const SourceNode& node);      // with three values
Status LowerIdentity(Lowering& lowering, const SourceNode& node);  // Identity, Dropout, Cast to float
// arithmetic.cc
Status LowerBinary(Lowering& lowering, const SourceNode& node);  // Add, Sub, Mul, Div, Max, Min
Status LowerPow(Lowering& lowering, const SourceNode& node);
Status LowerNeg(Lowering& lowering, const SourceNode& node);
Status LowerBatchNormalization(Lowering& lowering, const SourceNode& node);
// pool.cc
Status LowerPool(Lowering& lowering, const SourceNode& node);        // MaxPool, AveragePool
Status LowerGlobalPool(Lowering& lowering, const SourceNode& node);  // GlobalAveragePool, GlobalMaxPool
// move.cc
Status LowerReshape(Lowering& lowering, const SourceNode& node);  // Reshape, Flatten, Squeeze, Unsqueeze
Status LowerTranspose(Lowering& lowering, const SourceNode& node);
Status LowerConcat(Lowering& lowering, const SourceNode& node);
Status LowerSlice(Lowering& lowering, const SourceNode& node);
Status LowerSplit(Lowering& lowering, const SourceNode& node);
Status LowerPad(Lowering& lowering, const SourceNode& node);
Status LowerSoftmax(Lowering& lowering, const SourceNode& node);  // Softmax, LogSoftmax

// normalize.cc
Status LowerReduce(Lowering& lowering, const SourceNode& node);  // ReduceMean, ReduceMax, ...
Status LowerLrn(Lowering& lowering, const SourceNode& node);
Status LowerNormalizeL2(Lowering& lowering, const SourceNode& node);
// conv_transpose.cc, resize.cc
Status LowerConvTranspose(Lowering& lowering, const SourceNode& node);
Status LowerResize(Lowering& lowering, const SourceNode& node);

// detection_output.cc
Status LowerDetectionOutput(Lowering& lowering, const SourceNode& node);

// quantize.cc
Status LowerQuantizeLinear(Lowering& lowering, const SourceNode& node);
Status LowerDequantizeLinear(Lowering& lowering, const SourceNode& node);
Status LowerFakeQuantize(Lowering& lowering, const SourceNode& node);

// few_valued_ops.cc: nodes whose outputs are few-valued.
// As bits where there is a way, else as floats.
Status LowerFewValued(Lowering& lowering, const SourceNode& node);
// As bits where there is a way; false where there is none.
Result<bool> LowerAsBits(Lowering& lowering, const SourceNode& node);

// The window of a MaxPool, AveragePool or GlobalMaxPool, with ceil_mode written as padding.
Result<Window2d> PoolWindow(const Lowering& lowering, const SourceNode& node);

// The function for an operator; nullptr where there is none.
LowerFunction FindLowerFunction(const std::string& op);

}  // namespace bnn::formats
