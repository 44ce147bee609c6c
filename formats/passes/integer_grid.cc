#include "formats/passes/integer_grid.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>

namespace bnn::formats {
namespace {

constexpr int kLargest = 128;  // |k|
// How far w / scale may be from an integer. The formula of FakeQuantize rounds to float several times, at up to twice
// the range of the weights, which is 256 steps: 256 * 2^-24 each, and twice that for the division here.
constexpr double kTolerance = 5e-4;

// The first weight that is no multiple of `scale` by an int8; the number of weights where there is none.
size_t FirstOffGrid(std::span<const float> weights, double scale) {
  for (size_t i = 0; i < weights.size(); ++i) {
    const double k = static_cast<double>(weights[i]) / scale;
    const double nearest = std::nearbyint(k);
    if (std::fabs(k - nearest) > kTolerance || nearest > kLargest - 1 || nearest < -kLargest) return i;
  }
  return weights.size();
}

}  // namespace

// The largest magnitude is m steps for some m up to 128: try them all. Weights on no grid refuse each m after a few
// elements, so it costs little more than one look at all of them.
Result<IntegerGrid> FindIntegerGrid(const std::vector<float>& weights, int64_t rows) {
  IntegerGrid grid;
  grid.integers.reserve(weights.size());
  const size_t columns = weights.size() / static_cast<size_t>(rows);
  for (size_t c = 0; c < static_cast<size_t>(rows); ++c) {
    const std::span row(weights.data() + c * columns, columns);
    double largest = 0;
    for (const float w : row) {
      if (!std::isfinite(w))
        return Unsupported("output channel " + std::to_string(c) + " holds weights that are not finite");
      largest = std::max(largest, std::fabs(static_cast<double>(w)));
    }
    double scale = 1;
    size_t furthest = 0;
    bool found = largest == 0;
    for (int m = 1; m <= kLargest && !found; ++m) {
      scale = largest / m;
      const size_t off = FirstOffGrid(row, scale);
      found = off == columns;
      furthest = std::max(furthest, std::min(off, columns - 1));
    }
    if (!found) {
      char text[32];
      std::snprintf(text, sizeof(text), "%.9g", static_cast<double>(row[furthest]));
      return Unsupported("weights are no multiples of a step by 8-bit integers: output channel " + std::to_string(c) +
                         " holds " + text);
    }
    grid.scales.push_back(static_cast<float>(scale));
    for (const float w : row) {
      grid.integers.push_back(static_cast<int8_t>(std::nearbyint(static_cast<double>(w) / scale)));
    }
  }
  return grid;
}

}  // namespace bnn::formats
