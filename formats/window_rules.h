// What a Window2d does to a map: sizes, limits, and whether each window sees the map at all.
#pragma once

#include <cstdint>
#include <vector>

#include "bnn/status.h"
#include "formats/model_def.h"

namespace bnn::formats {

enum class EveryWindow : uint8_t {
  kMayBeAllPadding,  // convolutions: such a window has a defined value
  kNeedsValidTap     // pooling that skips padded taps: the largest of nothing has none
};

// {out_h, out_w, channels} for a map {in_h, in_w, channels} of valid dims, or what is wrong with the window.
Result<std::vector<int64_t>> WindowOutput(const Window2d& window, const std::vector<int64_t>& map, EveryWindow rule);

// The same for the transpose of a convolution with this window.
Result<std::vector<int64_t>> TransposedWindowOutput(const Window2d& window, int64_t output_pad_h, int64_t output_pad_w,
                                                    const std::vector<int64_t>& map);

}  // namespace bnn::formats
