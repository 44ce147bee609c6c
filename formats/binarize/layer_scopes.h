// NNCF's scopes on the layers of an imported network.
//
// NNCF addresses a layer by class and attribute names through the module tree, then the operator:
//
//   ResNet/Sequential[layer2]/BasicBlock[0]/Sequential[downsample]/NNCFConv2d[0]/conv2d_0
//
// ONNX files know no classes, but PyTorch's exporter names nodes and weights by the attributes:
//
//   node    /layer2/layer2.0/downsample/downsample.0/Conv      each part repeats the part before it, where that is
//   called weight  layer2.0.downsample.0.weight
//
// Both give the path layer2, 0, downsample, 0. So an exact scope matches where its names in brackets are that path and
// its operator is that of the node; without an operator it names a module, and all layers in it. The name of a node
// matches as well. A regular expression, after {re}, is searched in the node's name, and in the address without class
// names but that of the layer, "/[layer2]/[0]/[downsample]/NNCFConv2d[0]/conv2d_0"; for that search, class names before
// \[ and that of the root before the first / are taken out of the expression, too. "NNCF" before a class may be absent
// everywhere.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct NodeAddress {
  std::string node;               // its name
  std::vector<std::string> path;  // attribute names of the modules, outermost first; {} where the file has none
  std::string op;                 // "conv2d" or "linear"; "" for other operators

  // "/[layer2]/[0]/NNCFConv2d[conv1]/conv2d_0"
  std::string Text() const;
};

// Of all nodes, in the graph's order.
std::vector<NodeAddress> AddressesOf(const SourceGraph& graph);

// The names of the nodes that these scopes match. kInvalidArgument for an expression that is none or is too long, and,
// with the nearest addresses, for a scope that matches nothing, unless `validate` is false. `key` is for messages.
Result<std::set<std::string>> MatchScopes(const std::vector<NodeAddress>& addresses,
                                          const std::vector<std::string>& scopes, const std::string& key,
                                          bool validate = true);

}  // namespace bnn::formats
