// Binarizes convolutions of a float network, as NNCF does where training begins.
//
// In front of each convolution come two FakeQuantize with two levels, in the form of NNCF's ONNX files:
//
//   weights      FakeQuantize(W, 0, 0, -m, +m)       m: mean |W| of each output channel (xnor) or of all (dorefa)
//   activations  FakeQuantize(x, t*s, t*s, 0, s)     t = 0.5; s: the smallest of the largest 0.1 % of x over the
//   samples
//
// The layers are taken in the order in which they run, and the samples run through the network along with that, so each
// scale is measured on what the layer will really see: inputs that come from binarized layers. The normal lowering then
// makes binary layers of them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/binarize/nncf_config.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// The inputs of one run of the graph. The first `samples` of axis 0 count, the rest only fills the batch.
struct CalibrationBatch {
  std::map<std::string, Tensor> inputs;
  int64_t samples = 1;
};

struct BinarizedLayer {
  std::string name;  // of the node
  float scale = 0;   // s
};

// `layers`: names of Conv nodes with constant weights of rank 4. `graph` has been folded. kInvalidArgument where the
// scale of a layer would not be positive, or where no batch is given.
Result<std::vector<BinarizedLayer>> BinarizeLayers(SourceGraph* graph, NncfMode mode,
                                                   const std::set<std::string>& layers,
                                                   const std::vector<CalibrationBatch>& batches);

// The constant scales of weights OIHW: [O,1,1,1] or [1,1,1,1].
Tensor WeightScale(const Tensor& weights, NncfMode mode);

// The k-th largest value, k = 0.1 % of them (rounded half to even), at least 1. `values` is reordered, not empty and
// without NaN.
float ActivationScale(std::vector<float>* values);

}  // namespace bnn::formats
