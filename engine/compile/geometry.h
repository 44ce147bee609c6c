// How the dims of one sample map onto the (rows, pixels, channels) that kernels work on: the last axis is the channel
// axis; three dims are height, width, channels; all other leading axes are pixels of one row.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/plan.h"
#include "kernels/epilogue.h"

namespace bnn::engine {

struct Geometry {
  int64_t h = 1, w = 1, c = 1;

  // Of a float tensor that lies so.
  kernels::Strides float_strides(const PlanTensor& tensor) const {
    const int64_t pixel = tensor.pixel_stride != 0 ? tensor.pixel_stride : c;
    return {h * w * pixel, w * pixel, pixel};
  }
};

inline Geometry GeometryOf(const std::vector<int64_t>& dims) {
  Geometry g;
  if (dims.empty()) return g;
  g.c = dims.back();
  if (dims.size() == 3) {
    g.h = dims[0];
    g.w = dims[1];
    return g;
  }
  for (size_t i = 0; i + 1 < dims.size(); ++i) g.w *= dims[i];
  return g;
}

}  // namespace bnn::engine
