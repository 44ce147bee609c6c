// A network of OpenVINO's Intermediate Representation as its .xml describes it: plain structs, checked, but with
// nothing known of any operator yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bnn/status.h"
#include "formats/tensor.h"

namespace bnn::formats {

inline constexpr int64_t kMaxIrLayers = 100000;
inline constexpr size_t kMaxIrBytes = size_t{256} << 20;  // of the .xml; a network of 1000 layers has about 1 MiB

struct IrPort {
  int64_t id = 0;
  std::string precision;           // "FP32", "I64", "BIN", ...; "" where the file does not say
  std::vector<std::string> names;  // of the tensor, sorted; output ports only
  Dims dims;                       // -1: open
};

// Where an input comes from: output `port` (an index into outputs) of the layer at index `layer`.
struct IrSource {
  size_t layer = 0;
  size_t port = 0;
};

struct IrLayer {
  int64_t id = 0;
  std::string name;
  std::string type;                         // "Convolution"
  int64_t opset = 0;                        // 8 of version="opset8"; 0 for an extension
  std::string version;                      // as written
  std::map<std::string, std::string> data;  // the attributes of <data>
  std::vector<IrPort> inputs;               // by position, which is what counts; ids are for the edges only
  std::vector<IrPort> outputs;
  std::vector<IrSource> sources;   // one an input, once edges are connected
  std::vector<std::string> sinks;  // Result only: `output_names`, sorted
};

struct IrNet {
  int64_t version = 0;  // 10 or 11
  std::vector<IrLayer> layers;
};

// "layer 5 'conv1' (Convolution)": how messages name it.
std::string LayerLabel(const IrLayer& layer);
Status LayerError(const IrLayer& layer, const std::string& problem);
Status LayerUnsupported(const IrLayer& layer, const std::string& problem);

// openvino_xml.cc: the bytes of a .xml -> layers with their sources. Every error names the layer and what is wrong with
// it. Entities are not expanded and document types are refused, so a small file cannot become a large one.
Result<IrNet> ParseIr(std::string_view xml);

// openvino_edges.cc
struct IrEdge {
  int64_t from_layer = 0, from_port = 0, to_layer = 0, to_port = 0;
};
// Fills in the sources of all inputs. Each input port must be the end of exactly one edge.
Status ConnectIr(const std::vector<IrEdge>& edges, IrNet* net);
// Indices of the layers such that each comes behind its sources, in the file's order where that is free; an error that
// names a layer of a cycle where there is one.
Result<std::vector<size_t>> SortIr(const IrNet& net);

}  // namespace bnn::formats
