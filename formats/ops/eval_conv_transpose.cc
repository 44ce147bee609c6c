// Transposed convolution: products and sums in double, rounded once.
#include <cstdint>
#include <vector>

#include "formats/ops/evaluator.h"
#include "formats/ops/window.h"

namespace bnn::formats {
namespace {

// Adds one input plane, through one kernel plane, to the sums of one output plane.
void Scatter(const Window& window, const float* x, int64_t in_h, int64_t in_w, const float* w, double* sums) {
  for (int64_t h = 0; h < in_h; ++h) {
    for (int64_t kh = 0; kh < window.kernel[0]; ++kh) {
      const int64_t row = h * window.stride[0] + kh * window.dilation[0] - window.pad_begin[0];
      if (row < 0 || row >= window.out[0]) continue;
      for (int64_t i = 0; i < in_w; ++i) {
        for (int64_t kw = 0; kw < window.kernel[1]; ++kw) {
          const int64_t column = i * window.stride[1] + kw * window.dilation[1] - window.pad_begin[1];
          if (column < 0 || column >= window.out[1]) continue;
          sums[row * window.out[1] + column] +=
              static_cast<double>(x[h * in_w + i]) * static_cast<double>(w[kh * window.kernel[1] + kw]);
        }
      }
    }
  }
}

}  // namespace

// Weights are [in][out / group][h][w].
Result<OutputTensors> EvaluateConvTranspose(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& x = *inputs[0];
  const Tensor& weights = *inputs[1];
  const Tensor* bias = inputs.size() > 2 ? inputs[2] : nullptr;
  BNN_ASSIGN_OR_RETURN(const TransposedWindow window, ResolveTransposedWindow(node, x.dims, weights.dims));
  const int64_t out_channels = window.out_channels;
  if (bias != nullptr && bias->dims != Dims{out_channels}) {
    return NodeError(node,
                     "bias has dims " + DimsToString(bias->dims) + ", expected [" + std::to_string(out_channels) + "]");
  }
  BNN_ASSIGN_OR_RETURN(Tensor y,
                       AllocateOutput(node, DType::kFloat32, {x.dims[0], out_channels, window.out[0], window.out[1]}));
  if (y.size() == 0) return OutputTensors{std::move(y)};
  const int64_t group_in = x.dims[1] / node.Int("group", 1), group_out = weights.dims[1];
  const int64_t in_plane = x.dims[2] * x.dims[3], kernel_plane = window.kernel[0] * window.kernel[1];
  const int64_t out_plane = window.out[0] * window.out[1];
  std::vector<double> sums(static_cast<size_t>(out_plane));
  for (int64_t n = 0; n < x.dims[0]; ++n) {
    for (int64_t o = 0; o < out_channels; ++o) {
      std::fill(sums.begin(), sums.end(), bias == nullptr ? 0.0 : static_cast<double>(bias->floats[o]));
      for (int64_t i = o / group_out * group_in; i < (o / group_out + 1) * group_in; ++i) {
        Scatter(window, x.floats.data() + (n * x.dims[1] + i) * in_plane, x.dims[2], x.dims[3],
                weights.floats.data() + (i * group_out + o % group_out) * kernel_plane, sums.data());
      }
      float* out = y.floats.data() + (n * out_channels + o) * out_plane;
      for (int64_t p = 0; p < out_plane; ++p) out[p] = static_cast<float>(sums[p]);
    }
  }
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
