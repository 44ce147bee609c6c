#include "formats/window_rules.h"

#include <string>

#include "formats/text.h"

namespace bnn::formats {
namespace {

// One spatial axis of a window on a map.
struct Axis {
  const char* name;  // "_h" or "_w"
  int64_t in, kernel, stride, dilation, pad_before, pad_after;

  int64_t reach() const { return dilation * (kernel - 1) + 1; }
  int64_t padded() const { return in + pad_before + pad_after; }
  int64_t out() const { return (padded() - reach()) / stride + 1; }
};

Status CheckRange(const std::string& field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return OkStatus();
  return InvalidModel(field + ": found " + std::to_string(value) + ", expected " + std::to_string(low) + " to " +
                      std::to_string(high));
}

Status CheckParameters(const Axis& axis) {
  const std::string name = axis.name;
  BNN_RETURN_IF_ERROR(CheckRange("window.kernel" + name, axis.kernel, 1, kMaxWindow));
  BNN_RETURN_IF_ERROR(CheckRange("window.stride" + name, axis.stride, 1, kMaxWindow));
  BNN_RETURN_IF_ERROR(CheckRange("window.dilation" + name, axis.dilation, 1, kMaxWindow));
  BNN_RETURN_IF_ERROR(CheckRange("window.pads" + name, axis.pad_before, 0, kMaxWindow));
  return CheckRange("window.pads" + name, axis.pad_after, 0, kMaxWindow);
}

Status CheckAxis(const Axis& axis) {
  BNN_RETURN_IF_ERROR(CheckParameters(axis));
  if (axis.reach() > axis.padded()) {
    return InvalidModel("window.kernel" + std::string(axis.name) + ": found a reach of " +
                        std::to_string(axis.reach()) + ", expected at most the padded input's " +
                        std::to_string(axis.padded()));
  }
  return OkStatus();
}

// Window number n starts at n * stride - pad_before. It holds a valid tap unless it starts behind the map, or starts in
// front of it and steps over it. Only the last window can be the first to fail the one test, and windows in front are
// fewer than pad_before / stride + 1.
Status CheckValidTaps(const Axis& axis) {
  const auto error = [&](int64_t window) {
    return InvalidModel("window.pads" + std::string(axis.name) + ": window " + std::to_string(window) +
                        " holds only padding, expected at least one valid tap in each");
  };
  const int64_t last = axis.out() - 1;
  if (last * axis.stride - axis.pad_before >= axis.in) return error(last);
  for (int64_t window = 0; window <= last; ++window) {
    const int64_t before = axis.pad_before - window * axis.stride;  // places in front of the map
    if (before <= 0) break;
    const int64_t tap = (before + axis.dilation - 1) / axis.dilation;  // the first that is not in front
    if (tap >= axis.kernel || tap * axis.dilation - before >= axis.in) return error(window);
  }
  return OkStatus();
}

struct Axes {
  Axis h, w;
};

Result<Axes> AxesOf(const Window2d& window, const std::vector<int64_t>& map) {
  if (map.size() != 3) {
    return InvalidModel("input: found dims " + ShapeText(map) + ", expected {height, width, channels}");
  }
  return Axes{{"_h", map[0], window.kernel_h, window.stride_h, window.dilation_h, window.pad_top, window.pad_bottom},
              {"_w", map[1], window.kernel_w, window.stride_w, window.dilation_w, window.pad_left, window.pad_right}};
}

// Dims and parameters are below 2^25 and 2^17: nothing overflows.
Result<int64_t> TransposedSize(const Axis& axis, int64_t output_pad) {
  BNN_RETURN_IF_ERROR(CheckParameters(axis));
  const std::string name = axis.name;
  BNN_RETURN_IF_ERROR(CheckRange("output_pad" + name, output_pad, 0, axis.stride - 1));
  const int64_t pads = axis.pad_before + axis.pad_after;
  const int64_t size = (axis.in - 1) * axis.stride + axis.reach() + output_pad;
  if (size > pads) return size - pads;
  return InvalidModel("window.pads" + name + ": found " + std::to_string(pads) + ", expected less than the " +
                      std::to_string(size) + " that they cut");
}

}  // namespace

Result<std::vector<int64_t>> TransposedWindowOutput(const Window2d& window, int64_t output_pad_h, int64_t output_pad_w,
                                                    const std::vector<int64_t>& map) {
  BNN_ASSIGN_OR_RETURN(const Axes axes, AxesOf(window, map));
  BNN_ASSIGN_OR_RETURN(const int64_t h, TransposedSize(axes.h, output_pad_h));
  BNN_ASSIGN_OR_RETURN(const int64_t w, TransposedSize(axes.w, output_pad_w));
  return std::vector<int64_t>{h, w, map[2]};
}

Result<std::vector<int64_t>> WindowOutput(const Window2d& window, const std::vector<int64_t>& map, EveryWindow rule) {
  BNN_ASSIGN_OR_RETURN(const Axes both, AxesOf(window, map));
  const Axis axes[] = {both.h, both.w};
  for (const Axis& axis : axes) {
    BNN_RETURN_IF_ERROR(CheckAxis(axis));
    if (rule == EveryWindow::kNeedsValidTap) BNN_RETURN_IF_ERROR(CheckValidTaps(axis));
  }
  const bool is_map = window.kernel_h == map[0] && window.kernel_w == map[1] && window.dilation_h == 1 &&
                      window.dilation_w == 1 &&
                      window.pad_top + window.pad_left + window.pad_bottom + window.pad_right == 0;
  if (window.whole_map && !is_map) {
    return InvalidModel("window.whole_map: found another window than the map " + ShapeText({map[0], map[1]}) +
                        ", expected kernel dims equal to it, no pads and no dilation");
  }
  // Engines may store the padded map. Each factor is below 2^25, so the product of two cannot overflow.
  if (axes[0].padded() * axes[1].padded() > kMaxElements / map[2]) {
    return InvalidModel("window.pads: the padded input " + ShapeText({axes[0].padded(), axes[1].padded(), map[2]}) +
                        " has too many elements, expected at most " + std::to_string(kMaxElements));
  }
  return std::vector<int64_t>{axes[0].out(), axes[1].out(), map[2]};
}

}  // namespace bnn::formats
