#include "formats/importers/graphdef_importer.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "formats/importers/graphdef.pb.h"
#include "formats/importers/graphdef_flatten.h"
#include "formats/importers/graphdef_graph.h"
#include "formats/importers/graphdef_operators.h"
#include "formats/importers/source_file.h"

namespace bnn::formats {
namespace {

constexpr uint64_t kMaxFileBytes = std::numeric_limits<int32_t>::max();  // protobuf's own limit

// All operators that are missing, in one error.
Status CheckOperators(const FlatGraphdef& flat) {
  std::map<std::string, std::pair<int, std::string>> missing;  // operator -> how often, first node
  for (const GraphdefNode& node : flat.nodes) {
    if (node.op() == "Placeholder" || FindGraphdefOperator(node.op()) != nullptr) continue;
    auto& [count, first] = missing[node.op()];
    if (++count == 1) first = node.name;
  }
  if (missing.empty()) return OkStatus();
  std::string message = "these operators are not supported:";
  for (const auto& [op, uses] : missing) {
    message += "\n  " + op + ": " + std::to_string(uses.first) + ", first in node '" + uses.second + "'";
  }
  return Unsupported(message);
}

Result<SourceGraph> ReadGraph(std::string_view bytes, const std::string& name, const ImportOptions& options) {
  if (bytes.size() > kMaxFileBytes) return Unsupported("is larger than 2 GiB");
  graphdef::GraphDef proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || proto.node_size() == 0) {
    return InvalidModel(
        "is no GraphDef, or is damaged: its protobuf encoding holds no nodes that can be read. Of a SavedModel the "
        "graph must be frozen first");
  }
  BNN_ASSIGN_OR_RETURN(const FlatGraphdef flat, FlattenGraphdef(proto));
  BNN_RETURN_IF_ERROR(CheckOperators(flat));
  SourceGraph source;
  source.file = name;
  GraphdefGraph graph(flat, proto.versions().producer(), &source);
  BNN_RETURN_IF_ERROR(graph.AddInputs(options));
  for (const GraphdefNode& node : flat.nodes) {
    if (node.op() != "Placeholder") BNN_RETURN_IF_ERROR(EntryOf(node).import(node, &graph));
  }
  BNN_RETURN_IF_ERROR(graph.AddOutputs());
  BNN_RETURN_IF_ERROR(ValidateSourceGraph(source));
  return source;
}

// A .pb may hold an ONNX model or a SavedModel, too. Both begin with field 1 as a number, a GraphDef never does.
bool RecognizesGraphdef(std::string_view path, std::string_view first_bytes) {
  if (LooksLikeGraphdef(first_bytes) || path.ends_with("saved_model.pb")) return true;
  return path.ends_with(".pb") && !first_bytes.starts_with('\x08');
}

Result<SourceGraph> ImportGraphdef(const std::string& path, const ImportOptions& options) {
  BNN_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path, kMaxFileBytes));
  return ImportGraphdefBytes(bytes, path, options);
}

// Takes a length-delimited field off the front of `bytes`: its content, as far as it is there.
bool TakeField(char tag, std::string_view* bytes, std::string_view* content) {
  if (!bytes->starts_with(tag)) return false;
  bytes->remove_prefix(1);
  uint64_t length = 0;
  int shift = 0;
  while (true) {
    if (bytes->empty() || shift > 28) return false;
    const auto byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    length |= static_cast<uint64_t>(byte & 127U) << shift;
    shift += 7;
    if ((byte & 128U) == 0) break;
  }
  *content = bytes->substr(0, length);
  bytes->remove_prefix(content->size());
  return length > 0;
}

// What TensorFlow allows in names of nodes and operators.
bool IsName(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.\\-/>").find(c) != std::string_view::npos;
  });
}

}  // namespace

const Importer kGraphdefImporter = {
    "graphdef",
    "TensorFlow's frozen graphs (.pb), with the quantizers of Blueoil",
    RecognizesGraphdef,
    ImportGraphdef,
};

bool LooksLikeGraphdef(std::string_view first_bytes) {
  std::string_view rest = first_bytes, node, name, op;
  if (!TakeField('\x0a', &rest, &node) || !TakeField('\x0a', &node, &name) || !IsName(name)) return false;
  if (node.empty()) return rest.empty();  // the name fills what is there of the file
  return TakeField('\x12', &node, &op) && IsName(op);
}

Result<SourceGraph> ImportGraphdefBytes(std::string_view bytes, const std::string& name, const ImportOptions& options) {
  return GuardImport(name, [&] { return ReadGraph(bytes, name, options); });
}

}  // namespace bnn::formats
