// One integer threshold for a whole chain of float operations; derived in kernels/bconv2d/bconv2d.h.
#pragma once

#include <cstdint>
#include <limits>

namespace bnn::engine {

// bit = (acc >= threshold) XOR flip
struct IntThreshold {
  int32_t threshold = std::numeric_limits<int32_t>::max();
  bool flip = false;
};

// `bit(acc)` is monotonic over [-terms, terms]: non-decreasing, or non-increasing when `decreasing`. Finds the
// threshold by bisection, so `bit` itself decides every case and no rounding of a formula can differ from it.
template <typename BitFn>
IntThreshold FindIntThreshold(int64_t terms, bool decreasing, const BitFn& bit) {
  // `upper(acc)` is false, ..., false, true, ..., true.
  const auto upper = [&](int64_t acc) { return bit(static_cast<int32_t>(acc)) != decreasing; };
  if (upper(-terms)) return {std::numeric_limits<int32_t>::min(), decreasing};
  if (!upper(terms)) return {std::numeric_limits<int32_t>::max(), decreasing};
  int64_t low = -terms, high = terms;  // upper(low) is false, upper(high) is true
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (upper(middle) ? high : low) = middle;
  }
  return {static_cast<int32_t>(high), decreasing};
}

}  // namespace bnn::engine
