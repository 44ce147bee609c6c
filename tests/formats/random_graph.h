// Random networks for property tests: what a source graph means must be what its model computes, exactly.
//
// All numbers are small dyadic fractions, chosen so that every intermediate value is a multiple of some 2^-k below 2^22
// times that: no float operation rounds, whatever the order of the sums. So results can be compared for equality.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "formats/source_graph.h"

namespace bnn::formats {

struct RandomGraph {
  SourceGraph graph;
  std::map<std::string, Tensor> inputs;  // one sample for each input of the graph
};

// The same graph and inputs for the same seed, on every platform. Mixes spellings of binarization, polarities, strict
// and inclusive thresholds per tensor and per channel, paddings of every value (explicit and implicit), strides,
// dilations, groups, odd channel counts, residual additions, pools, batch normalization, concatenation, float layers
// and dense layers behind flattened maps.
RandomGraph MakeRandomGraph(uint64_t seed);

}  // namespace bnn::formats
