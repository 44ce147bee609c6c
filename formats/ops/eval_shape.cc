// Operators that change the shape of a tensor, read it, or make a tensor from it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

Result<OutputTensors> WithDims(const SourceNode& node, const Tensor& x, Dims dims) {
  if (CountElements(dims) != x.size()) {
    return NodeError(node, "cannot view dims " + DimsToString(x.dims) + " as " + DimsToString(dims));
  }
  Tensor y = x;
  y.dims = std::move(dims);
  return OutputTensors{std::move(y)};
}

// The axes of input 1 within [0, rank), sorted; a repeated axis is an error.
Result<std::vector<int64_t>> ReadAxes(const SourceNode& node, const InputTensors& inputs, int64_t rank) {
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> axes, IntegerInput(node, inputs, 1));
  for (int64_t& axis : axes) {
    BNN_ASSIGN_OR_RETURN(axis, ResolveAxis(node, axis, rank));
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) return NodeError(node, "an axis is given twice");
  return axes;
}

}  // namespace

Result<OutputTensors> EvaluateIdentity(const SourceNode&, const InputTensors& inputs) {
  return OutputTensors{*inputs[0]};
}

// 0 copies the input's dim (unless allowzero), one -1 takes what is left.
Result<OutputTensors> EvaluateReshape(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  BNN_ASSIGN_OR_RETURN(Dims dims, IntegerInput(node, inputs, 1));
  const bool allow_zero = node.Int("allowzero", 0) != 0;
  const Dims target = dims;
  int64_t open = -1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && !allow_zero) {
      if (i >= x.dims.size()) return NodeError(node, "shape " + DimsToString(target) + " copies a dim that is absent");
      dims[i] = x.dims[i];
    } else if (dims[i] == -1) {
      if (open >= 0) return NodeError(node, "the shape has more than one -1");
      open = static_cast<int64_t>(i);
    } else if (dims[i] < -1) {
      return NodeError(node, "the shape holds " + std::to_string(dims[i]));
    }
  }
  if (open >= 0) {
    dims[open] = 1;
    const int64_t others = CountElements(dims);
    if (others <= 0 || x.size() % others != 0) {
      return NodeError(node, "cannot view dims " + DimsToString(x.dims) + " as " + DimsToString(target));
    }
    dims[open] = x.size() / others;
  }
  return WithDims(node, x, std::move(dims));
}

Result<OutputTensors> EvaluateFlatten(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  const auto rank = static_cast<int64_t>(x.dims.size());
  int64_t axis = node.Int("axis", 1);
  if (axis < -rank || axis > rank) return NodeError(node, "axis " + std::to_string(axis) + " is out of range");
  if (axis < 0) axis += rank;
  return WithDims(node, x,
                  {CountElements(Dims(x.dims.begin(), x.dims.begin() + axis)),
                   CountElements(Dims(x.dims.begin() + axis, x.dims.end()))});
}

Result<OutputTensors> EvaluateSqueeze(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  Dims out;
  if (inputs.size() < 2 || inputs[1] == nullptr) {
    for (const int64_t dim : x.dims) {
      if (dim != 1) out.push_back(dim);
    }
    return WithDims(node, x, std::move(out));
  }
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ReadAxes(node, inputs, static_cast<int64_t>(x.dims.size())));
  for (size_t i = 0; i < x.dims.size(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i))) {
      out.push_back(x.dims[i]);
    } else if (x.dims[i] != 1) {
      return NodeError(node, "cannot drop axis " + std::to_string(i) + " of dims " + DimsToString(x.dims));
    }
  }
  return WithDims(node, x, std::move(out));
}

Result<OutputTensors> EvaluateUnsqueeze(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  const int64_t rank = static_cast<int64_t>(x.dims.size()) + inputs[1]->size();
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ReadAxes(node, inputs, rank));
  Dims out;
  size_t next = 0;
  for (int64_t i = 0; i < rank; ++i) {
    out.push_back(std::binary_search(axes.begin(), axes.end(), i) ? 1 : x.dims[next++]);
  }
  return WithDims(node, x, std::move(out));
}

// `start` and `end` choose a range of the dims, as a Python slice does.
Result<OutputTensors> EvaluateShape(const SourceNode& node, const InputTensors& inputs) {
  const Dims& dims = inputs[0]->dims;
  const auto rank = static_cast<int64_t>(dims.size());
  const auto clamp = [rank](int64_t position) {
    return position < -rank ? 0 : std::clamp<int64_t>(position < 0 ? position + rank : position, 0, rank);
  };
  const int64_t start = clamp(node.Int("start", 0));
  const int64_t end = std::max(start, clamp(node.Int("end", rank)));
  std::vector<int64_t> values(dims.begin() + start, dims.begin() + end);
  const auto count = static_cast<int64_t>(values.size());
  return OutputTensors{IntTensor({count}, std::move(values))};
}

Result<OutputTensors> EvaluateConstantOfShape(const SourceNode& node, const InputTensors& inputs) {
  BNN_ASSIGN_OR_RETURN(const Dims dims, IntegerInput(node, inputs, 0));
  Tensor value = FloatTensor({1}, {0.0F});
  if (const auto it = node.attributes.find("value"); it != node.attributes.end()) {
    const Tensor* given = std::get_if<Tensor>(&it->second);
    if (given == nullptr || given->size() != 1) return NodeError(node, "attribute 'value' must hold one element");
    value = *given;
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, value.type, dims));
  if (value.type == DType::kFloat32) {
    std::fill(y.floats.begin(), y.floats.end(), value.floats[0]);
  } else {
    std::fill(y.integers.begin(), y.integers.end(), value.integers[0]);
  }
  return OutputTensors{std::move(y)};
}

// start, start + delta, ... up to but without limit.
Result<OutputTensors> EvaluateRange(const SourceNode& node, const InputTensors& inputs) {
  for (const Tensor* input : inputs) {
    if (input->size() != 1 || input->type != inputs[0]->type || input->type == DType::kBool) {
      return NodeError(node, "start, limit and delta must be single numbers of one type");
    }
  }
  const bool is_float = inputs[0]->type == DType::kFloat32;
  const auto number = [is_float](const Tensor* tensor) {
    return is_float ? static_cast<double>(tensor->floats[0]) : static_cast<double>(tensor->integers[0]);
  };
  const double count = std::ceil((number(inputs[1]) - number(inputs[0])) / number(inputs[2]));
  if (!(count < static_cast<double>(kMaxEvaluatedElements))) return NodeError(node, "the range is endless or too long");
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, inputs[0]->type, {count <= 0 ? 0 : static_cast<int64_t>(count)}));
  for (size_t i = 0; i < y.floats.size(); ++i) {
    y.floats[i] = inputs[0]->floats[0] + static_cast<float>(i) * inputs[2]->floats[0];
  }
  for (size_t i = 0; i < y.integers.size(); ++i) {
    // In unsigned arithmetic, where wrapping is defined.
    y.integers[i] = static_cast<int64_t>(static_cast<uint64_t>(inputs[0]->integers[0]) +
                                         static_cast<uint64_t>(i) * static_cast<uint64_t>(inputs[2]->integers[0]));
  }
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
