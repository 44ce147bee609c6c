// Adding to a source graph: names that are free, constants under them.
#pragma once

#include <string>
#include <utility>

#include "formats/source_graph.h"

namespace bnn::formats {

// `hint`, or `hint` with underscores where values of that name exist.
inline std::string NewValueName(const SourceGraph& graph, const std::string& hint) {
  std::string name = hint;
  while (graph.FindValue(name) != nullptr) name += '_';
  return name;
}

// Sets the constant `name`, which need not be new.
inline void SetConstant(SourceGraph* graph, const std::string& name, Tensor tensor) {
  graph->values[name] = {tensor.type, tensor.dims};
  graph->constants[name] = std::move(tensor);
}

// A new constant; returns its name.
inline std::string AddConstant(SourceGraph* graph, const std::string& hint, Tensor tensor) {
  const std::string name = NewValueName(*graph, hint);
  SetConstant(graph, name, std::move(tensor));
  return name;
}

}  // namespace bnn::formats
