// Transposition of dense tensors.
//
// Axes that stay neighbours in the output are merged first. NCHW -> NHWC, perm {0, 2, 3, 1}, becomes the transposition
// of a matrix [C][HW] per sample, and NHWC -> NCHW that of [HW][C]: most transpositions of networks are of this kind
// (transpose_matrix.h). What remains is done by an odometer over the output.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"
#include "engine/ops/transpose_matrix.h"

namespace bnn::engine {
namespace {

struct Permutation {
  std::vector<int64_t> dims;  // of the input
  std::vector<size_t> perm;   // output axis i is input axis perm[i]
};

// Drops axes of size 1 and merges runs of input axes that are neighbours in the output too.
Permutation Simplify(const std::vector<int64_t>& dims, const std::vector<int64_t>& perm) {
  std::vector<size_t> order;  // input axes in output order, without those of size 1
  for (const int64_t axis : perm) {
    if (dims[static_cast<size_t>(axis)] != 1) order.push_back(static_cast<size_t>(axis));
  }
  const auto neighbours = [&](size_t a, size_t b) {  // is b the next axis after a, but for axes of size 1?
    if (b <= a) return false;
    for (size_t i = a + 1; i < b; ++i) {
      if (dims[i] != 1) return false;
    }
    return true;
  };
  struct Run {
    size_t first_axis;
    int64_t size;
  };
  std::vector<Run> runs;  // in output order
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && neighbours(order[i - 1], order[i])) {
      runs.back().size *= dims[order[i]];
    } else {
      runs.push_back({order[i], dims[order[i]]});
    }
  }
  Permutation result;
  result.dims.resize(runs.size());
  for (const Run& run : runs) {
    const auto rank = static_cast<size_t>(
        std::count_if(runs.begin(), runs.end(), [&](const Run& r) { return r.first_axis < run.first_axis; }));
    result.perm.push_back(rank);
    result.dims[rank] = run.size;
  }
  return result;
}

class TransposeStep final : public Step {
 public:
  TransposeStep(const StepContext& context, const FloatNode& node, const formats::Transpose& op)
      : batch_(context.plan.batch) {
    const std::vector<int64_t>& dims = context.Tensor(node.inputs[0]).dims;
    sample_ = formats::ElementCount(dims);
    const Permutation p = Simplify(dims, op.perm);
    matrix_ = p.perm.size() == 2;
    copy_ = p.perm.size() < 2;
    if (matrix_) {
      rows_ = p.dims[0];
      cols_ = p.dims[1];
    }
    std::vector<int64_t> strides(p.dims.size(), 1);
    for (size_t i = p.dims.size(); i-- > 1;) strides[i - 1] = strides[i] * p.dims[i];
    for (const size_t axis : p.perm) {
      out_dims_.push_back(p.dims[axis]);
      in_strides_.push_back(strides[axis]);
    }
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = "transpose";
    description.kernel = copy_ ? "copy" : matrix_ ? "tiled" : "strided";
    description.shape = DimsText(dims) + " -> " + DimsText(context.Tensor(node.output).dims);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    if (copy_) {
      std::memcpy(out, in, static_cast<size_t>(batch_ * sample_) * sizeof(float));
    } else if (matrix_) {
      ParallelItems(*context.pool, batch_ * cols_, rows_, [&](int64_t begin, int64_t end) {
        while (begin < end) {
          const int64_t n = begin / cols_, col = begin % cols_;
          const int64_t count = std::min(end - begin, cols_ - col);
          TransposeMatrix(in + n * sample_, rows_, cols_, col, col + count, out + n * sample_);
          begin += count;
        }
      });
    } else {
      const int64_t inner = out_dims_.back();
      ParallelItems(*context.pool, batch_ * sample_ / inner, inner,
                    [&](int64_t begin, int64_t end) { StridedRows(in, begin, end, out); });
    }
    return OkStatus();
  }

 private:
  // The output rows [begin, end), counted over all samples; a row is the last output axis.
  void StridedRows(const float* in, int64_t begin, int64_t end, float* out) const {
    const size_t outer = out_dims_.size() - 1;
    const int64_t inner = out_dims_.back(), inner_stride = in_strides_.back();
    std::array<int64_t, formats::kMaxRank> index{};
    int64_t rest = begin;
    for (size_t i = outer; i-- > 0;) {
      index[i] = rest % out_dims_[i];
      rest /= out_dims_[i];
    }
    int64_t sample = rest;
    for (int64_t row = begin; row < end; ++row) {
      const float* from = in + sample * sample_;
      for (size_t i = 0; i < outer; ++i) from += index[i] * in_strides_[i];
      float* to = out + row * inner;
      if (inner_stride == 1) {
        std::memcpy(to, from, static_cast<size_t>(inner) * sizeof(float));
      } else {
        for (int64_t i = 0; i < inner; ++i) to[i] = from[i * inner_stride];
      }
      size_t axis = outer;
      while (axis > 0 && ++index[axis - 1] == out_dims_[axis - 1]) index[--axis] = 0;
      if (axis == 0) ++sample;
    }
  }

  const int64_t batch_;
  int64_t sample_ = 0;  // elements
  bool copy_ = false, matrix_ = false;
  int64_t rows_ = 0, cols_ = 0;  // of the matrix that a sample is
  std::vector<int64_t> out_dims_, in_strides_;
};

}  // namespace

Result<StepPtr> MakeTranspose(StepContext& context, const FloatNode& node, const formats::Transpose& op) {
  return StepPtr(std::make_unique<TransposeStep>(context, node, op));
}

}  // namespace bnn::engine
