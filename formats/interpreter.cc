#include "formats/interpreter.h"

#include <set>
#include <utility>

#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

Status WithFile(const SourceGraph& graph, const Status& status) {
  return {status.code(), graph.file + ": " + status.message()};
}

Status CheckInput(const SourceGraph& graph, const std::string& name, const std::map<std::string, Tensor>& inputs) {
  const auto it = inputs.find(name);
  if (it == inputs.end()) return InvalidArgument(graph.file + ": input '" + name + "' is missing");
  const Tensor& tensor = it->second;
  if (CountElements(tensor.dims) != tensor.size()) {
    return InvalidArgument(graph.file + ": input '" + name + "' has dims " + DimsToString(tensor.dims) + " but " +
                           std::to_string(tensor.size()) + " elements");
  }
  const ValueInfo* expected = graph.FindValue(name);
  if (expected == nullptr) return OkStatus();
  bool fits = tensor.type == expected->type && tensor.dims.size() == expected->dims.size();
  for (size_t i = 0; fits && i < tensor.dims.size(); ++i) {
    fits = tensor.dims[i] == expected->dims[i] || (i == 0 && graph.batch_is_symbolic);
  }
  if (fits) return OkStatus();
  return InvalidArgument(graph.file + ": input '" + name + "' is " + DTypeName(tensor.type) +
                         DimsToString(tensor.dims) + ", expected " + DTypeName(expected->type) +
                         DimsToString(expected->dims) + (graph.batch_is_symbolic ? " with any first dim" : ""));
}

// Which nodes the wanted values need, found by walking the (topologically ordered) nodes backwards.
std::vector<bool> NeededNodes(const SourceGraph& graph, const std::set<std::string>& wanted) {
  std::set<std::string> needed_values = wanted;
  std::vector<bool> needed(graph.nodes.size(), false);
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    for (const std::string& output : graph.nodes[i].outputs) {
      if (needed_values.count(output) > 0) needed[i] = true;
    }
    if (!needed[i]) continue;
    for (const std::string& input : graph.nodes[i].inputs) needed_values.insert(input);
  }
  return needed;
}

}  // namespace

bool IsKnownOperator(const std::string& op) { return FindEvaluator(op) != nullptr; }

Result<std::vector<Tensor>> EvaluateNode(const SourceNode& node, const std::vector<const Tensor*>& inputs) {
  const Evaluator* evaluator = FindEvaluator(node.op);
  if (evaluator == nullptr) return NodeUnsupported(node, "unknown operator");
  const auto count = static_cast<int>(inputs.size());
  if (count < evaluator->required_inputs || count > evaluator->max_inputs) {
    return NodeError(node, "has " + std::to_string(count) + " inputs, expected " +
                               std::to_string(evaluator->required_inputs) + " to " +
                               std::to_string(evaluator->max_inputs));
  }
  for (int i = 0; i < evaluator->required_inputs; ++i) {
    if (inputs[static_cast<size_t>(i)] == nullptr) {
      return NodeError(node, "required input " + std::to_string(i) + " is absent");
    }
  }
  for (const Tensor* input : inputs) {
    if (input != nullptr && CountElements(input->dims) != input->size()) {
      return NodeError(node, "an input has dims " + DimsToString(input->dims) + " but " +
                                 std::to_string(input->size()) + " elements");
    }
  }
  const size_t outputs = node.outputs.size();
  if (outputs == 0 || outputs > static_cast<size_t>(evaluator->max_outputs)) {
    return NodeError(
        node, "has " + std::to_string(outputs) + " outputs, expected 1 to " + std::to_string(evaluator->max_outputs));
  }
  BNN_ASSIGN_OR_RETURN(std::vector<Tensor> results, evaluator->evaluate(node, inputs));
  if (results.size() != outputs) {
    return NodeError(
        node, "produces " + std::to_string(results.size()) + " outputs, the node names " + std::to_string(outputs));
  }
  return results;
}

const Tensor* Environment::Find(const std::string& name) const {
  if (const auto it = computed_.find(name); it != computed_.end()) return &it->second;
  if (const Tensor* constant = graph_.FindConstant(name)) return constant;
  const auto it = inputs_.find(name);
  return it == inputs_.end() ? nullptr : &it->second;
}

Status Environment::Run(const SourceNode& node) {
  std::vector<const Tensor*> arguments;
  for (const std::string& input : node.inputs) {
    const Tensor* argument = input.empty() ? nullptr : Find(input);
    if (argument == nullptr && !input.empty()) {
      return InvalidModel("node '" + node.name + "' (" + node.op + ") reads '" + input + "', which does not exist");
    }
    arguments.push_back(argument);
  }
  BNN_ASSIGN_OR_RETURN(std::vector<Tensor> results, EvaluateNode(node, arguments));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].empty()) computed_[node.outputs[i]] = std::move(results[i]);
  }
  return OkStatus();
}

Result<std::map<std::string, Tensor>> Interpret(const SourceGraph& graph, const std::map<std::string, Tensor>& inputs,
                                                const std::vector<std::string>& wanted) {
  for (const std::string& name : graph.inputs) BNN_RETURN_IF_ERROR(CheckInput(graph, name, inputs));
  std::set<std::string> kept(wanted.begin(), wanted.end());
  const bool keep_all = kept.empty();
  const std::vector<bool> needed = keep_all ? std::vector<bool>(graph.nodes.size(), true) : NeededNodes(graph, kept);

  std::map<std::string, size_t> last_use;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!needed[i]) continue;
    for (const std::string& name : graph.nodes[i].outputs) last_use[name] = i;
    for (const std::string& name : graph.nodes[i].inputs) last_use[name] = i;
  }

  Environment environment(graph, inputs);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!needed[i]) continue;
    const SourceNode& node = graph.nodes[i];
    if (Status status = environment.Run(node); !status.ok()) return WithFile(graph, status);
    if (keep_all) continue;
    for (const auto* names : {&node.inputs, &node.outputs}) {
      for (const std::string& name : *names) {
        if (last_use[name] == i && kept.count(name) == 0) environment.Forget(name);
      }
    }
  }

  if (keep_all) {
    for (const auto& [name, info] : graph.values) kept.insert(name);
    for (const SourceNode& node : graph.nodes) kept.insert(node.outputs.begin(), node.outputs.end());
    kept.erase("");
  }
  std::map<std::string, Tensor> results;
  for (const std::string& name : kept) {
    const Tensor* tensor = environment.Find(name);
    if (tensor == nullptr && !keep_all) {
      return InvalidArgument(graph.file + ": the wanted value '" + name + "' does not exist");
    }
    if (tensor != nullptr) results[name] = *tensor;
  }
  return results;
}

}  // namespace bnn::formats
