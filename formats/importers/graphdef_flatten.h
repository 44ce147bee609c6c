// A GraphDef as one list of nodes: its functions inlined, its inputs resolved, sorted, without what no output needs.
//
// A function of the file's library is called by a node whose operator is the function's name, or by PartitionedCall or
// StatefulPartitionedCall with an attribute `f`. Calls may be nested, but not recursive. A function of the library goes
// before an operator of the same name.
//
// What a frozen graph does not say: its inputs are the Placeholders that an output depends on, in the file's order; its
// outputs are the nodes that no other node reads, apart from constants, placeholders and what only checks or orders
// (Assert, NoOp). An output beyond the first of a node is called "node:1".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/importers/graphdef.pb.h"
#include "formats/importers/graphdef_node.h"

namespace bnn::formats {

struct FlatGraphdef {
  struct Output {
    std::string name;
    GraphdefRef value;
  };
  std::vector<GraphdefNode> nodes;  // in topological order
  std::vector<int> inputs;          // nodes
  std::vector<Output> outputs;
  std::vector<std::unique_ptr<GraphdefCall>> calls;  // that nodes point to
};

// `graph` must outlive the result.
Result<FlatGraphdef> FlattenGraphdef(const graphdef::GraphDef& graph);

}  // namespace bnn::formats
