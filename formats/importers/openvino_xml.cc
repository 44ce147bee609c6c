#include <algorithm>
#include <pugixml.hpp>
#include <set>
#include <utility>

#include "formats/importers/openvino_net.h"
#include "formats/importers/openvino_text.h"
#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

constexpr int64_t kOldestVersion = 10;
constexpr int64_t kNewestVersion = 11;

// "<port>" and what it belongs to, for messages.
struct Element {
  pugi::xml_node node;
  std::string label;
};

// The attribute `key` of an element as a number; an error that names element and attribute where it is absent or none.
Result<int64_t> IntegerOf(const Element& element, const char* key) {
  const pugi::xml_attribute attribute = element.node.attribute(key);
  if (!attribute) return InvalidModel(element.label + ": attribute '" + key + "' is missing");
  const std::optional<int64_t> value = ParseIrInteger(attribute.value());
  if (!value) {
    return InvalidModel(element.label + ": attribute '" + key + "' is '" + attribute.value() +
                        "', expected an integer");
  }
  return *value;
}

// The names of a tensor: between commas; a comma within a name is written as \,
std::vector<std::string> SplitNames(std::string_view text) {
  std::vector<std::string> names;
  if (text.empty()) return names;
  names.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',') {
      names.back() += text[++i];
    } else if (text[i] == ',') {
      names.emplace_back();
    } else {
      names.back() += text[i];
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<IrPort> ReadPort(const IrLayer& layer, const char* side, pugi::xml_node node) {
  const Element element{node, LayerLabel(layer) + ": a port of <" + side + ">"};
  IrPort port;
  BNN_ASSIGN_OR_RETURN(port.id, IntegerOf(element, "id"));
  port.precision = node.attribute("precision").value();
  port.names = SplitNames(node.attribute("names").value());
  for (const pugi::xml_node dim : node.children("dim")) {
    const std::optional<int64_t> value = ParseIrInteger(dim.text().get());
    if (!value || *value < -1) {
      return LayerError(layer, "port " + std::to_string(port.id) + " has a dim of '" + dim.text().get() + "'");
    }
    port.dims.push_back(*value);
  }
  Dims at_least = port.dims;  // an open dim is 0 or more
  std::replace(at_least.begin(), at_least.end(), int64_t{-1}, int64_t{0});
  BNN_RETURN_IF_ERROR(CheckDims(LayerLabel(layer) + ": port " + std::to_string(port.id), at_least));
  return port;
}

Status ReadPorts(pugi::xml_node parent, const char* side, IrLayer* layer, std::set<int64_t>* ids) {
  std::vector<IrPort>& ports = std::string_view(side) == "input" ? layer->inputs : layer->outputs;
  for (const pugi::xml_node node : parent.child(side).children("port")) {
    BNN_ASSIGN_OR_RETURN(IrPort port, ReadPort(*layer, side, node));
    if (!ids->insert(port.id).second) return LayerError(*layer, "two ports have the id " + std::to_string(port.id));
    ports.push_back(std::move(port));
  }
  return OkStatus();
}

// "opset8" -> 8; 0 for anything else: an extension.
int64_t OpsetOf(std::string_view version) {
  constexpr std::string_view kPrefix = "opset";
  if (!version.starts_with(kPrefix)) return 0;
  return std::max<int64_t>(0, ParseIrInteger(version.substr(kPrefix.size())).value_or(0));
}

Result<IrLayer> ReadLayer(pugi::xml_node node, size_t index) {
  IrLayer layer;
  layer.name = node.attribute("name").value();
  layer.type = node.attribute("type").value();
  const Element element{node, "layer '" + layer.name + "', number " + std::to_string(index) + " of the file"};
  BNN_ASSIGN_OR_RETURN(layer.id, IntegerOf(element, "id"));
  if (layer.name.empty()) layer.name = "layer_" + std::to_string(layer.id);
  if (layer.type.empty()) return LayerError(layer, "attribute 'type' is missing");
  layer.version = node.attribute("version").value();
  layer.opset = OpsetOf(layer.version);
  layer.sinks = SplitNames(node.attribute("output_names").value());
  for (const pugi::xml_attribute attribute : node.child("data").attributes()) {
    if (!layer.data.emplace(attribute.name(), attribute.value()).second) {
      return LayerError(layer, std::string("attribute '") + attribute.name() + "' is given twice");
    }
  }
  std::set<int64_t> ids;
  BNN_RETURN_IF_ERROR(ReadPorts(node, "input", &layer, &ids));
  BNN_RETURN_IF_ERROR(ReadPorts(node, "output", &layer, &ids));
  return layer;
}

Result<std::vector<IrEdge>> ReadEdges(pugi::xml_node net) {
  std::vector<IrEdge> edges;
  for (const pugi::xml_node node : net.child("edges").children("edge")) {
    const Element element{node, "edge number " + std::to_string(edges.size()) + " of the file"};
    IrEdge edge;
    BNN_ASSIGN_OR_RETURN(edge.from_layer, IntegerOf(element, "from-layer"));
    BNN_ASSIGN_OR_RETURN(edge.from_port, IntegerOf(element, "from-port"));
    BNN_ASSIGN_OR_RETURN(edge.to_layer, IntegerOf(element, "to-layer"));
    BNN_ASSIGN_OR_RETURN(edge.to_port, IntegerOf(element, "to-port"));
    edges.push_back(edge);
  }
  return edges;
}

Status CheckDocument(const pugi::xml_document& document) {
  for (const pugi::xml_node node : document.children()) {
    if (node.type() == pugi::node_doctype) {
      return InvalidModel("has a document type declaration, which no IR has; its entities would not be expanded");
    }
  }
  if (!document.child("net")) return InvalidModel("is no IR: the root element <net> is missing");
  return OkStatus();
}

}  // namespace

Result<IrNet> ParseIr(std::string_view xml) {
  if (xml.size() > kMaxIrBytes) {
    return Unsupported("has " + std::to_string(xml.size()) + " bytes, the limit is " + std::to_string(kMaxIrBytes));
  }
  pugi::xml_document document;
  // pugixml knows the five entities of XML itself and no others: it has nothing to expand.
  const pugi::xml_parse_result parsed =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype);
  if (!parsed) {
    return InvalidModel(std::string("is no XML, or is damaged: ") + parsed.description() + " at byte " +
                        std::to_string(parsed.offset));
  }
  BNN_RETURN_IF_ERROR(CheckDocument(document));
  const pugi::xml_node root = document.child("net");
  IrNet net;
  BNN_ASSIGN_OR_RETURN(net.version, IntegerOf({root, "<net>"}, "version"));
  if (net.version < kOldestVersion || net.version > kNewestVersion) {
    return Unsupported("is an IR of version " + std::to_string(net.version) + "; supported are " +
                       std::to_string(kOldestVersion) + " and " + std::to_string(kNewestVersion));
  }
  std::set<int64_t> ids;
  for (const pugi::xml_node node : root.child("layers").children("layer")) {
    if (static_cast<int64_t>(net.layers.size()) >= kMaxIrLayers) {
      return InvalidModel("has more than " + std::to_string(kMaxIrLayers) + " layers");
    }
    BNN_ASSIGN_OR_RETURN(IrLayer layer, ReadLayer(node, net.layers.size()));
    if (!ids.insert(layer.id).second) return LayerError(layer, "another layer has the same id");
    net.layers.push_back(std::move(layer));
  }
  if (net.layers.empty()) return InvalidModel("has no layers");
  BNN_ASSIGN_OR_RETURN(const std::vector<IrEdge> edges, ReadEdges(root));
  BNN_RETURN_IF_ERROR(ConnectIr(edges, &net));
  return net;
}

}  // namespace bnn::formats
