// BinarizeWeights: OpenVINO's pass of that name, with its published behaviour (REFERENCE.md).
//
// A Convolution whose two inputs are FakeQuantize with two levels is written with the levels that its bits stand for,
// and what those levels were multiplied with stands behind it:
//
//   FakeQuantize -> {0, s} --+                            FakeQuantize -> {0, 1} --+
//                            Convolution          =>                               Convolution -> Multiply -> Multiply
//   W -> FakeQuantize -> +-r[c] --+                       constant of -1 and +1 --+                  s           r[c]
//
// The sum of the convolution is then an integer, and its factors are rounded one after the other, as OpenVINO does. In
// particular a sum of 0 stays exactly 0, which a product of rounded levels does not promise.
//
// The pass takes what OpenVINO's takes. The two-valued analysis (few_valued.h), which runs afterwards, makes binary
// layers of much that it declines.
#pragma once

#include <map>
#include <string>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct BinarizeWeightsOutcome {
  bool done = false;
  std::string text;  // where done, the factors; else the condition that is not met
};

// By the name of the node: every Conv, MatMul and Gemm one of whose inputs is a FakeQuantize with two levels.
using BinarizeWeightsOutcomes = std::map<std::string, BinarizeWeightsOutcome>;

// `graph` is folded with FoldQuantizers::kLeave. FakeQuantize nodes of weights that nobody reads any more stay.
Result<BinarizeWeightsOutcomes> BinarizeWeights(SourceGraph* graph);

}  // namespace bnn::formats
