#include "formats/importers/graphdef_tensor.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "formats/importers/stored_tensor.h"
#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

struct TypeEntry {
  int32_t code;  // DataType
  const char* name;
  StoredType stored;
  int64_t onnx;
};

constexpr TypeEntry kTypes[] = {
    {1, "DT_FLOAT", StoredType::kFloat32, onnx::TensorProto::FLOAT},
    {2, "DT_DOUBLE", StoredType::kFloat64, onnx::TensorProto::DOUBLE},
    {3, "DT_INT32", StoredType::kInt32, onnx::TensorProto::INT32},
    {4, "DT_UINT8", StoredType::kUint8, onnx::TensorProto::UINT8},
    {5, "DT_INT16", StoredType::kInt16, onnx::TensorProto::INT16},
    {6, "DT_INT8", StoredType::kInt8, onnx::TensorProto::INT8},
    {9, "DT_INT64", StoredType::kInt64, onnx::TensorProto::INT64},
    {10, "DT_BOOL", StoredType::kBool, onnx::TensorProto::BOOL},
    {14, "DT_BFLOAT16", StoredType::kBfloat16, onnx::TensorProto::BFLOAT16},
    {17, "DT_UINT16", StoredType::kUint16, onnx::TensorProto::UINT16},
    {19, "DT_HALF", StoredType::kFloat16, onnx::TensorProto::FLOAT16},
    {22, "DT_UINT32", StoredType::kUint32, onnx::TensorProto::UINT32},
    {23, "DT_UINT64", StoredType::kUint64, onnx::TensorProto::UINT64},
};

const TypeEntry* FindType(int32_t code) {
  for (const TypeEntry& entry : kTypes) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

// What the file keeps of the elements in a list of their type.
struct Listed {
  std::vector<float> floats;
  std::vector<int64_t> integers;
};

template <typename List, typename Element>
void Append(const List& list, std::vector<Element>* elements) {
  for (const auto value : list) elements->push_back(static_cast<Element>(value));
}

Listed ListedElements(StoredType type, const graphdef::ConstantTensor& proto) {
  Listed listed;
  switch (type) {
    case StoredType::kFloat32:
      Append(proto.float_val(), &listed.floats);
      break;
    case StoredType::kFloat64:
      Append(proto.double_val(), &listed.floats);
      break;
    case StoredType::kFloat16:
    case StoredType::kBfloat16:
      for (const int32_t bits : proto.half_val()) {
        listed.floats.push_back(FloatFromBits16(type, static_cast<uint16_t>(bits)));
      }
      break;
    case StoredType::kInt8:
    case StoredType::kUint8:
    case StoredType::kInt16:
    case StoredType::kUint16:
    case StoredType::kInt32:
      Append(proto.int_val(), &listed.integers);
      break;
    case StoredType::kUint32:
      Append(proto.uint32_val(), &listed.integers);
      break;
    case StoredType::kInt64:
      Append(proto.int64_val(), &listed.integers);
      break;
    case StoredType::kUint64:
      Append(proto.uint64_val(), &listed.integers);
      break;
    case StoredType::kBool:
      Append(proto.bool_val(), &listed.integers);
      break;
  }
  return listed;
}

// `count` elements: those of the list, and its last one again (0 for an empty list).
template <typename Element>
Status Fill(const std::string& what, const std::vector<Element>& list, int64_t count, int64_t* repeated,
            std::vector<Element>* elements) {
  const auto listed = static_cast<int64_t>(list.size());
  if (listed > count) {
    return InvalidModel(what + " lists " + std::to_string(listed) + " elements, expected at most " +
                        std::to_string(count));
  }
  *repeated += count - listed;
  if (*repeated > kMaxRepeatedElements) {
    return Unsupported(what + " repeats an element " + std::to_string(count - listed) +
                       " times; the limit for all constants is " + std::to_string(kMaxRepeatedElements));
  }
  *elements = list;
  elements->resize(static_cast<size_t>(count), list.empty() ? Element{} : list.back());
  return OkStatus();
}

Result<Dims> DimsOf(const graphdef::TensorShape& shape, const std::string& what) {
  if (shape.unknown_rank()) return InvalidModel(what + ": field tensor_shape has an unknown rank");
  Dims dims;
  for (const auto& dim : shape.dim()) dims.push_back(dim.size());
  BNN_RETURN_IF_ERROR(CheckDims(what, dims));
  return dims;
}

}  // namespace

bool DTypeFromGraphdef(int32_t type, DType* result) {
  const TypeEntry* entry = FindType(type);
  if (entry != nullptr) *result = HeldType(entry->stored);
  return entry != nullptr;
}

bool OnnxTypeFromGraphdef(int32_t type, int64_t* result) {
  const TypeEntry* entry = FindType(type);
  if (entry != nullptr) *result = entry->onnx;
  return entry != nullptr;
}

std::string GraphdefTypeName(int32_t type) {
  const TypeEntry* entry = FindType(type);
  if (entry == nullptr) return "data type " + std::to_string(type);
  return std::string(entry->name) + " (" + std::to_string(type) + ")";
}

Result<Tensor> TensorFromGraphdef(const graphdef::ConstantTensor& proto, const std::string& what, int64_t* repeated) {
  const TypeEntry* type = FindType(proto.dtype());
  if (type == nullptr) return Unsupported(what + " is of " + GraphdefTypeName(proto.dtype()));
  BNN_ASSIGN_OR_RETURN(Dims dims, DimsOf(proto.shape(), what));
  if (!proto.content().empty()) return TensorFromBytes(type->stored, what, std::move(dims), proto.content());
  Tensor tensor;
  tensor.type = HeldType(type->stored);
  const int64_t count = CountElements(dims);
  tensor.dims = std::move(dims);
  const Listed listed = ListedElements(type->stored, proto);
  if (tensor.type == DType::kFloat32) {
    BNN_RETURN_IF_ERROR(Fill(what, listed.floats, count, repeated, &tensor.floats));
  } else {
    BNN_RETURN_IF_ERROR(Fill(what, listed.integers, count, repeated, &tensor.integers));
  }
  return tensor;
}

}  // namespace bnn::formats
