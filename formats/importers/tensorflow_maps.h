// What TensorFlow's operators on maps mean, in whichever of its files they stand (.pb, .tflite).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/source_graph.h"
#include "formats/tensor.h"

namespace bnn::formats {

// The attributes of a Resize. Where a pixel of the result lies in the map: aligned corners, half pixels, or x * in /
// out. The nearest pixel is the one below, or with the first two the one nearest to it, at .5 the upper one.
std::map<std::string, Attribute> TensorflowResize(bool linear, bool align_corners, bool half_pixels);

// SpaceToDepth and DepthToSpace of maps [N, H, W, C]: the map is seen as `split`, whose axes are permuted, and the
// result as `joined`. To depth [N, H/b, b, W/b, b, C] -> [N, H/b, W/b, b * b * C], to space [N, H, W, b, b, C] -> [N, H
// * b, W * b, C]. The batch is -1.
struct BlockExchange {
  std::vector<int64_t> split, joined;
  static const std::vector<int64_t>& Perm();
};
// Nothing where blocks of height x width do not divide the map `in`.
std::optional<BlockExchange> ExchangeBlocks(const Dims& in, bool to_depth, int64_t height, int64_t width);

// Dims of at least 1, and at most one -1.
bool IsReshapeTarget(const std::vector<int64_t>& target);

}  // namespace bnn::formats
