#include <algorithm>
#include <cmath>
#include <cstdint>

#include "formats/ops/broadcast.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {

// y = (x - mean) / sqrt(var + epsilon) * scale + bias per channel (axis 1), in double, rounded once.
Result<OutputTensors> EvaluateBatchNormalization(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& x = *inputs[0];
  const int64_t channels = x.dims.size() < 2 ? 1 : x.dims[1];
  for (size_t i = 1; i < 5; ++i) {
    if (inputs[i]->dims != Dims{channels}) {
      return NodeError(node, "input " + std::to_string(i) + " has dims " + DimsToString(inputs[i]->dims) +
                                 ", expected [" + std::to_string(channels) + "]");
    }
  }
  const auto epsilon = static_cast<double>(node.Float("epsilon", 1e-5F));
  const int64_t plane = x.dims.size() < 2 ? 1 : CountElements(Dims(x.dims.begin() + 2, x.dims.end()));
  Tensor y = x;
  for (int64_t i = 0; i < y.size(); ++i) {
    const int64_t c = i / plane % channels;
    const auto scale = static_cast<double>(inputs[1]->floats[c]);
    const auto bias = static_cast<double>(inputs[2]->floats[c]);
    const auto mean = static_cast<double>(inputs[3]->floats[c]);
    const auto var = static_cast<double>(inputs[4]->floats[c]);
    y.floats[i] =
        static_cast<float>((static_cast<double>(x.floats[i]) - mean) / std::sqrt(var + epsilon) * scale + bias);
  }
  return OutputTensors{std::move(y)};
}

// Softmax and LogSoftmax along one axis, shifted by the maximum, in double, rounded once.
Result<OutputTensors> EvaluateSoftmax(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& x = *inputs[0];
  BNN_ASSIGN_OR_RETURN(const int64_t axis,
                       ResolveAxis(node, node.Int("axis", -1), static_cast<int64_t>(x.dims.size())));
  const int64_t depth = x.dims[axis];
  const int64_t stride = RowMajorStrides(x.dims)[axis];
  const bool is_log = node.op == "LogSoftmax";
  Tensor y = x;
  if (y.size() == 0) return OutputTensors{std::move(y)};
  const int64_t lines = y.size() / depth;
  for (int64_t line = 0; line < lines; ++line) {
    const int64_t first = line / stride * stride * depth + line % stride;
    auto highest = static_cast<double>(x.floats[first]);
    for (int64_t k = 1; k < depth; ++k) highest = std::max(highest, static_cast<double>(x.floats[first + k * stride]));
    double sum = 0;
    for (int64_t k = 0; k < depth; ++k) sum += std::exp(static_cast<double>(x.floats[first + k * stride]) - highest);
    for (int64_t k = 0; k < depth; ++k) {
      const double shifted = static_cast<double>(x.floats[first + k * stride]) - highest;
      y.floats[first + k * stride] = static_cast<float>(is_log ? shifted - std::log(sum) : std::exp(shifted) / sum);
    }
  }
  return OutputTensors{std::move(y)};
}

// y = x / (bias + alpha / size^n * sum of squares)^beta over the neighbours along n axes (attribute `axes`, [1] where
// absent): (size - 1) / 2 before and size / 2 after each element.
Result<OutputTensors> EvaluateLrn(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& x = *inputs[0];
  const int64_t size = node.Int("size", 0);
  if (size < 1) return NodeError(node, "attribute 'size' is " + std::to_string(size));
  std::vector<double> sums(x.floats.size());
  for (size_t i = 0; i < sums.size(); ++i)
    sums[i] = static_cast<double>(x.floats[i]) * static_cast<double>(x.floats[i]);
  const Dims strides = RowMajorStrides(x.dims);
  const std::vector<int64_t> axes = node.Ints("axes", {1});
  for (const int64_t given : axes) {  // a sum over a box is one along each axis, one after another
    BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, given, static_cast<int64_t>(x.dims.size())));
    const std::vector<double> terms = sums;
    for (int64_t i = 0; i < x.size(); ++i) {
      const int64_t at = i / strides[axis] % x.dims[axis];
      const int64_t first = -std::min((size - 1) / 2, at), last = std::min(size / 2, x.dims[axis] - 1 - at);
      double sum = 0;
      for (int64_t k = first; k <= last; ++k) sum += terms[static_cast<size_t>(i + k * strides[axis])];
      sums[static_cast<size_t>(i)] = sum;
    }
  }
  const double scale = static_cast<double>(node.Float("alpha", 1e-4F)) /
                       std::pow(static_cast<double>(size), static_cast<double>(axes.size()));
  const auto bias = static_cast<double>(node.Float("bias", 1)), beta = static_cast<double>(node.Float("beta", 0.75F));
  Tensor y = x;
  for (size_t i = 0; i < sums.size(); ++i) {
    y.floats[i] = static_cast<float>(static_cast<double>(x.floats[i]) / std::pow(bias + scale * sums[i], beta));
  }
  return OutputTensors{std::move(y)};
}

// y = x / sqrt(sum + eps), or of eps_mode "max" x / sqrt(max(sum, eps)), sum over the squares along the axes of input
// 1; 0 where the root is 0.
Result<OutputTensors> EvaluateNormalizeL2(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  if (x.type != DType::kFloat32) return NodeError(node, std::string("its input is ") + DTypeName(x.type));
  BNN_ASSIGN_OR_RETURN(const std::vector<bool> reduced, ReducedAxes(node, inputs, x.dims.size()));
  Dims kept = x.dims;
  for (size_t i = 0; i < kept.size(); ++i) kept[i] = reduced[i] ? 1 : kept[i];
  std::vector<double> sums(static_cast<size_t>(CountElements(kept)));
  const Dims strides[] = {BroadcastStrides(kept, x.dims)};
  ForEachElement(x.dims, strides, [&](int64_t i, const int64_t* at) {
    sums[at[0]] += static_cast<double>(x.floats[i]) * static_cast<double>(x.floats[i]);
  });
  const auto eps = static_cast<double>(node.Float("eps", 0));
  const bool adds = node.String("eps_mode", "add") == "add";
  Tensor y = x;
  ForEachElement(x.dims, strides, [&](int64_t i, const int64_t* at) {
    const double root = std::sqrt(adds ? sums[at[0]] + eps : std::max(sums[at[0]], eps));
    y.floats[i] = root == 0 ? 0.0F : static_cast<float>(static_cast<double>(x.floats[i]) / root);
  });
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
