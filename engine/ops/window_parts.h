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

// The least work of a part in float multiply-accumulates, or what takes as long: 5 to 20 microseconds. The call of a
// part takes a fraction of one.
inline constexpr int64_t kPartMacs = int64_t{1} << 20;
// Pixels of a part: kernels compute a dozen or more at once with the weights that they have loaded.
inline constexpr int64_t kPartPixels = 24;
// More parts than this only cost.
inline constexpr int64_t kMaxParts = 32;

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

// The work of the whole operation in kPartMacs' unit: `macs`, and the bytes that it reads and writes (poolings and
// depthwise convolutions are bound by those; a byte takes as long as two multiply-accumulates).
int64_t WindowWork(const WindowShape& shape, int64_t macs, int64_t bytes_per_element);

// `work` is that of the whole operation. The number of strips is a power of two, so that few threads get equal shares.
// Parts that compute the same shape may share a kernel.
std::vector<WindowPart> CutWindow(const WindowShape& shape, int64_t work);

bool SameShape(const WindowShape& a, const WindowShape& b);

}  // namespace bnn::engine
