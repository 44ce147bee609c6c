// What the interpreter knows of one operator, and what its evaluators share. One table (evaluator_table.cc) lists them
// all; one file a family holds the functions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// Largest number of elements that one evaluated tensor may have: 1 GiB of floats. What a hostile file can make us
// allocate with a few bytes (Expand, Pad, ConstantOfShape) ends here.
inline constexpr int64_t kMaxEvaluatedElements = int64_t{1} << 28;

using InputTensors = std::vector<const Tensor*>;  // nullptr where an optional input is absent
using OutputTensors = std::vector<Tensor>;
using EvaluateFunction = Result<OutputTensors> (*)(const SourceNode& node, const InputTensors& inputs);

struct Evaluator {
  const char* op;
  // The number of inputs lies in [required_inputs, max_inputs]; the first required_inputs must be present.
  int required_inputs;
  int max_inputs;
  int max_outputs;
  EvaluateFunction evaluate;
};

inline constexpr int kAnyNumber = 1 << 20;

std::span<const Evaluator> Evaluators();
const Evaluator* FindEvaluator(const std::string& op);

// kInvalidModel "node 'conv1' (Conv): <problem>"; the caller that knows the file puts it in front.
Status NodeError(const SourceNode& node, const std::string& problem);
Status NodeUnsupported(const SourceNode& node, const std::string& problem);

// The same for a tensor whose dims come from the file: overflow and kMaxEvaluatedElements are checked.
Result<Tensor> AllocateOutput(const SourceNode& node, DType type, Dims dims);

// axis in [-rank, rank) -> [0, rank).
Result<int64_t> ResolveAxis(const SourceNode& node, int64_t axis, int64_t rank);

// The integers of input `index` (which must be kInt64 and present).
Result<std::vector<int64_t>> IntegerInput(const SourceNode& node, const InputTensors& inputs, size_t index);

Status ExpectFloat(const SourceNode& node, const InputTensors& inputs);

// Row-major strides, in elements.
Dims RowMajorStrides(const Dims& dims);

// eval_elementwise.cc
Result<OutputTensors> EvaluateUnary(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateCast(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateClip(const SourceNode& node, const InputTensors& inputs);
// eval_binary.cc
Result<OutputTensors> EvaluateBinary(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateCompare(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateLogic(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateWhere(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluatePRelu(const SourceNode& node, const InputTensors& inputs);
// eval_quant.cc
Result<OutputTensors> EvaluateBipolarQuant(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateFakeQuantize(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateQuantizeLinear(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateDequantizeLinear(const SourceNode& node, const InputTensors& inputs);
// eval_conv.cc
Result<OutputTensors> EvaluateConv(const SourceNode& node, const InputTensors& inputs);
// eval_conv_transpose.cc
Result<OutputTensors> EvaluateConvTranspose(const SourceNode& node, const InputTensors& inputs);
// eval_resize.cc
Result<OutputTensors> EvaluateResize(const SourceNode& node, const InputTensors& inputs);
// eval_matmul.cc
Result<OutputTensors> EvaluateGemm(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateMatMul(const SourceNode& node, const InputTensors& inputs);
// eval_pool.cc
Result<OutputTensors> EvaluatePool(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateGlobalPool(const SourceNode& node, const InputTensors& inputs);
// eval_normalize.cc
Result<OutputTensors> EvaluateBatchNormalization(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateSoftmax(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateLrn(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateNormalizeL2(const SourceNode& node, const InputTensors& inputs);
// eval_reduce.cc
// The axes of input 1, or all: which axes are reduced.
Result<std::vector<bool>> ReducedAxes(const SourceNode& node, const InputTensors& inputs, size_t rank);
Result<OutputTensors> EvaluateReduce(const SourceNode& node, const InputTensors& inputs);
// eval_prior_box.cc
Result<OutputTensors> EvaluatePriorBox(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluatePriorBoxClustered(const SourceNode& node, const InputTensors& inputs);
// eval_detection_output.cc
Result<OutputTensors> EvaluateDetectionOutput(const SourceNode& node, const InputTensors& inputs);
// eval_move.cc: operators that only move elements
Result<OutputTensors> EvaluateConcat(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateSplit(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateSlice(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluatePad(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateTranspose(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateGather(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateExpand(const SourceNode& node, const InputTensors& inputs);
// eval_shape.cc: operators that change or make shapes
Result<OutputTensors> EvaluateIdentity(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateReshape(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateFlatten(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateSqueeze(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateUnsqueeze(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateShape(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateConstantOfShape(const SourceNode& node, const InputTensors& inputs);
Result<OutputTensors> EvaluateRange(const SourceNode& node, const InputTensors& inputs);

}  // namespace bnn::formats
