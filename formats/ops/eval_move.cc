// Operators that only move elements, of any type. Most are one strided read: element `index` of the output is element
// base + sum(index[axis] * strides[axis]) of the input.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "formats/ops/broadcast.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

// Calls move(destination, source) with the vectors that hold the elements of y and x.
template <typename Move>
void WithElements(Tensor* y, const Tensor& x, Move move) {
  if (x.type == DType::kFloat32) {
    move(y->floats, x.floats);
  } else {
    move(y->integers, x.integers);
  }
}

Result<Tensor> ReadStrided(const SourceNode& node, const Tensor& x, int64_t base, const Dims& strides,
                           const Dims& out) {
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, x.type, out));
  const Dims all_strides[] = {strides};
  WithElements(&y, x, [&](auto& to, const auto& from) {
    ForEachElement(out, all_strides, [&](int64_t i, const int64_t* at) { to[i] = from[base + at[0]]; });
  });
  return y;
}

// One axis of Slice: where to begin, how far to step, how many elements.
struct SliceRange {
  int64_t begin;
  int64_t step;
  int64_t count;
};

// As in Python: negative positions count from the end, positions beyond the ends are moved to them.
SliceRange ResolveSlice(int64_t start, int64_t end, int64_t step, int64_t dim) {
  const int64_t lowest = step > 0 ? 0 : -1;
  const int64_t highest = step > 0 ? dim : dim - 1;
  const auto clamp = [&](int64_t position) {
    if (position < 0) position = position < -dim ? lowest : position + dim;
    return std::clamp(position, std::min(lowest, highest), std::max(lowest, highest));
  };
  start = clamp(start);
  end = clamp(end);
  const int64_t distance = step > 0 ? end - start : start - end;
  // -(INT64_MIN) does not exist; any step beyond the dim takes one element.
  const int64_t stride =
      step == std::numeric_limits<int64_t>::min() ? std::numeric_limits<int64_t>::max() : (step > 0 ? step : -step);
  return {start, step, distance <= 0 ? 0 : (distance - 1) / stride + 1};
}

// Where position `i` of a padded axis reads from; -1 where it takes the constant.
int64_t PadSource(const std::string& mode, int64_t i, int64_t begin, int64_t dim) {
  const int64_t position = i - begin;
  if (position >= 0 && position < dim) return position;
  if (mode == "edge") return position < 0 ? 0 : dim - 1;
  if (mode == "symmetric") return position < 0 ? -1 - position : 2 * dim - 1 - position;
  if (mode == "reflect") return position < 0 ? -position : 2 * (dim - 1) - position;
  return -1;
}

Status CheckPads(const SourceNode& node, const std::string& mode, const Dims& dims, const std::vector<int64_t>& pads) {
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "symmetric") {
    return NodeUnsupported(node, "attribute 'mode' is \"" + mode + "\"");
  }
  if (pads.size() != 2 * dims.size()) {
    return NodeError(node, "has " + std::to_string(pads.size()) + " pads, expected " + std::to_string(2 * dims.size()));
  }
  for (size_t i = 0; i < pads.size(); ++i) {
    const int64_t dim = dims[i % dims.size()];
    const bool reads_data = mode != "constant" && pads[i] > 0;
    const int64_t limit = pads[i] <= 0          ? 0
                          : mode == "reflect"   ? dim - 1
                          : mode == "symmetric" ? dim
                                                : kMaxEvaluatedElements;
    // A negative pad cuts elements away.
    if (pads[i] > limit || pads[i] < -dim || (reads_data && dim == 0)) {
      return NodeError(node, "pad " + std::to_string(pads[i]) + " does not fit dims " + DimsToString(dims) +
                                 " in mode \"" + mode + "\"");
    }
    if (mode != "constant" && pads[i] < 0) {
      return NodeUnsupported(node, "negative pads in mode \"" + mode + "\"");
    }
  }
  return OkStatus();
}

}  // namespace

Result<OutputTensors> EvaluateTranspose(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  const size_t rank = x.dims.size();
  std::vector<int64_t> reversed(rank);
  for (size_t i = 0; i < rank; ++i) reversed[i] = static_cast<int64_t>(rank - 1 - i);
  const std::vector<int64_t> perm = node.Ints("perm", reversed);
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  std::sort(reversed.begin(), reversed.end());
  if (sorted != reversed) {
    return NodeError(node, "perm " + DimsToString(perm) + " is no permutation of " + std::to_string(rank) + " axes");
  }
  const Dims own = RowMajorStrides(x.dims);
  Dims strides;
  Dims out;
  for (const int64_t axis : perm) {
    strides.push_back(own[axis]);
    out.push_back(x.dims[axis]);
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, ReadStrided(node, x, 0, strides, out));
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateExpand(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  BNN_ASSIGN_OR_RETURN(const Dims shape, IntegerInput(node, inputs, 1));
  Dims out;
  if (CountElements(shape) < 0 || !BroadcastDims(x.dims, shape, &out)) {
    return NodeError(node, "dims " + DimsToString(x.dims) + " do not expand to " + DimsToString(shape));
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, ReadStrided(node, x, 0, BroadcastStrides(x.dims, out), out));
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateSlice(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  const auto rank = static_cast<int64_t>(x.dims.size());
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> starts, IntegerInput(node, inputs, 1));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, IntegerInput(node, inputs, 2));
  std::vector<int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::vector<int64_t> steps(starts.size(), 1);
  if (inputs.size() > 3 && inputs[3] != nullptr) {
    BNN_ASSIGN_OR_RETURN(axes, IntegerInput(node, inputs, 3));
  }
  if (inputs.size() > 4 && inputs[4] != nullptr) {
    BNN_ASSIGN_OR_RETURN(steps, IntegerInput(node, inputs, 4));
  }
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    return NodeError(node, "starts, ends, axes and steps have different lengths");
  }
  Dims strides = RowMajorStrides(x.dims);
  Dims out = x.dims;
  int64_t base = 0;
  std::vector<bool> seen(x.dims.size(), false);
  for (size_t i = 0; i < starts.size(); ++i) {
    BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, axes[i], rank));
    if (steps[i] == 0) return NodeError(node, "a step is 0");
    if (seen[axis]) return NodeError(node, "axis " + std::to_string(axis) + " is sliced twice");
    seen[axis] = true;
    const SliceRange range = ResolveSlice(starts[i], ends[i], steps[i], x.dims[axis]);
    out[axis] = range.count;
    base += range.count == 0 ? 0 : range.begin * strides[axis];
    strides[axis] = range.count <= 1 ? 0 : strides[axis] * range.step;
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, ReadStrided(node, x, base, strides, out));
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateSplit(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, node.Int("axis", 0), static_cast<int64_t>(x.dims.size())));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, IntegerInput(node, inputs, 1));
  int64_t left = x.dims[axis];
  bool fits = true;
  for (const int64_t size : sizes) {
    fits = fits && size >= 0 && size <= left;
    if (fits) left -= size;
  }
  if (!fits || left != 0) {
    return NodeError(node, "sizes " + DimsToString(sizes) + " do not sum to the dim " + std::to_string(x.dims[axis]));
  }
  const Dims strides = RowMajorStrides(x.dims);
  OutputTensors outputs;
  int64_t begin = 0;
  for (const int64_t size : sizes) {
    Dims out = x.dims;
    out[axis] = size;
    BNN_ASSIGN_OR_RETURN(Tensor y, ReadStrided(node, x, begin * strides[axis], strides, out));
    outputs.push_back(std::move(y));
    begin += size;
  }
  return outputs;
}

Result<OutputTensors> EvaluateConcat(const SourceNode& node, const InputTensors& inputs) {
  for (const Tensor* input : inputs) {
    if (input == nullptr) return NodeError(node, "an input is absent");
  }
  Dims out = inputs[0]->dims;
  BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, node.Int("axis", 0), static_cast<int64_t>(out.size())));
  for (size_t i = 1; i < inputs.size(); ++i) {
    Dims expected = inputs[0]->dims;
    if (inputs[i]->dims.size() == expected.size()) expected[axis] = inputs[i]->dims[axis];
    if (inputs[i]->dims != expected || inputs[i]->type != inputs[0]->type) {
      return NodeError(node, "input " + std::to_string(i) + " is " + DTypeName(inputs[i]->type) +
                                 DimsToString(inputs[i]->dims) + ", the first is " + DTypeName(inputs[0]->type) +
                                 DimsToString(inputs[0]->dims));
    }
    if (__builtin_add_overflow(out[axis], inputs[i]->dims[axis], &out[axis])) return NodeError(node, "is too large");
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, inputs[0]->type, out));
  const int64_t inner = CountElements(Dims(out.begin() + axis + 1, out.end()));
  const int64_t outer = CountElements(Dims(out.begin(), out.begin() + axis));
  int64_t begin = 0;
  for (const Tensor* input : inputs) {
    const int64_t run = input->dims[axis] * inner;
    WithElements(&y, *input, [&](auto& to, const auto& from) {
      for (int64_t o = 0; o < outer; ++o) {
        std::copy_n(from.begin() + o * run, run, to.begin() + o * out[axis] * inner + begin);
      }
    });
    begin += run;
  }
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluatePad(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  const std::string mode = node.String("mode", "constant");
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, IntegerInput(node, inputs, 1));
  BNN_RETURN_IF_ERROR(CheckPads(node, mode, x.dims, pads));
  const Tensor* value = inputs.size() > 2 ? inputs[2] : nullptr;
  if (value != nullptr && (value->type != x.type || value->size() != 1)) {
    return NodeError(node, "the padding value must be one " + std::string(DTypeName(x.type)));
  }
  const size_t rank = x.dims.size();
  Dims out = x.dims;
  for (size_t i = 0; i < rank; ++i) {
    out[i] += pads[i] + pads[rank + i];
    if (out[i] < 0) return NodeError(node, "pads " + DimsToString(pads) + " cut away more than there is");
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, x.type, out));
  const Dims strides = RowMajorStrides(x.dims);
  const Dims out_strides = RowMajorStrides(out);
  WithElements(&y, x, [&](auto& to, const auto& from) {
    typename std::remove_reference_t<decltype(to)>::value_type fill = 0;
    if (value != nullptr)
      WithElements(&y, *value, [&](auto&, const auto& values) { fill = static_cast<decltype(fill)>(values[0]); });
    for (int64_t i = 0; i < static_cast<int64_t>(to.size()); ++i) {
      int64_t source = 0;
      for (size_t axis = 0; axis < rank && source >= 0; ++axis) {
        const int64_t at = PadSource(mode, i / out_strides[axis] % out[axis], pads[axis], x.dims[axis]);
        source = at < 0 ? -1 : source + at * strides[axis];
      }
      to[i] = source < 0 ? fill : from[source];
    }
  });
  return OutputTensors{std::move(y)};
}

// output[outer, j, inner] = data[outer, indices[j], inner]; negative indices count from the end.
Result<OutputTensors> EvaluateGather(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, node.Int("axis", 0), static_cast<int64_t>(x.dims.size())));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> indices, IntegerInput(node, inputs, 1));
  const int64_t dim = x.dims[axis];
  for (const int64_t index : indices) {
    if (index < -dim || index >= dim) {
      return NodeError(node, "index " + std::to_string(index) + " is out of range for the dim " + std::to_string(dim));
    }
  }
  Dims out(x.dims.begin(), x.dims.begin() + axis);
  out.insert(out.end(), inputs[1]->dims.begin(), inputs[1]->dims.end());
  out.insert(out.end(), x.dims.begin() + axis + 1, x.dims.end());
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, x.type, out));
  const int64_t outer = CountElements(Dims(x.dims.begin(), x.dims.begin() + axis));
  const int64_t inner = CountElements(Dims(x.dims.begin() + axis + 1, x.dims.end()));
  WithElements(&y, x, [&](auto& to, const auto& from) {
    auto destination = to.begin();
    for (int64_t o = 0; o < outer; ++o) {
      for (const int64_t index : indices) {
        const int64_t row = o * dim + (index < 0 ? index + dim : index);
        destination = std::copy_n(from.begin() + row * inner, inner, destination);
      }
    }
  });
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
