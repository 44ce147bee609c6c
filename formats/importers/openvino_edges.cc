#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "formats/importers/openvino_net.h"

namespace bnn::formats {
namespace {

std::optional<size_t> FindPort(const std::vector<IrPort>& ports, int64_t id) {
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].id == id) return i;
  }
  return std::nullopt;
}

std::string EdgeLabel(const IrEdge& edge) {
  return "edge from layer " + std::to_string(edge.from_layer) + " port " + std::to_string(edge.from_port) +
         " to layer " + std::to_string(edge.to_layer) + " port " + std::to_string(edge.to_port);
}

}  // namespace

std::string LayerLabel(const IrLayer& layer) {
  return "layer " + std::to_string(layer.id) + " '" + layer.name + "' (" + layer.type + ")";
}

Status LayerError(const IrLayer& layer, const std::string& problem) {
  return InvalidModel(LayerLabel(layer) + ": " + problem);
}

Status LayerUnsupported(const IrLayer& layer, const std::string& problem) {
  return Unsupported(LayerLabel(layer) + ": " + problem);
}

Status ConnectIr(const std::vector<IrEdge>& edges, IrNet* net) {
  std::map<int64_t, size_t> by_id;
  std::vector<std::vector<bool>> connected;
  for (size_t i = 0; i < net->layers.size(); ++i) {
    by_id[net->layers[i].id] = i;
    net->layers[i].sources.resize(net->layers[i].inputs.size());
    connected.emplace_back(net->layers[i].inputs.size(), false);
  }
  for (const IrEdge& edge : edges) {
    const auto from = by_id.find(edge.from_layer);
    const auto to = by_id.find(edge.to_layer);
    if (from == by_id.end() || to == by_id.end()) {
      return InvalidModel(EdgeLabel(edge) + ": there is no layer " +
                          std::to_string(from == by_id.end() ? edge.from_layer : edge.to_layer));
    }
    const std::optional<size_t> output = FindPort(net->layers[from->second].outputs, edge.from_port);
    if (!output) {
      return InvalidModel(EdgeLabel(edge) + ": " + LayerLabel(net->layers[from->second]) + " has no output port " +
                          std::to_string(edge.from_port));
    }
    IrLayer& reader = net->layers[to->second];
    const std::optional<size_t> input = FindPort(reader.inputs, edge.to_port);
    if (!input) {
      return InvalidModel(EdgeLabel(edge) + ": " + LayerLabel(reader) + " has no input port " +
                          std::to_string(edge.to_port));
    }
    if (connected[to->second][*input]) {
      return LayerError(reader, "two edges end at input port " + std::to_string(edge.to_port));
    }
    connected[to->second][*input] = true;
    reader.sources[*input] = {from->second, *output};
  }
  for (size_t i = 0; i < net->layers.size(); ++i) {
    for (size_t input = 0; input < connected[i].size(); ++input) {
      if (connected[i][input]) continue;
      return LayerError(net->layers[i],
                        "no edge ends at input port " + std::to_string(net->layers[i].inputs[input].id));
    }
  }
  return OkStatus();
}

Result<std::vector<size_t>> SortIr(const IrNet& net) {
  std::vector<size_t> waits(net.layers.size());
  std::vector<std::vector<size_t>> readers(net.layers.size());
  std::set<size_t> ready;
  for (size_t i = 0; i < net.layers.size(); ++i) {
    waits[i] = net.layers[i].sources.size();
    for (const IrSource& source : net.layers[i].sources) readers[source.layer].push_back(i);
    if (waits[i] == 0) ready.insert(i);
  }
  std::vector<size_t> order;
  while (!ready.empty()) {
    const size_t next = *ready.begin();
    ready.erase(ready.begin());
    order.push_back(next);
    for (const size_t reader : readers[next]) {
      if (--waits[reader] == 0) ready.insert(reader);
    }
  }
  if (order.size() == net.layers.size()) return order;
  const auto stuck = std::find_if(waits.begin(), waits.end(), [](size_t count) { return count > 0; });
  return LayerError(net.layers[static_cast<size_t>(stuck - waits.begin())], "is part of a cycle or depends on one");
}

}  // namespace bnn::formats
