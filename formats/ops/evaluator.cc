#include "formats/ops/evaluator.h"

#include <utility>

namespace bnn::formats {

Status NodeError(const SourceNode& node, const std::string& problem) {
  return InvalidModel("node '" + node.name + "' (" + node.op + "): " + problem);
}

Status NodeUnsupported(const SourceNode& node, const std::string& problem) {
  return Unsupported("node '" + node.name + "' (" + node.op + "): " + problem);
}

Result<Tensor> AllocateOutput(const SourceNode& node, DType type, Dims dims) {
  const int64_t count = CountElements(dims);
  if (count < 0 || count > kMaxEvaluatedElements) {
    return NodeError(node, "the output's dims " + DimsToString(dims) + " exceed the limit of " +
                               std::to_string(kMaxEvaluatedElements) + " elements");
  }
  Tensor tensor;
  tensor.type = type;
  tensor.dims = std::move(dims);
  if (type == DType::kFloat32) {
    tensor.floats.resize(static_cast<size_t>(count));
  } else {
    tensor.integers.resize(static_cast<size_t>(count));
  }
  return tensor;
}

Result<int64_t> ResolveAxis(const SourceNode& node, int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    return NodeError(node, "axis " + std::to_string(axis) + " is out of range for rank " + std::to_string(rank));
  }
  return axis < 0 ? axis + rank : axis;
}

Result<std::vector<int64_t>> IntegerInput(const SourceNode& node, const InputTensors& inputs, size_t index) {
  if (index >= inputs.size() || inputs[index] == nullptr) {
    return NodeError(node, "input " + std::to_string(index) + " is absent");
  }
  if (inputs[index]->type != DType::kInt64) {
    return NodeError(
        node, "input " + std::to_string(index) + " is " + DTypeName(inputs[index]->type) + ", expected integers");
  }
  return inputs[index]->integers;
}

Status ExpectFloat(const SourceNode& node, const InputTensors& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] != nullptr && inputs[i]->type != DType::kFloat32) {
      return NodeError(node, "input " + std::to_string(i) + " is " + DTypeName(inputs[i]->type) + ", expected float32");
    }
  }
  return OkStatus();
}

Dims RowMajorStrides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

}  // namespace bnn::formats
