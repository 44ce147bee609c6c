// A source graph as an ONNX file, so that other engines can run the network that was converted.
//
// Source graphs use the operators of ONNX and the quantizers of REFERENCE's sources. The file is written at the lowest
// opset from 13 on at which every node means the same: 13 in most cases, which all current engines read. Quantizers get
// their own domains: FakeQuantize `org.openvinotoolkit`, BipolarQuant `qonnx.custom_op.general`.
#pragma once

#include <string>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// A serialized onnx.ModelProto. An open batch becomes the dim "N". kUnsupported, naming the node, for what ONNX cannot
// say: a layout of channels last, an operator that it lacks; and for more than 2 GiB, protobuf's limit.
Result<std::string> SerializeOnnx(const SourceGraph& graph);

// Writes it to a file, whole or not at all.
Status WriteOnnxFile(const SourceGraph& graph, const std::string& path);

}  // namespace bnn::formats
