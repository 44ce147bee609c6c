// Source graphs by hand, for tests. Each node is evaluated on zeros as it is added, which gives its outputs' dims.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/source_graph.h"

namespace bnn::formats {

class GraphBuilder {
 public:
  std::string Input(const std::string& name, const Dims& dims);
  // A constant; its name is made up.
  std::string Floats(const Dims& dims, const std::vector<float>& values);
  std::string Ints(const std::vector<int64_t>& values);

  // Appends a node and returns the name of its output. A node that the interpreter refuses fails the test.
  std::string Node(const std::string& op, const std::vector<std::string>& inputs,
                   const std::map<std::string, Attribute>& attributes = {});
  // The same for nodes of several outputs.
  std::vector<std::string> Nodes(const std::string& op, const std::vector<std::string>& inputs, size_t outputs,
                                 const std::map<std::string, Attribute>& attributes = {});

  void Output(const std::string& value) { graph_.outputs.push_back(value); }
  const Dims& DimsOf(const std::string& value) const { return graph_.values.at(value).dims; }
  SourceGraph& graph() { return graph_; }
  const SourceGraph& graph() const { return graph_; }

 private:
  SourceGraph graph_;
  std::map<std::string, Tensor> samples_;
  int next_ = 0;
};

}  // namespace bnn::formats
