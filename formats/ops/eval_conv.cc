// Convolution: products and sums in double, rounded once, so that sums of integers are exact. Padded taps contribute
// nothing.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "formats/ops/evaluator.h"
#include "formats/ops/window.h"

namespace bnn::formats {
namespace {

// The taps t in [first, last) of one window that lie inside [0, in).
struct TapRange {
  int64_t first;
  int64_t last;
};

TapRange ValidTaps(int64_t start, int64_t kernel, int64_t dilation, int64_t in) {
  const int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const int64_t last = start >= in ? 0 : (in - start + dilation - 1) / dilation;
  return {std::min(first, kernel), std::min(last, kernel)};
}

// Adds one input channel through one kernel plane to the sums of one output plane.
void AccumulatePlane(const Window& window, const float* x, int64_t in_h, int64_t in_w, const float* w, double* sums) {
  for (int64_t oh = 0; oh < window.out[0]; ++oh) {
    const int64_t h0 = oh * window.stride[0] - window.pad_begin[0];
    const TapRange rows = ValidTaps(h0, window.kernel[0], window.dilation[0], in_h);
    for (int64_t ow = 0; ow < window.out[1]; ++ow) {
      const int64_t w0 = ow * window.stride[1] - window.pad_begin[1];
      const TapRange columns = ValidTaps(w0, window.kernel[1], window.dilation[1], in_w);
      double sum = 0;
      for (int64_t kh = rows.first; kh < rows.last; ++kh) {
        const float* row = x + (h0 + kh * window.dilation[0]) * in_w;
        const float* taps = w + kh * window.kernel[1];
        for (int64_t kw = columns.first; kw < columns.last; ++kw) {
          sum += static_cast<double>(row[w0 + kw * window.dilation[1]]) * static_cast<double>(taps[kw]);
        }
      }
      sums[oh * window.out[1] + ow] += sum;
    }
  }
}

}  // namespace

Result<OutputTensors> EvaluateConv(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& x = *inputs[0];
  const Tensor& weights = *inputs[1];
  const Tensor* bias = inputs.size() > 2 ? inputs[2] : nullptr;
  BNN_ASSIGN_OR_RETURN(const Window window, ResolveWindow(node, x.dims, &weights.dims));
  const int64_t out_channels = weights.dims[0];
  if (bias != nullptr && bias->dims != Dims{out_channels}) {
    return NodeError(node,
                     "bias has dims " + DimsToString(bias->dims) + ", expected [" + std::to_string(out_channels) + "]");
  }
  BNN_ASSIGN_OR_RETURN(Tensor y,
                       AllocateOutput(node, DType::kFloat32, {x.dims[0], out_channels, window.out[0], window.out[1]}));
  if (y.size() == 0) return OutputTensors{std::move(y)};
  const int64_t in_per_group = weights.dims[1];
  const int64_t out_per_group = out_channels / node.Int("group", 1);
  const int64_t in_plane = x.dims[2] * x.dims[3];
  const int64_t kernel_plane = window.kernel[0] * window.kernel[1];
  const int64_t out_plane = window.out[0] * window.out[1];
  std::vector<double> sums(static_cast<size_t>(out_plane));
  for (int64_t n = 0; n < x.dims[0]; ++n) {
    for (int64_t o = 0; o < out_channels; ++o) {
      std::fill(sums.begin(), sums.end(), bias == nullptr ? 0.0 : static_cast<double>(bias->floats[o]));
      for (int64_t i = 0; i < in_per_group; ++i) {
        const int64_t channel = o / out_per_group * in_per_group + i;
        AccumulatePlane(window, x.floats.data() + (n * x.dims[1] + channel) * in_plane, x.dims[2], x.dims[3],
                        weights.floats.data() + (o * in_per_group + i) * kernel_plane, sums.data());
      }
      float* out = y.floats.data() + (n * out_channels + o) * out_plane;
      for (int64_t p = 0; p < out_plane; ++p) out[p] = static_cast<float>(sums[p]);
    }
  }
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
