// A node of a GraphDef file after its functions have been inlined, and what its attributes say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/importers/graphdef.pb.h"

namespace bnn::formats {

// An output of a node of the flat graph.
struct GraphdefRef {
  int node = -1;
  int64_t port = 0;
};

// A call of a function: where attributes that the body leaves to its caller stand.
struct GraphdefCall {
  const google::protobuf::Map<std::string, graphdef::AttrValue>* attributes = nullptr;
  const GraphdefCall* outer = nullptr;  // nullptr: the call stands in the graph itself
};

struct GraphdefNode {
  std::string name;   // "call/inner" for nodes of functions
  std::string label;  // "node 'conv1/Conv2D' (Conv2D)", for messages
  const graphdef::NodeDef* def = nullptr;
  const GraphdefCall* call = nullptr;  // in whose body it stands
  std::vector<GraphdefRef> inputs;     // without those that only order the run
  std::vector<int64_t> used_outputs;   // ports that others read, or that are outputs of the network; ascending
  bool is_constant = false;            // depends on no input of the network

  const std::string& op() const { return def->op(); }
};

// "node 'conv1/Conv2D' (Conv2D): <problem>"
Status GraphdefError(const GraphdefNode& node, const std::string& problem);
Status GraphdefUnsupported(const GraphdefNode& node, const std::string& problem);

// The attribute, where the caller of a function gives it, too; nullptr where it is absent.
const graphdef::AttrValue* FindGraphdefAttribute(const GraphdefNode& node, const std::string& key);

// The value of an attribute. An error where it is of another type, or absent and there is no `fallback`.
Result<int64_t> GraphdefInt(const GraphdefNode& node, const std::string& key, std::optional<int64_t> fallback = {});
Result<float> GraphdefFloat(const GraphdefNode& node, const std::string& key, std::optional<float> fallback = {});
Result<bool> GraphdefBool(const GraphdefNode& node, const std::string& key, std::optional<bool> fallback = {});
Result<int32_t> GraphdefType(const GraphdefNode& node, const std::string& key, std::optional<int32_t> fallback = {});
Result<std::string> GraphdefString(const GraphdefNode& node, const std::string& key);
Result<std::vector<int64_t>> GraphdefInts(const GraphdefNode& node, const std::string& key,
                                          std::optional<std::vector<int64_t>> fallback = {});

// How many outputs the node has, as far as inference reads them: of FusedBatchNorm only the first counts.
Result<int64_t> CountGraphdefOutputs(const GraphdefNode& node);

}  // namespace bnn::formats
