// Builds ONNX files in memory, sound or broken, for the tests of the importer.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "formats/importers/onnx_importer.h"

namespace bnn::test {

class OnnxModel {
 public:
  explicit OnnxModel(int64_t opset = 13) {
    proto.set_ir_version(8);
    if (opset > 0) proto.add_opset_import()->set_version(opset);
  }

  // A dim below 0 is open, named after its index.
  OnnxModel& Input(const std::string& name, const std::vector<int64_t>& dims) {
    auto* input = proto.mutable_graph()->add_input();
    input->set_name(name);
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    type->mutable_shape();
    for (size_t i = 0; i < dims.size(); ++i) {
      auto* dim = type->mutable_shape()->add_dim();
      if (dims[i] < 0) {
        dim->set_dim_param("D" + std::to_string(i));
      } else {
        dim->set_dim_value(dims[i]);
      }
    }
    return *this;
  }

  OnnxModel& Output(const std::string& name) {
    proto.mutable_graph()->add_output()->set_name(name);
    return *this;
  }

  onnx::NodeProto* Node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& domain = "") {
    auto* node = proto.mutable_graph()->add_node();
    node->set_name(op + "." + outputs[0]);
    node->set_op_type(op);
    node->set_domain(domain);
    for (const std::string& input : inputs) node->add_input(input);
    for (const std::string& output : outputs) node->add_output(output);
    return node;
  }

  onnx::TensorProto* Floats(const std::string& name, const std::vector<int64_t>& dims,
                            const std::vector<float>& values) {
    auto* tensor = AddTensor(name, dims, onnx::TensorProto::FLOAT);
    for (const float value : values) tensor->add_float_data(value);
    return tensor;
  }

  onnx::TensorProto* Ints(const std::string& name, const std::vector<int64_t>& dims,
                          const std::vector<int64_t>& values) {
    auto* tensor = AddTensor(name, dims, onnx::TensorProto::INT64);
    for (const int64_t value : values) tensor->add_int64_data(value);
    return tensor;
  }

  static void SetInts(onnx::NodeProto* node, const std::string& key, const std::vector<int64_t>& values) {
    auto* attribute = node->add_attribute();
    attribute->set_name(key);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (const int64_t value : values) attribute->add_ints(value);
  }

  static void SetInt(onnx::NodeProto* node, const std::string& key, int64_t value) {
    auto* attribute = node->add_attribute();
    attribute->set_name(key);
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(value);
  }

  static void SetString(onnx::NodeProto* node, const std::string& key, const std::string& value) {
    auto* attribute = node->add_attribute();
    attribute->set_name(key);
    attribute->set_type(onnx::AttributeProto::STRING);
    attribute->set_s(value);
  }

  Result<formats::SourceGraph> Import(const formats::ImportOptions& options = {},
                                      const std::string& folder = "") const {
    return formats::ImportOnnxBytes(proto.SerializeAsString(), "test.onnx", folder, options);
  }

  onnx::ModelProto proto;

 private:
  onnx::TensorProto* AddTensor(const std::string& name, const std::vector<int64_t>& dims, int32_t type) {
    auto* tensor = proto.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const int64_t dim : dims) tensor->add_dims(dim);
    return tensor;
  }
};

}  // namespace bnn::test
