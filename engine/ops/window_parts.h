// Cutting the work of a sliding window into parts, by its shape alone: groups of samples where samples are small,
// strips of output rows where one sample is more than a part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "engine/ops/make_step.h"
#include "formats/model_def.h"

namespace bnn::engine {

// Multiply-accumulates (or window taps, or equally dear element operations) of a part: 30 to 100 microseconds.
inline constexpr int64_t kPartMacs = int64_t{4} << 20;
// More parts than this only cost.
inline constexpr int64_t kMaxParts = 64;

struct WindowShape {
  int64_t batch = 1, in_h = 1, in_w = 1, in_c = 1, out_h = 1, out_w = 1, out_c = 1;
  formats::Window2d window;

  int64_t reach_h() const { return (window.kernel_h - 1) * window.dilation_h + 1; }
  int64_t reach_w() const { return (window.kernel_w - 1) * window.dilation_w + 1; }
};

// The shape of an operator that slides `window` from tensor `input` to tensor `output`; both have dims {h, w, c}.
Result<WindowShape> WindowShapeOf(const StepContext& context, const FloatNode& node, const formats::Window2d& window);

// "28x28x128 -> 28x28x128, 3x3 s1 p1".
std::string ShapeText(const WindowShape& shape);

struct WindowPart {
  WindowShape shape;  // what this part computes: its own batch, rows and vertical pads
  int64_t src_offset = 0, dst_offset = 0;
};

// `work` is that of the whole operation, in kPartMacs' unit. Parts that compute the same shape may share a kernel.
std::vector<WindowPart> CutWindow(const WindowShape& shape, int64_t work);

bool SameShape(const WindowShape& a, const WindowShape& b);

}  // namespace bnn::engine
