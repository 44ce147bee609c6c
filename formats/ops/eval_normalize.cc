#include <algorithm>
#include <cmath>
#include <cstdint>

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

}  // namespace bnn::formats
