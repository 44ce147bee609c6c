// Tensors and attributes of a source graph as ONNX has them: for files, and for what libonnx is asked.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>

#include "formats/source_graph.h"
#include "formats/tensor.h"

namespace bnn::formats {

// A TensorProto.DataType.
int32_t OnnxType(DType type);

void WriteTensor(const Tensor& tensor, const std::string& name, onnx::TensorProto* proto);

void WriteAttribute(const std::string& name, const Attribute& attribute, onnx::AttributeProto* proto);

}  // namespace bnn::formats
