#include "formats/passes/two_valued_constant.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

namespace bnn::formats {
namespace {

std::string FloatToString(float value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", static_cast<double>(value));
  return text;
}

}  // namespace

Result<WeightMagnitudes> SymmetricMagnitudes(const Tensor& weights, size_t axis) {
  if (weights.type != DType::kFloat32) return Unsupported(std::string("weights are ") + DTypeName(weights.type));
  if (axis >= weights.dims.size() || weights.size() == 0) return Unsupported("weights have no output channel axis");
  size_t inner = 1;
  for (size_t i = axis + 1; i < weights.dims.size(); ++i) inner *= static_cast<size_t>(weights.dims[i]);
  const auto channels = static_cast<size_t>(weights.dims[axis]);
  WeightMagnitudes magnitudes(channels, -1.0f);
  for (size_t i = 0; i < weights.floats.size(); ++i) {
    const size_t channel = i / inner % channels;
    const float magnitude = std::fabs(weights.floats[i]);
    if (magnitudes[channel] < 0) magnitudes[channel] = magnitude;
    if (std::isfinite(magnitude) && magnitude == magnitudes[channel]) continue;
    return Unsupported("weights are not {-r, +r} per output channel: channel " + std::to_string(channel) + " holds " +
                       FloatToString(weights.floats[i]) + " where |w| = " + FloatToString(magnitudes[channel]) +
                       " was found before");
  }
  return magnitudes;
}

}  // namespace bnn::formats
