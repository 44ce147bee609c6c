#include "formats/binarize/choose_layers.h"

#include <vector>

#include "formats/binarize/layer_scopes.h"

namespace bnn::formats {

Result<LayerChoice> ChooseLayers(const SourceGraph& graph, const NncfConfig& config) {
  const std::vector<NodeAddress> addresses = AddressesOf(graph);
  BNN_ASSIGN_OR_RETURN(const auto ignored,
                       MatchScopes(addresses, config.ignored_scopes, "ignored_scopes", config.validate_scopes));
  BNN_ASSIGN_OR_RETURN(const auto targets,
                       MatchScopes(addresses, config.target_scopes.value_or(std::vector<std::string>()),
                                   "target_scopes", config.validate_scopes));
  LayerChoice choice;
  for (const NodeAddress& address : addresses) {
    if (address.op.empty()) continue;
    if (address.op != "conv2d") {
      choice.kept[address.node] = "not binarized: NNCF binarizes Conv2d only";
    } else if (ignored.count(address.node) > 0) {
      choice.kept[address.node] = "not binarized: in ignored_scopes";
    } else if (config.target_scopes.has_value() && targets.count(address.node) == 0) {
      choice.kept[address.node] = "not binarized: not in target_scopes";
    } else {
      choice.binarized.insert(address.node);
    }
  }
  return choice;
}

}  // namespace bnn::formats
