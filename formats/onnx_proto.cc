#include "formats/onnx_proto.h"

#include <bit>
#include <utility>
#include <variant>
#include <vector>

namespace bnn::formats {

static_assert(std::endian::native == std::endian::little, "raw data of ONNX are little-endian");

namespace {

// The elements as they lie in memory; none for an empty vector, whose data() is null.
template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

}  // namespace

int32_t OnnxType(DType type) {
  switch (type) {
    case DType::kFloat32:
      return onnx::TensorProto::FLOAT;
    case DType::kInt64:
      return onnx::TensorProto::INT64;
    case DType::kBool:
      return onnx::TensorProto::BOOL;
  }
  return onnx::TensorProto::UNDEFINED;
}

void WriteTensor(const Tensor& tensor, const std::string& name, onnx::TensorProto* proto) {
  proto->set_name(name);
  proto->set_data_type(OnnxType(tensor.type));
  for (const int64_t dim : tensor.dims) proto->add_dims(dim);
  std::string bytes;
  switch (tensor.type) {
    case DType::kFloat32:
      bytes = BytesOf(tensor.floats);
      break;
    case DType::kInt64:
      bytes = BytesOf(tensor.integers);
      break;
    case DType::kBool:
      for (const int64_t v : tensor.integers) bytes.push_back(v != 0 ? '\1' : '\0');
      break;
  }
  proto->set_raw_data(std::move(bytes));
}

void WriteAttribute(const std::string& name, const Attribute& attribute, onnx::AttributeProto* proto) {
  struct Writer {
    void operator()(int64_t value) const {
      proto->set_type(onnx::AttributeProto::INT);
      proto->set_i(value);
    }
    void operator()(float value) const {
      proto->set_type(onnx::AttributeProto::FLOAT);
      proto->set_f(value);
    }
    void operator()(const std::string& value) const {
      proto->set_type(onnx::AttributeProto::STRING);
      proto->set_s(value);
    }
    void operator()(const std::vector<int64_t>& values) const {
      proto->set_type(onnx::AttributeProto::INTS);
      for (const int64_t value : values) proto->add_ints(value);
    }
    void operator()(const std::vector<float>& values) const {
      proto->set_type(onnx::AttributeProto::FLOATS);
      for (const float value : values) proto->add_floats(value);
    }
    void operator()(const Tensor& value) const {
      proto->set_type(onnx::AttributeProto::TENSOR);
      WriteTensor(value, "", proto->mutable_t());
    }
    onnx::AttributeProto* const proto;
  };
  proto->set_name(name);
  std::visit(Writer{proto}, attribute);
}

}  // namespace bnn::formats
