#include "tests/formats/graph_builder.h"

#include <doctest/doctest.h>

#include <utility>

#include "formats/interpreter.h"

namespace bnn::formats {

std::string GraphBuilder::Input(const std::string& name, const Dims& dims) {
  graph_.file = "test.onnx";
  graph_.inputs.push_back(name);
  graph_.values[name] = {DType::kFloat32, dims};
  samples_[name] = FloatTensor(dims, std::vector<float>(static_cast<size_t>(CountElements(dims)), 0.0f));
  return name;
}

std::string GraphBuilder::Floats(const Dims& dims, const std::vector<float>& values) {
  const std::string name = "const" + std::to_string(next_++);
  graph_.constants[name] = FloatTensor(dims, values);
  graph_.values[name] = {DType::kFloat32, dims};
  return name;
}

std::string GraphBuilder::Ints(const std::vector<int64_t>& values) {
  const std::string name = "const" + std::to_string(next_++);
  const Dims dims = {static_cast<int64_t>(values.size())};
  graph_.constants[name] = IntTensor(dims, values);
  graph_.values[name] = {DType::kInt64, dims};
  return name;
}

std::string GraphBuilder::Node(const std::string& op, const std::vector<std::string>& inputs,
                               const std::map<std::string, Attribute>& attributes) {
  return Nodes(op, inputs, 1, attributes)[0];
}

std::vector<std::string> GraphBuilder::Nodes(const std::string& op, const std::vector<std::string>& inputs,
                                             size_t outputs, const std::map<std::string, Attribute>& attributes) {
  SourceNode node;
  node.op = op;
  node.name = op + "_" + std::to_string(next_++);
  node.inputs = inputs;
  node.attributes = attributes;
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(node.name + "_out" + std::to_string(i));
  std::vector<const Tensor*> arguments;
  for (const std::string& input : inputs) {
    const Tensor* constant = graph_.FindConstant(input);
    arguments.push_back(input.empty() ? nullptr : constant != nullptr ? constant : &samples_.at(input));
  }
  Result<std::vector<Tensor>> results = EvaluateNode(node, arguments);
  REQUIRE_MESSAGE(results.ok(), results.status().message());
  for (size_t i = 0; i < outputs; ++i) {
    graph_.values[node.outputs[i]] = {(*results)[i].type, (*results)[i].dims};
    samples_[node.outputs[i]] = std::move((*results)[i]);
  }
  graph_.nodes.push_back(node);
  return node.outputs;
}

}  // namespace bnn::formats
