// The plain float interpretation of a source graph: what its source means, operator by operator, with obvious loops.
// It serves constant folding, `bnn-convert --verify` and the tests; it is not fast and is not meant to be.
// Sums run in double and are rounded once to float, so sums of integers are exact.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// True when EvaluateNode knows this operator. The list of what importers may produce.
bool IsKnownOperator(const std::string& op);

// The outputs of one node. `inputs` matches node.inputs; nullptr where an optional input is absent.
// kUnsupported for an unknown operator, kInvalidModel for inputs that do not fit.
Result<std::vector<Tensor>> EvaluateNode(const SourceNode& node, const std::vector<const Tensor*>& inputs);

// The values of one run of a graph, node by node in topological order. `graph` and `inputs` must outlive it.
class Environment {
 public:
  Environment(const SourceGraph& graph, const std::map<std::string, Tensor>& inputs) : graph_(graph), inputs_(inputs) {}

  // nullptr where no node has computed it yet, and it is no constant and no input.
  const Tensor* Find(const std::string& name) const;
  Status Run(const SourceNode& node);
  void Forget(const std::string& name) { computed_.erase(name); }

 private:
  const SourceGraph& graph_;
  const std::map<std::string, Tensor>& inputs_;
  std::map<std::string, Tensor> computed_;
};

// All values of the graph (or, with `wanted`, only those) for these inputs. Dims of axis 0 of the inputs may differ
// from the graph's where batch_is_symbolic: shapes follow the inputs.
Result<std::map<std::string, Tensor>> Interpret(const SourceGraph& graph, const std::map<std::string, Tensor>& inputs,
                                                const std::vector<std::string>& wanted = {});

}  // namespace bnn::formats
