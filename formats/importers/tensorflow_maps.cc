#include "formats/importers/tensorflow_maps.h"

#include <algorithm>
#include <string>

namespace bnn::formats {

std::map<std::string, Attribute> TensorflowResize(bool linear, bool align_corners, bool half_pixels) {
  std::map<std::string, Attribute> attributes;
  attributes["mode"] = std::string(linear ? "linear" : "nearest");
  attributes["coordinate_transformation_mode"] = std::string(align_corners ? "align_corners"
                                                             : half_pixels ? "half_pixel"
                                                                           : "asymmetric");
  if (!linear) {
    attributes["nearest_mode"] = std::string(align_corners || half_pixels ? "round_prefer_ceil" : "floor");
  }
  return attributes;
}

const std::vector<int64_t>& BlockExchange::Perm() {
  static const std::vector<int64_t> perm = {0, 1, 3, 2, 4, 5};
  return perm;
}

std::optional<BlockExchange> ExchangeBlocks(const Dims& in, bool to_depth, int64_t height, int64_t width) {
  constexpr int64_t kMaxBlock = 1 << 15;
  const int64_t h = height, w = width;
  const bool fits = in.size() == 4 && h >= 1 && h <= kMaxBlock && w >= 1 && w <= kMaxBlock &&
                    (to_depth ? in[1] % h == 0 && in[2] % w == 0 : in[3] % (h * w) == 0);
  if (!fits) return std::nullopt;
  if (to_depth)
    return BlockExchange{{-1, in[1] / h, h, in[2] / w, w, in[3]}, {-1, in[1] / h, in[2] / w, h * w * in[3]}};
  const int64_t depth = in[3] / (h * w);
  return BlockExchange{{-1, in[1], in[2], h, w, depth}, {-1, in[1] * h, in[2] * w, depth}};
}

bool IsReshapeTarget(const std::vector<int64_t>& target) {
  return std::none_of(target.begin(), target.end(), [](int64_t dim) { return dim < -1 || dim == 0; }) &&
         std::count(target.begin(), target.end(), -1) <= 1;
}

}  // namespace bnn::formats
