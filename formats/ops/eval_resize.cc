// Resize, nearest and linear, along any axes. Places are computed in float32, in the order of the runtimes, since which
// pixel is the nearest depends on the last bit; weighted sums in double, rounded once.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "formats/ops/evaluator.h"
#include "formats/ops/resize.h"

namespace bnn::formats {
namespace {

using PlaceFunction = float (*)(float y, const ResizedAxis& axis);
using NearestFunction = double (*)(double place);

float HalfPixel(float y, const ResizedAxis& axis) { return (y + 0.5F) / axis.scale - 0.5F; }

const std::map<std::string, PlaceFunction>& Places() {
  static const std::map<std::string, PlaceFunction> kPlaces = {
      {"half_pixel", HalfPixel},
      {"asymmetric", [](float y, const ResizedAxis& axis) { return y / axis.scale; }},
      {"align_corners",
       [](float y, const ResizedAxis& axis) {
         return axis.out == 1 ? 0.0F : y * static_cast<float>(axis.in - 1) / static_cast<float>(axis.out - 1);
       }},
      {"pytorch_half_pixel",
       [](float y, const ResizedAxis& axis) { return axis.out == 1 ? 0.0F : HalfPixel(y, axis); }},
      {"tf_half_pixel_for_nn", [](float y, const ResizedAxis& axis) { return (y + 0.5F) / axis.scale; }},
  };
  return kPlaces;
}

const std::map<std::string, NearestFunction>& Nearests() {
  static const std::map<std::string, NearestFunction> kNearests = {
      {"round_prefer_floor", [](double place) { return std::ceil(place - 0.5); }},
      {"round_prefer_ceil", [](double place) { return std::floor(place + 0.5); }},
      {"floor", [](double place) { return std::floor(place); }},
      {"ceil", [](double place) { return std::ceil(place); }},
  };
  return kNearests;
}

// (1 - weight) * first + weight * second.
struct Pair {
  int64_t first = 0, second = 0;
  double weight = 0;
};

// One axis; those before and after it are `outer` and `inner` elements.
std::vector<float> ResizeAxis(const std::vector<float>& x, int64_t outer, int64_t inner, const ResizedAxis& axis,
                              const std::vector<Pair>& pairs) {
  std::vector<float> y(static_cast<size_t>(outer * axis.out * inner));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < axis.out; ++i) {
      const Pair& pair = pairs[static_cast<size_t>(i)];
      const float* first = x.data() + (o * axis.in + pair.first) * inner;
      const float* second = x.data() + (o * axis.in + pair.second) * inner;
      float* out = y.data() + (o * axis.out + i) * inner;
      for (int64_t k = 0; k < inner; ++k) {
        out[k] = pair.weight == 0 ? first[k]
                                  : static_cast<float>((1 - pair.weight) * static_cast<double>(first[k]) +
                                                       pair.weight * static_cast<double>(second[k]));
      }
    }
  }
  return y;
}

}  // namespace

Result<std::vector<ResizedAxis>> ResizedAxes(const SourceNode& node, const Dims& x, const Tensor* scales,
                                             const Tensor* sizes) {
  const bool by_size = sizes != nullptr && sizes->size() > 0;
  const Tensor* given = by_size ? sizes : scales;
  if (given == nullptr || (by_size && scales != nullptr && scales->size() > 0)) {
    return NodeError(node, "needs either scales or sizes");
  }
  if (given->type != (by_size ? DType::kInt64 : DType::kFloat32) || given->size() != static_cast<int64_t>(x.size())) {
    return NodeError(node, std::string(by_size ? "sizes" : "scales") + " are " + DTypeName(given->type) +
                               DimsToString(given->dims) + ", expected one number for each axis of " + DimsToString(x));
  }
  std::vector<ResizedAxis> axes(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    ResizedAxis& axis = axes[i];
    axis.in = x[i];
    if (by_size) {
      const int64_t size = sizes->integers[i];  // 0 keeps the axis
      axis.out = size == 0 ? x[i] : size;
      axis.size = size;
      axis.scale = static_cast<float>(axis.out) / static_cast<float>(axis.in);
    } else {
      axis.scale = scales->floats[i];
      const float out = std::floor(static_cast<float>(x[i]) * axis.scale);
      if (!(axis.scale > 0) || !(out <= 1e9F)) {
        return NodeError(node, "scale " + std::to_string(axis.scale) + " is no positive number of a sensible size");
      }
      axis.out = static_cast<int64_t>(out);
    }
    if (axis.in < 1 || axis.out < 1) {
      return NodeError(node, "makes " + std::to_string(axis.out) + " elements of " + std::to_string(axis.in));
    }
  }
  return axes;
}

Result<OutputTensors> EvaluateResize(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  if (x.type != DType::kFloat32) return NodeError(node, std::string("its input is ") + DTypeName(x.type));
  const auto input = [&](size_t i) { return i < inputs.size() ? inputs[i] : nullptr; };
  BNN_ASSIGN_OR_RETURN(const std::vector<ResizedAxis> axes, ResizedAxes(node, x.dims, input(2), input(3)));
  const std::string mode = node.String("mode", "nearest");
  const auto place = Places().find(node.String("coordinate_transformation_mode", "half_pixel"));
  const auto nearest = Nearests().find(node.String("nearest_mode", "round_prefer_floor"));
  if ((mode != "nearest" && mode != "linear") || place == Places().end() || nearest == Nearests().end()) {
    return NodeUnsupported(node, "mode \"" + mode + "\", coordinates \"" +
                                     node.String("coordinate_transformation_mode", "half_pixel") +
                                     "\", nearest_mode \"" + node.String("nearest_mode", "") + "\"");
  }
  Dims out = x.dims;
  for (size_t i = 0; i < axes.size(); ++i) out[i] = axes[i].out;
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kFloat32, out));
  y.floats = x.floats;
  out = x.dims;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].in == axes[i].out && axes[i].scale == 1) continue;
    std::vector<Pair> pairs;
    const auto last = static_cast<double>(axes[i].in - 1);
    for (int64_t k = 0; k < axes[i].out; ++k) {
      const auto at = static_cast<double>(place->second(static_cast<float>(k), axes[i]));
      if (mode == "nearest") {
        const auto pixel = static_cast<int64_t>(std::clamp(nearest->second(at), 0.0, last));
        pairs.push_back({pixel, pixel, 0});
      } else {
        const double inside = std::clamp(at, 0.0, last);
        const auto pixel = static_cast<int64_t>(inside);
        pairs.push_back({pixel, std::min(pixel + 1, axes[i].in - 1), inside - static_cast<double>(pixel)});
      }
    }
    const int64_t outer = CountElements(Dims(out.begin(), out.begin() + static_cast<ptrdiff_t>(i)));
    const int64_t inner = CountElements(Dims(out.begin() + static_cast<ptrdiff_t>(i) + 1, out.end()));
    if (outer * axes[i].out > kMaxEvaluatedElements / std::max<int64_t>(1, inner)) {
      return NodeError(node, "an intermediate result has too many elements");
    }
    y.floats = ResizeAxis(y.floats, outer, inner, axes[i], pairs);
    out[i] = axes[i].out;
  }
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
