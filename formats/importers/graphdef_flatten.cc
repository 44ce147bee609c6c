#include "formats/importers/graphdef_flatten.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "formats/text.h"

namespace bnn::formats {
namespace {

using graphdef::FunctionDef;
using graphdef::NodeDef;

// What a small file can blow up to by calls of calls ends here.
constexpr size_t kMaxNodes = 100000;
constexpr size_t kMaxNameBytes = size_t{1} << 26;
constexpr size_t kMaxCallDepth = 64;

// What a node reads, as the file spells it.
struct InputName {
  std::string node;    // or an argument of the function
  std::string output;  // in functions: the name of an output; may be a list
  int64_t index = 0;   // in graphs: of the output; in functions: in that list
  bool is_control = false;
};

std::string LabelOf(const std::string& name, const NodeDef& def) { return "node '" + name + "' (" + def.op() + ")"; }

std::optional<InputName> ParseInput(const std::string& text, bool in_function) {
  InputName input;
  input.is_control = text.starts_with('^');
  input.node = text.substr(input.is_control ? 1 : 0);
  const size_t colon = input.node.find(':');
  if (colon == std::string::npos) return input;
  std::string rest = input.node.substr(colon + 1);
  input.node.resize(colon);
  if (input.is_control) return std::nullopt;
  if (in_function) {
    const size_t second = rest.find(':');
    input.output = rest.substr(0, second);
    if (second == std::string::npos) return input;
    rest = rest.substr(second + 1);
  }
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), input.index);
  const bool is_number = error == std::errc() && end == rest.data() + rest.size() && input.index >= 0;
  return is_number ? std::optional(input) : std::nullopt;
}

// The function that a node calls by PartitionedCall; nullptr for other nodes.
const graphdef::NameAttrList* PartitionedCallee(const NodeDef& def) {
  if (def.op() != "PartitionedCall" && def.op() != "StatefulPartitionedCall") return nullptr;
  const auto found = def.attr().find("f");
  return found != def.attr().end() && found->second.has_func() ? &found->second.func() : nullptr;
}

class Flattener {
 public:
  explicit Flattener(const graphdef::GraphDef& graph) : graph_(graph) {}

  Result<FlatGraphdef> Run() {
    for (const FunctionDef& function : graph_.library().function()) {
      if (functions_.emplace(function.signature().name(), &function).second) continue;
      return InvalidModel("field library defines the function '" + function.signature().name() + "' twice");
    }
    Body body{graph_.node(), nullptr, nullptr, "", {}, {}, {}};
    BNN_RETURN_IF_ERROR(Expand(&body));
    BNN_RETURN_IF_ERROR(FindOutputs(body));
    BNN_RETURN_IF_ERROR(RemoveUnneeded());
    return std::move(flat_);
  }

 private:
  // What a node became: a node of the flat graph, or the results of the function that it called.
  struct Made {
    int node = -1;
    const FunctionDef* callee = nullptr;
    std::vector<GraphdefRef> results;
  };
  // The graph, or the body of a function in one of its calls.
  struct Body {
    const google::protobuf::RepeatedPtrField<NodeDef>& nodes;
    const FunctionDef* function;  // nullptr for the graph
    const GraphdefCall* call;
    std::string prefix;  // of names
    std::map<std::string, GraphdefRef> arguments;
    std::map<std::string, int> index;  // of nodes, by name
    std::vector<Made> made;            // of each node
  };

  Status Expand(Body* body) {
    const auto count = static_cast<size_t>(body->nodes.size());
    if (seen_ + count > kMaxNodes) {
      return Unsupported("has more than " + std::to_string(kMaxNodes) + " nodes with those of its functions");
    }
    seen_ += count;
    for (int i = 0; i < body->nodes.size(); ++i) {
      const std::string& name = body->nodes[i].name();
      BNN_RETURN_IF_ERROR(CheckNames(*body, i));
      if (!body->index.emplace(name, i).second || body->arguments.count(name) > 0) {
        return InvalidModel("the name of " + LabelOf(body->prefix + name, body->nodes[i]) + " is defined twice");
      }
    }
    body->made.resize(count);
    std::vector<int> order;
    std::vector<std::vector<InputName>> inputs(count);
    BNN_RETURN_IF_ERROR(Sort(*body, &inputs, &order));
    for (const int i : order) {
      const NodeDef& def = body->nodes[i];
      std::vector<GraphdefRef> refs;
      for (const InputName& input : inputs[static_cast<size_t>(i)]) {
        BNN_ASSIGN_OR_RETURN(const GraphdefRef ref, Resolve(*body, LabelOf(body->prefix + def.name(), def), input));
        refs.push_back(ref);
      }
      BNN_ASSIGN_OR_RETURN(body->made[static_cast<size_t>(i)], Make(*body, def, std::move(refs)));
    }
    return OkStatus();
  }

  // Names stand in messages, so they must be text. And a call of a function costs memory and time for its names, those
  // of inputs included.
  Status CheckNames(const Body& body, int index) {
    const NodeDef& def = body.nodes[index];
    bool is_text = IsPrintableUtf8(def.name()) && IsPrintableUtf8(def.op());
    name_bytes_ += body.prefix.size() + def.name().size() + def.op().size();
    for (const std::string& input : def.input()) {
      is_text = is_text && IsPrintableUtf8(input);
      name_bytes_ += input.size() + 1;
    }
    if (!is_text) {
      return InvalidModel("node " + std::to_string(index) + " of " +
                          (body.function == nullptr ? "the graph" : "the function called by '" + body.prefix + "'") +
                          ": its name, its operator or an input is no printable UTF-8");
    }
    if (def.name().empty()) return InvalidModel("node " + std::to_string(index) + " (" + def.op() + ") has no name");
    if (name_bytes_ <= kMaxNameBytes) return OkStatus();
    return Unsupported("the names of its nodes and their inputs have more than " + std::to_string(kMaxNameBytes) +
                       " bytes with those of its functions");
  }

  // What each node reads, and an order in which all are made before they are read: of those that are ready, the first
  // of the file.
  static Status Sort(const Body& body, std::vector<std::vector<InputName>>* inputs, std::vector<int>* order) {
    std::vector<int> waits(inputs->size(), 0);
    std::vector<std::vector<int>> readers(inputs->size());
    std::set<int> ready;
    for (int i = 0; i < body.nodes.size(); ++i) {
      const NodeDef& def = body.nodes[i];
      for (const std::string& text : def.input()) {
        std::optional<InputName> input = ParseInput(text, body.function != nullptr);
        const bool is_argument = input.has_value() && body.arguments.count(input->node) > 0;
        const auto producer = input.has_value() ? body.index.find(input->node) : body.index.end();
        if (!is_argument && producer == body.index.end()) {
          return InvalidModel(LabelOf(body.prefix + def.name(), def) + " reads '" + text + "', which nothing produces");
        }
        if (input->is_control) continue;
        (*inputs)[static_cast<size_t>(i)].push_back(*std::move(input));
        if (is_argument) continue;
        ++waits[static_cast<size_t>(i)];
        readers[static_cast<size_t>(producer->second)].push_back(i);
      }
      if (waits[static_cast<size_t>(i)] == 0) ready.insert(i);
    }
    while (!ready.empty()) {
      const int next = *ready.begin();
      ready.erase(ready.begin());
      order->push_back(next);
      for (const int reader : readers[static_cast<size_t>(next)]) {
        if (--waits[static_cast<size_t>(reader)] == 0) ready.insert(reader);
      }
    }
    if (order->size() == inputs->size()) return OkStatus();
    const auto stuck = std::find_if(waits.begin(), waits.end(), [](int count) { return count > 0; });
    const NodeDef& def = body.nodes[static_cast<int>(stuck - waits.begin())];
    return InvalidModel(LabelOf(body.prefix + def.name(), def) + " is part of a cycle or depends on one");
  }

  // The output that `input` names; `reader` for messages.
  static Result<GraphdefRef> Resolve(const Body& body, const std::string& reader, const InputName& input) {
    const auto argument = body.arguments.find(input.node);
    if (argument != body.arguments.end() && input.output.empty()) return argument->second;
    const auto found = body.index.find(input.node);
    if (found == body.index.end()) {
      return InvalidModel(reader + " reads '" + input.node + ":" + input.output + "', which nothing produces");
    }
    const Made& made = body.made[static_cast<size_t>(found->second)];
    const NodeDef& def = body.nodes[found->second];
    if (made.callee == nullptr) return GraphdefRef{made.node, OperatorPort(def, input)};
    int64_t port = input.index;
    if (!input.output.empty() && PartitionedCallee(def) == nullptr) {
      const auto& outputs = made.callee->signature().output_arg();
      const auto output = std::find_if(outputs.begin(), outputs.end(),
                                       [&input](const auto& candidate) { return candidate.name() == input.output; });
      port = input.index == 0 ? output - outputs.begin() : outputs.size();
    }
    if (port < static_cast<int64_t>(made.results.size())) return made.results[static_cast<size_t>(port)];
    return InvalidModel(reader + " reads output " + (input.output.empty() ? std::to_string(port) : input.output) +
                        " of " + LabelOf(body.prefix + def.name(), def) + ", which returns " +
                        std::to_string(made.results.size()));
  }

  // The number of an output that a function's body names. Operators have one output or one list of them, but for these.
  static int64_t OperatorPort(const NodeDef& def, const InputName& input) {
    if (!def.op().starts_with("FusedBatchNorm") || input.output.empty() || input.output == "y") return input.index;
    return 1;  // statistics, which only training reads
  }

  Result<Made> Make(const Body& body, const NodeDef& def, std::vector<GraphdefRef> inputs) {
    const graphdef::NameAttrList* partitioned = PartitionedCallee(def);
    const auto function = functions_.find(partitioned != nullptr ? partitioned->name() : def.op());
    if (function != functions_.end()) {
      const auto& attributes = partitioned != nullptr ? partitioned->attr() : def.attr();
      flat_.calls.push_back(std::make_unique<GraphdefCall>(GraphdefCall{&attributes, body.call}));
      return Call(body, def, *function->second, inputs);
    }
    GraphdefNode node;
    node.name = body.prefix + def.name();
    node.label = LabelOf(node.name, def);
    node.def = &def;
    node.call = body.call;
    node.inputs = std::move(inputs);
    flat_.nodes.push_back(std::move(node));
    Made made;
    made.node = static_cast<int>(flat_.nodes.size()) - 1;
    return made;
  }

  Result<Made> Call(const Body& body, const NodeDef& def, const FunctionDef& function,
                    const std::vector<GraphdefRef>& inputs) {
    const graphdef::OpDef& signature = function.signature();
    const std::string label = LabelOf(body.prefix + def.name(), def);
    const std::string what = label + ": function '" + signature.name() + "'";
    if (active_.count(&function) > 0) return Unsupported(what + " calls itself");
    if (active_.size() >= kMaxCallDepth) {
      return Unsupported(what + " is a call within " + std::to_string(kMaxCallDepth) + " others, which is the limit");
    }
    if (signature.input_arg_size() != static_cast<int>(inputs.size())) {
      return InvalidModel(what + " takes " + std::to_string(signature.input_arg_size()) +
                          " arguments, the call gives " + std::to_string(inputs.size()));
    }
    Body inner{function.node_def(), &function, flat_.calls.back().get(), body.prefix + def.name() + "/", {}, {}, {}};
    for (int i = 0; i < signature.input_arg_size(); ++i) {
      const auto& argument = signature.input_arg(i);
      if (!argument.number_attr().empty() || !argument.type_list_attr().empty()) {
        return Unsupported(what + ": argument '" + argument.name() + "' is a list");
      }
      if (!inner.arguments.emplace(argument.name(), inputs[static_cast<size_t>(i)]).second) {
        return InvalidModel(what + " has two arguments '" + argument.name() + "'");
      }
    }
    active_.insert(&function);
    BNN_RETURN_IF_ERROR(Expand(&inner));
    active_.erase(&function);
    Made made;
    made.callee = &function;
    for (const auto& output : signature.output_arg()) {
      const auto returned = function.ret().find(output.name());
      const std::optional<InputName> input =
          returned == function.ret().end() ? std::nullopt : ParseInput(returned->second, true);
      if (!input.has_value() || input->is_control) {
        return InvalidModel(what + ": field ret says nothing readable of the output '" + output.name() + "'");
      }
      BNN_ASSIGN_OR_RETURN(const GraphdefRef ref, Resolve(inner, what + ": output '" + output.name() + "'", *input));
      made.results.push_back(ref);
    }
    return made;
  }

  // Of the graph itself: what no node reads.
  Status FindOutputs(const Body& body) {
    static const std::set<std::string> kNoOutputs = {"Assert", "Const", "NoOp", "Placeholder",
                                                     "PlaceholderWithDefault"};
    std::set<std::string> read;
    for (const NodeDef& def : graph_.node()) {
      for (const std::string& text : def.input()) read.insert(ParseInput(text, false)->node);
    }
    for (int i = 0; i < graph_.node_size(); ++i) {
      const NodeDef& def = graph_.node(i);
      if (read.count(def.name()) > 0 || kNoOutputs.count(def.op()) > 0) continue;
      const Made& made = body.made[static_cast<size_t>(i)];
      std::vector<GraphdefRef> values = made.results;
      if (made.callee == nullptr) {
        BNN_ASSIGN_OR_RETURN(const int64_t count, CountGraphdefOutputs(flat_.nodes[static_cast<size_t>(made.node)]));
        for (int64_t port = 0; port < count; ++port) values.push_back({made.node, port});
      }
      for (size_t k = 0; k < values.size(); ++k) {
        flat_.outputs.push_back({def.name() + (k == 0 ? "" : ":" + std::to_string(k)), values[k]});
      }
    }
    return flat_.outputs.empty() ? InvalidModel("has no outputs: other nodes read every one") : OkStatus();
  }

  // Keeps the nodes that outputs depend on, under new numbers.
  Status RemoveUnneeded() {
    std::vector<GraphdefNode>& nodes = flat_.nodes;
    std::vector<std::set<int64_t>> used(nodes.size());
    for (const auto& output : flat_.outputs) used[static_cast<size_t>(output.value.node)].insert(output.value.port);
    for (size_t i = nodes.size(); i-- > 0;) {
      if (used[i].empty()) continue;
      for (const GraphdefRef& input : nodes[i].inputs) used[static_cast<size_t>(input.node)].insert(input.port);
    }
    std::vector<int> renumbered(nodes.size(), -1);
    std::vector<GraphdefNode> kept;
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (used[i].empty()) continue;
      GraphdefNode node = std::move(nodes[i]);
      const bool is_input = node.op() == "Placeholder";
      if (is_input && node.call != nullptr) return GraphdefUnsupported(node, "stands in a function");
      node.is_constant = !is_input;
      for (GraphdefRef& input : node.inputs) {
        input.node = renumbered[static_cast<size_t>(input.node)];
        node.is_constant = node.is_constant && kept[static_cast<size_t>(input.node)].is_constant;
      }
      BNN_ASSIGN_OR_RETURN(const int64_t outputs, CountGraphdefOutputs(node));
      if (*used[i].rbegin() >= outputs) {
        return GraphdefUnsupported(node, "its output " + std::to_string(*used[i].rbegin()) + " is read; of " +
                                             std::to_string(outputs) + " is known what they are in inference");
      }
      node.used_outputs.assign(used[i].begin(), used[i].end());
      renumbered[i] = static_cast<int>(kept.size());
      kept.push_back(std::move(node));
    }
    nodes = std::move(kept);
    for (auto& output : flat_.outputs) output.value.node = renumbered[static_cast<size_t>(output.value.node)];
    return FindInputs();
  }

  // In the order of the file, which the sorted nodes may have left.
  Status FindInputs() {
    std::map<const NodeDef*, int> placeholders;
    for (size_t i = 0; i < flat_.nodes.size(); ++i) {
      if (flat_.nodes[i].op() == "Placeholder") placeholders[flat_.nodes[i].def] = static_cast<int>(i);
    }
    for (const NodeDef& def : graph_.node()) {
      if (const auto found = placeholders.find(&def); found != placeholders.end())
        flat_.inputs.push_back(found->second);
    }
    return flat_.inputs.empty() ? Unsupported("no output depends on a Placeholder: it has no input") : OkStatus();
  }

  const graphdef::GraphDef& graph_;
  std::map<std::string, const FunctionDef*> functions_;
  std::set<const FunctionDef*> active_;  // calls that are being expanded
  size_t seen_ = 0;
  size_t name_bytes_ = 0;
  FlatGraphdef flat_;
};

}  // namespace

Result<FlatGraphdef> FlattenGraphdef(const graphdef::GraphDef& graph) { return Flattener(graph).Run(); }

}  // namespace bnn::formats
