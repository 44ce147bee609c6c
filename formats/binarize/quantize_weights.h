// Blueoil's weight quantizers, applied to layers of a float network: their weights become -m and +m, activations stay
// as they are. A layer whose input a quantizer of the network has made few-valued is a binary layer then.
//
//   binary_mean_scaling                m = mean |w| of the layer                 (DoReFa-Net, arXiv:1606.06160)
//   binary_channel_wise_mean_scaling   m = mean |w| of each output channel       (XNOR-Net, arXiv:1603.05279)
//
// w >= 0 becomes +m.
#pragma once

#include <set>
#include <string>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

enum class WeightsQuantizer : uint8_t { kMeanScaling, kChannelWiseMeanScaling };

// By Blueoil's name; kInvalidArgument lists those that there are.
Result<WeightsQuantizer> WeightsQuantizerByName(const std::string& name);

// `layers`: names of Conv nodes with constant weights of rank 4. `graph` has been folded.
Status QuantizeWeights(SourceGraph* graph, WeightsQuantizer quantizer, const std::set<std::string>& layers);

}  // namespace bnn::formats
