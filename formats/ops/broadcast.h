// Numpy broadcasting: shapes align at the right, and a dim of 1 repeats. An operand's element for an output position is
// found through strides in which repeated dims count 0.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bnn/status.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {

// False when the shapes do not fit.
inline bool BroadcastDims(const Dims& a, const Dims& b, Dims* out) {
  out->assign(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < out->size(); ++i) {  // i counts from the right
    const int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) return false;
    (*out)[out->size() - 1 - i] = da == 1 ? db : da;
  }
  return true;
}

// Strides of an operand over the output's dims.
inline Dims BroadcastStrides(const Dims& operand, const Dims& out) {
  const Dims own = RowMajorStrides(operand);
  Dims strides(out.size(), 0);
  const size_t shift = out.size() - operand.size();
  for (size_t i = 0; i < operand.size(); ++i) strides[i + shift] = operand[i] == 1 ? 0 : own[i];
  return strides;
}

// Calls visit(output_index, offsets) for each element of `out`, in row-major order; offsets[k] is the element of the
// k-th operand whose strides over `out` are strides[k].
template <size_t N, typename Visit>
void ForEachElement(const Dims& out, const Dims (&strides)[N], Visit visit) {
  const int64_t count = CountElements(out);
  const size_t rank = out.size();
  std::vector<int64_t> index(rank, 0);
  int64_t offsets[N] = {};
  for (int64_t i = 0; i < count; ++i) {
    visit(i, offsets);
    for (size_t axis = rank; axis-- > 0;) {
      for (size_t k = 0; k < N; ++k) offsets[k] += strides[k][axis];
      if (++index[axis] < out[axis]) break;
      for (size_t k = 0; k < N; ++k) offsets[k] -= strides[k][axis] * out[axis];
      index[axis] = 0;
    }
  }
}

// The common shape of all inputs, or an error that names the node and the shapes.
inline Result<Dims> BroadcastInputs(const SourceNode& node, const InputTensors& inputs) {
  Dims out = inputs[0]->dims;
  for (size_t i = 1; i < inputs.size(); ++i) {
    Dims wider;
    if (!BroadcastDims(out, inputs[i]->dims, &wider)) {
      return NodeError(node, "input " + std::to_string(i) + " of dims " + DimsToString(inputs[i]->dims) +
                                 " does not broadcast with " + DimsToString(out));
    }
    out = std::move(wider);
  }
  return out;
}

}  // namespace bnn::formats
