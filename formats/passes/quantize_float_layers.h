// Post-training quantization: layers that the source leaves in float are made int8 layers.
//
// In front of each layer a QuantizeLinear and a DequantizeLinear are inserted, with one scale and zero point for the
// whole tensor that cover the range which calibration found. Weights are rounded to multiples of a step, one for each
// output channel, symmetric around 0: the step is the largest magnitude / 127. What comes out is a source graph like
// one that was trained so, and the normal lowering makes int8 layers of it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct ActivationRange {
  float low = 0;
  float high = 0;
};

struct QuantizedFloatLayer {
  std::string name;   // of the node
  std::string value;  // what it reads
  ActivationRange range;
  float scale = 1;
  int64_t zero_point = 0;
};

// The values that these layers (names of Conv, MatMul and Gemm nodes) read: whose ranges must be known.
std::vector<std::string> DataInputsOf(const SourceGraph& graph, const std::set<std::string>& layers);

// `graph` has been folded. kInvalidArgument where the range of a value is missing or not finite; layers whose weights
// are not constant are left alone. Returns what was done, in the graph's order.
Result<std::vector<QuantizedFloatLayer>> QuantizeFloatLayers(SourceGraph* graph, const std::set<std::string>& layers,
                                                             const std::map<std::string, ActivationRange>& ranges);

}  // namespace bnn::formats
