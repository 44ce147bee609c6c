#include "tests/formats/reference_ops.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bnn::formats {
namespace {

using Dims = std::vector<int64_t>;

bool IsOneOf(const Dims& axes, size_t axis) {
  return std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
}

double SquareAt(const ReferenceTensor& in, size_t i) {
  return static_cast<double>(in.values[i]) * static_cast<double>(in.values[i]);
}

float PlaceOf(const Resize2d& op, int64_t y, int64_t in, int64_t out, float s) {
  const auto at = static_cast<float>(y);
  switch (op.coordinates) {
    case Coordinates::kHalfPixel:
      return (at + 0.5f) / s - 0.5f;
    case Coordinates::kAsymmetric:
      return at / s;
    case Coordinates::kAlignCorners:
      return out == 1 ? 0.0f : at * static_cast<float>(in - 1) / static_cast<float>(out - 1);
    case Coordinates::kPytorchHalfPixel:
      return out == 1 ? 0.0f : (at + 0.5f) / s - 0.5f;
    case Coordinates::kTfHalfPixel:
      return (at + 0.5f) / s;
  }
  return 0;
}

double NearestPixel(Nearest nearest, double place) {
  const double below = std::floor(place);
  const bool is_half = place - below == 0.5;
  switch (nearest) {
    case Nearest::kPreferFloor:
      return is_half ? below : std::round(place);
    case Nearest::kPreferCeil:
      return is_half ? below + 1 : std::round(place);
    case Nearest::kFloor:
      return below;
    case Nearest::kCeil:
      return std::ceil(place);
  }
  return 0;
}

// The pixels that make pixel `y` of an axis, and their weights.
std::vector<std::pair<int64_t, double>> PixelsOf(const Resize2d& op, int64_t y, int64_t in, int64_t out, float scale) {
  const float s = scale != 0 ? scale : static_cast<float>(out) / static_cast<float>(in);
  const auto last = static_cast<double>(in - 1);
  const auto place = static_cast<double>(PlaceOf(op, y, in, out, s));
  if (op.kind == ResizeKind::kNearest) {
    return {{static_cast<int64_t>(std::clamp(NearestPixel(op.nearest, place), 0.0, last)), 1.0}};
  }
  const double inside = std::clamp(place, 0.0, last), below = std::floor(inside);
  const auto pixel = static_cast<int64_t>(below);
  return {{pixel, 1 - (inside - below)}, {std::min(pixel + 1, in - 1), inside - below}};
}

}  // namespace

Dims Unravel(int64_t position, const Dims& dims) {
  Dims index(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    index[i] = position % dims[i];
    position /= dims[i];
  }
  return index;
}

int64_t Ravel(const Dims& index, const Dims& dims) {
  int64_t position = 0;
  for (size_t i = 0; i < dims.size(); ++i) position = position * dims[i] + index[i];
  return position;
}

float ReferenceActivation(const Unary& op, double x) {
  const double alpha = static_cast<double>(op.alpha);
  const double softplus = x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  double y = 0;
  if (op.kind == UnaryKind::kMish) y = x * std::tanh(softplus);
  if (op.kind == UnaryKind::kSwish) y = x / (1 + std::exp(-alpha * x));
  if (op.kind == UnaryKind::kElu) y = x < 0 ? alpha * std::expm1(x) : x;
  if (op.kind == UnaryKind::kSoftplus) y = softplus;
  if (op.kind == UnaryKind::kErf) y = std::erf(x);
  if (op.kind == UnaryKind::kGelu) y = x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
  if (op.kind == UnaryKind::kGeluTanh) y = x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
  if (op.kind == UnaryKind::kLog) y = std::log(x);
  return static_cast<float>(y);
}

float ReferenceFakeQuantize(float x, int64_t levels, float il, float ih, float ol, float oh) {
  if (x <= std::min(il, ih)) return ol;
  if (x > std::max(il, ih)) return oh;
  const auto mul_add = [](float a, float b, float c) {
    return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
  };
  const auto steps = static_cast<float>(levels - 1);
  const float scale = steps / (ih - il);
  return mul_add(std::nearbyint(mul_add(x, scale, -il * scale)), (oh - ol) / steps, ol);
}

void ReferenceConvTranspose(const ConvTranspose2d& op, const ReferenceTensor& in, const std::vector<float>& weights,
                            const std::vector<float>& bias, ReferenceTensor* out) {
  const Window2d& w = op.window;
  const int64_t group_in = in.dims[2] / op.groups, group_out = out->dims[2] / op.groups;
  std::vector<double> sums(out->values.size(), 0.0);
  for (size_t i = 0; i < sums.size() && !bias.empty(); ++i) {
    sums[i] = static_cast<double>(bias[i % static_cast<size_t>(out->dims[2])]);
  }
  for (int64_t i = 0; i < static_cast<int64_t>(in.values.size()); ++i) {
    const Dims at = Unravel(i, in.dims);
    for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < w.kernel_w; ++kx) {
        const int64_t y = at[0] * w.stride_h + ky * w.dilation_h - w.pad_top;
        const int64_t x = at[1] * w.stride_w + kx * w.dilation_w - w.pad_left;
        if (y < 0 || x < 0 || y >= out->dims[0] || x >= out->dims[1]) continue;
        for (int64_t g = 0; g < group_out; ++g) {
          const int64_t o = at[2] / group_in * group_out + g;
          const int64_t weight = ((o * w.kernel_h + ky) * w.kernel_w + kx) * group_in + at[2] % group_in;
          sums[static_cast<size_t>((y * out->dims[1] + x) * out->dims[2] + o)] +=
              static_cast<double>(in.values[static_cast<size_t>(i)]) *
              static_cast<double>(weights[static_cast<size_t>(weight)]);
        }
      }
    }
  }
  std::transform(sums.begin(), sums.end(), out->values.begin(), [](double sum) { return static_cast<float>(sum); });
}

void ReferenceResize(const Resize2d& op, const ReferenceTensor& in, ReferenceTensor* out) {
  for (size_t i = 0; i < out->values.size(); ++i) {
    const Dims at = Unravel(static_cast<int64_t>(i), out->dims);
    double sum = 0;
    for (const auto& [y, down] : PixelsOf(op, at[0], in.dims[0], out->dims[0], op.scale_h)) {
      for (const auto& [x, right] : PixelsOf(op, at[1], in.dims[1], out->dims[1], op.scale_w)) {
        sum += down * right * static_cast<double>(in.values[static_cast<size_t>(Ravel({y, x, at[2]}, in.dims))]);
      }
    }
    out->values[i] = static_cast<float>(sum);
  }
}

void ReferenceReduce(const Reduce& op, const ReferenceTensor& in, ReferenceTensor* out) {
  std::vector<double> results(out->values.size(), op.kind == ReduceKind::kMax   ? -INFINITY
                                                  : op.kind == ReduceKind::kMin ? INFINITY
                                                                                : 0.0);
  for (size_t i = 0; i < in.values.size(); ++i) {
    Dims at = Unravel(static_cast<int64_t>(i), in.dims);
    for (const int64_t axis : op.axes) at[static_cast<size_t>(axis)] = 0;
    double& result = results[static_cast<size_t>(Ravel(at, out->dims))];
    const auto x = static_cast<double>(in.values[i]);
    if (op.kind == ReduceKind::kMax) result = std::max(result, x);
    if (op.kind == ReduceKind::kMin) result = std::min(result, x);
    if (op.kind == ReduceKind::kMean || op.kind == ReduceKind::kSum) result += x;
  }
  const double terms = static_cast<double>(in.values.size()) / static_cast<double>(results.size());
  for (size_t i = 0; i < results.size(); ++i) {
    out->values[i] = static_cast<float>(op.kind == ReduceKind::kMean ? results[i] / terms : results[i]);
  }
}

void ReferenceLrn(const Lrn& op, const ReferenceTensor& in, ReferenceTensor* out) {
  const double divisor = std::pow(static_cast<double>(op.size), static_cast<double>(op.axes.size()));
  for (size_t i = 0; i < in.values.size(); ++i) {
    const Dims at = Unravel(static_cast<int64_t>(i), in.dims);
    double sum = 0;
    for (size_t j = 0; j < in.values.size(); ++j) {
      const Dims other = Unravel(static_cast<int64_t>(j), in.dims);
      bool counts = true;
      for (size_t axis = 0; axis < at.size(); ++axis) {
        const int64_t distance = other[axis] - at[axis];
        counts = counts &&
                 (IsOneOf(op.axes, axis) ? distance >= -((op.size - 1) / 2) && distance <= op.size / 2 : distance == 0);
      }
      if (counts) sum += SquareAt(in, j);
    }
    const double base = static_cast<double>(op.bias) + static_cast<double>(op.alpha) / divisor * sum;
    out->values[i] =
        static_cast<float>(static_cast<double>(in.values[i]) / std::pow(base, static_cast<double>(op.beta)));
  }
}

void ReferenceNormalizeL2(const NormalizeL2& op, const ReferenceTensor& in, ReferenceTensor* out) {
  Dims kept = in.dims;
  for (const int64_t axis : op.axes) kept[static_cast<size_t>(axis)] = 1;
  const auto group_of = [&](size_t i) {
    Dims at = Unravel(static_cast<int64_t>(i), in.dims);
    for (const int64_t axis : op.axes) at[static_cast<size_t>(axis)] = 0;
    return static_cast<size_t>(Ravel(at, kept));
  };
  std::vector<double> sums(static_cast<size_t>(ElementCount(kept)), 0.0);
  for (size_t i = 0; i < in.values.size(); ++i) sums[group_of(i)] += SquareAt(in, i);
  for (size_t i = 0; i < in.values.size(); ++i) {
    const auto eps = static_cast<double>(op.eps);
    const double sum = sums[group_of(i)];
    const double root = std::sqrt(op.eps_mode == EpsMode::kAdd ? sum + eps : std::max(sum, eps));
    out->values[i] = root == 0 ? 0.0f : static_cast<float>(static_cast<double>(in.values[i]) / root);
  }
}

}  // namespace bnn::formats
