// Matrix products: products and sums in double, rounded once.
#include <cstdint>
#include <vector>

#include "formats/ops/broadcast.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

// A matrix in memory, possibly read transposed.
struct MatrixView {
  const float* data;
  int64_t row_stride;
  int64_t column_stride;
  double At(int64_t row, int64_t column) const {
    return static_cast<double>(data[row * row_stride + column * column_stride]);
  }
};

double Dot(const MatrixView& a, const MatrixView& b, int64_t row, int64_t column, int64_t depth) {
  double sum = 0;
  for (int64_t k = 0; k < depth; ++k) sum += a.At(row, k) * b.At(k, column);
  return sum;
}

}  // namespace

// alpha * A' * B' + beta * C, where C broadcasts to the product.
Result<OutputTensors> EvaluateGemm(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& a = *inputs[0];
  const Tensor& b = *inputs[1];
  const Tensor* c = inputs.size() > 2 ? inputs[2] : nullptr;
  const bool trans_a = node.Int("transA", 0) != 0;
  const bool trans_b = node.Int("transB", 0) != 0;
  if (a.dims.size() != 2 || b.dims.size() != 2 || a.dims[trans_a ? 0 : 1] != b.dims[trans_b ? 1 : 0]) {
    return NodeError(node, "A of dims " + DimsToString(a.dims) + " (transA " + std::to_string(trans_a) +
                               ") and B of dims " + DimsToString(b.dims) + " (transB " + std::to_string(trans_b) +
                               ") do not fit");
  }
  const int64_t depth = a.dims[trans_a ? 0 : 1];
  const Dims out = {a.dims[trans_a ? 1 : 0], b.dims[trans_b ? 0 : 1]};
  Dims with_c = out;
  if (c != nullptr && (!BroadcastDims(out, c->dims, &with_c) || with_c != out)) {
    return NodeError(node, "C of dims " + DimsToString(c->dims) + " does not broadcast to " + DimsToString(out));
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kFloat32, out));
  const auto alpha = static_cast<double>(node.Float("alpha", 1.0F));
  const auto beta = static_cast<double>(node.Float("beta", 1.0F));
  const MatrixView left = {a.floats.data(), trans_a ? 1 : a.dims[1], trans_a ? a.dims[1] : 1};
  const MatrixView right = {b.floats.data(), trans_b ? 1 : b.dims[1], trans_b ? b.dims[1] : 1};
  const Dims c_strides = c == nullptr ? Dims{0, 0} : BroadcastStrides(c->dims, out);
  for (int64_t m = 0; m < out[0]; ++m) {
    for (int64_t n = 0; n < out[1]; ++n) {
      double sum = alpha * Dot(left, right, m, n, depth);
      if (c != nullptr) sum += beta * static_cast<double>(c->floats[m * c_strides[0] + n * c_strides[1]]);
      y.floats[m * out[1] + n] = static_cast<float>(sum);
    }
  }
  return OutputTensors{std::move(y)};
}

// As numpy.matmul: the leading dims broadcast; a vector counts as one row or one column and loses that dim again.
Result<OutputTensors> EvaluateMatMul(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  Dims a = inputs[0]->dims;
  Dims b = inputs[1]->dims;
  const bool a_is_vector = a.size() == 1;
  const bool b_is_vector = b.size() == 1;
  if (a_is_vector) a.insert(a.begin(), 1);
  if (b_is_vector) b.push_back(1);
  Dims batch;
  if (a.size() < 2 || b.size() < 2 || a.back() != b[b.size() - 2] ||
      !BroadcastDims(Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2), &batch)) {
    return NodeError(node, "inputs of dims " + DimsToString(inputs[0]->dims) + " and " + DimsToString(inputs[1]->dims) +
                               " do not fit");
  }
  const int64_t rows = a[a.size() - 2];
  const int64_t depth = a.back();
  const int64_t columns = b.back();
  Dims out = batch;
  if (!a_is_vector) out.push_back(rows);
  if (!b_is_vector) out.push_back(columns);
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kFloat32, out));
  const Dims strides[] = {BroadcastStrides(Dims(a.begin(), a.end() - 2), batch),
                          BroadcastStrides(Dims(b.begin(), b.end() - 2), batch)};
  ForEachElement(batch, strides, [&](int64_t i, const int64_t* at) {
    const MatrixView left = {inputs[0]->floats.data() + at[0] * rows * depth, depth, 1};
    const MatrixView right = {inputs[1]->floats.data() + at[1] * depth * columns, columns, 1};
    float* product = y.floats.data() + i * rows * columns;
    for (int64_t m = 0; m < rows; ++m) {
      for (int64_t n = 0; n < columns; ++n) {
        product[m * columns + n] = static_cast<float>(Dot(left, right, m, n, depth));
      }
    }
  });
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
