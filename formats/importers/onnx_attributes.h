// AttributeProto -> Attribute, checked against the schemas of libonnx.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// Reads the attributes of `proto` into `node` (whose name and op are set). An attribute that the operator does not have
// at this opset, one of a wrong type, and a missing required one are errors.
Status ReadOnnxAttributes(const onnx::NodeProto& proto, int64_t opset, const std::string& folder, SourceNode* node);

}  // namespace bnn::formats
