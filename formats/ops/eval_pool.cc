#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "formats/ops/evaluator.h"
#include "formats/ops/window.h"

namespace bnn::formats {
namespace {

// The largest value of a window; padding never wins; NaN does.
float MaxOfWindow(const Window& window, const float* plane, int64_t in_h, int64_t in_w, int64_t h0, int64_t w0) {
  float best = -std::numeric_limits<float>::infinity();
  for (int64_t kh = 0; kh < window.kernel[0]; ++kh) {
    const int64_t h = h0 + kh * window.dilation[0];
    if (h < 0 || h >= in_h) continue;
    for (int64_t kw = 0; kw < window.kernel[1]; ++kw) {
      const int64_t w = w0 + kw * window.dilation[1];
      if (w < 0 || w >= in_w) continue;
      const float value = plane[h * in_w + w];
      if (value > best || std::isnan(value)) best = value;
      if (std::isnan(best)) return best;
    }
  }
  return best;
}

// The mean of a window. With count_include_pad the padding counts as zeros; what a last window of ceil_mode reaches
// beyond the padding never counts.
float MeanOfWindow(const Window& window, const float* plane, int64_t in_h, int64_t in_w, int64_t h0, int64_t w0,
                   bool count_include_pad) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t kh = 0; kh < window.kernel[0]; ++kh) {
    const int64_t h = h0 + kh * window.dilation[0];
    for (int64_t kw = 0; kw < window.kernel[1]; ++kw) {
      const int64_t w = w0 + kw * window.dilation[1];
      const bool inside = h >= 0 && h < in_h && w >= 0 && w < in_w;
      const bool padded = h < in_h + window.pad_end[0] && w < in_w + window.pad_end[1];
      if (inside) sum += static_cast<double>(plane[h * in_w + w]);
      if (inside || (count_include_pad && padded)) ++count;
    }
  }
  return count == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(count));
}

}  // namespace

Result<OutputTensors> EvaluatePool(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& x = *inputs[0];
  BNN_ASSIGN_OR_RETURN(const Window window, ResolveWindow(node, x.dims, nullptr));
  BNN_ASSIGN_OR_RETURN(Tensor y,
                       AllocateOutput(node, DType::kFloat32, {x.dims[0], x.dims[1], window.out[0], window.out[1]}));
  const bool is_max = node.op == "MaxPool";
  const bool count_include_pad = node.Int("count_include_pad", 0) != 0;
  const int64_t in_h = x.dims[2];
  const int64_t in_w = x.dims[3];
  size_t at = 0;
  for (int64_t plane = 0; at < y.floats.size(); ++plane) {
    const float* data = x.floats.data() + plane * in_h * in_w;
    for (int64_t oh = 0; oh < window.out[0]; ++oh) {
      const int64_t h0 = oh * window.stride[0] - window.pad_begin[0];
      for (int64_t ow = 0; ow < window.out[1]; ++ow) {
        const int64_t w0 = ow * window.stride[1] - window.pad_begin[1];
        y.floats[at++] = is_max ? MaxOfWindow(window, data, in_h, in_w, h0, w0)
                                : MeanOfWindow(window, data, in_h, in_w, h0, w0, count_include_pad);
      }
    }
  }
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateGlobalPool(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& x = *inputs[0];
  if (x.dims.size() < 3) return NodeError(node, "the input has dims " + DimsToString(x.dims));
  Dims out = x.dims;
  std::fill(out.begin() + 2, out.end(), 1);
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kFloat32, out));
  const int64_t plane = CountElements(Dims(x.dims.begin() + 2, x.dims.end()));
  if (plane == 0) return NodeError(node, "the input has no elements to pool");
  const bool is_max = node.op == "GlobalMaxPool";
  for (size_t i = 0; i < y.floats.size(); ++i) {
    const float* data = x.floats.data() + static_cast<int64_t>(i) * plane;
    double sum = 0;
    float best = data[0];
    for (int64_t p = 0; p < plane; ++p) {
      sum += static_cast<double>(data[p]);
      if (data[p] > best || std::isnan(data[p])) best = data[p];
    }
    y.floats[i] = is_max ? best : static_cast<float>(sum / static_cast<double>(plane));
  }
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
