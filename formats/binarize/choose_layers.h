// Which layers of a network a configuration of NNCF binarizes, and why the others stay as they are.
#pragma once

#include <map>
#include <set>
#include <string>

#include "bnn/status.h"
#include "formats/binarize/nncf_config.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct LayerChoice {
  std::set<std::string> binarized;          // names of nodes
  std::map<std::string, std::string> kept;  // name of a layer that stays in float -> why
};

// A Conv with constant weights of rank 4 is binarized when target_scopes is absent or matches it, and ignored_scopes
// does not. `graph` has been folded. kInvalidArgument for a scope that matches nothing,
// unless the configuration has validate_scopes false.
Result<LayerChoice> ChooseLayers(const SourceGraph& graph, const NncfConfig& config);

}  // namespace bnn::formats
