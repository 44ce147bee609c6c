// What follows the integer sums of an int8 layer.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace bnn::engine {

// y = clip(sum((q - src_zero_point) * w) * scale[c] + bias[c]), rounded half to even and saturated where the
// destination is int8 or uint8.
struct Int8Finish {
  int32_t src_zero_point = 0;
  std::vector<float> scale, bias;  // [out]; bias may be empty
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
};

}  // namespace bnn::engine
