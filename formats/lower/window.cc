#include "formats/lower/window.h"

#include <algorithm>
#include <string>
#include <vector>

#include "formats/lower/lowering.h"

namespace bnn::formats {
namespace {

// The padding after the map that gives `out` windows, at least `pad_after`; -1 where more than `out` fit already.
int64_t PadAfter(int64_t in, int64_t pad_before, int64_t pad_after, int64_t reach, int64_t stride, int64_t out) {
  const int64_t needed = (out - 1) * stride + reach - in - pad_before;
  const int64_t pad = std::max(pad_after, needed);
  const int64_t windows = (in + pad_before + pad - reach) / stride + 1;
  return windows == out ? pad : -1;
}

}  // namespace

Result<Window2d> ParseWindow(const SourceNode& node, int64_t kernel_h, int64_t kernel_w) {
  const std::string auto_pad = node.String("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID") {
    return NodeNotLowered(node, "auto_pad " + auto_pad + " was not resolved by the importer");
  }
  const std::vector<int64_t> kernel = node.Ints("kernel_shape", {kernel_h, kernel_w});
  const std::vector<int64_t> strides = node.Ints("strides", {1, 1});
  const std::vector<int64_t> dilations = node.Ints("dilations", {1, 1});
  std::vector<int64_t> pads = node.Ints("pads", {0, 0, 0, 0});
  if (auto_pad == "VALID") pads = {0, 0, 0, 0};
  if (kernel.size() != 2 || strides.size() != 2 || dilations.size() != 2 || pads.size() != 4) {
    return NodeNotLowered(node, "its window is not two-dimensional");
  }
  const auto below = [](const std::vector<int64_t>& values, int64_t limit) {
    return std::any_of(values.begin(), values.end(), [=](int64_t v) { return v < limit || v > kMaxDim; });
  };
  if (below(kernel, 1) || below(strides, 1) || below(dilations, 1) || below(pads, 0)) {
    return NodeNotLowered(node, "kernel " + DimsToString(kernel) + ", strides " + DimsToString(strides) +
                                    ", dilations " + DimsToString(dilations) + ", pads " + DimsToString(pads) +
                                    ": a size is out of range");
  }
  Window2d window;
  window.kernel_h = kernel[0];
  window.kernel_w = kernel[1];
  window.stride_h = strides[0];
  window.stride_w = strides[1];
  window.dilation_h = dilations[0];
  window.dilation_w = dilations[1];
  window.pad_top = pads[0];
  window.pad_left = pads[1];
  window.pad_bottom = pads[2];
  window.pad_right = pads[3];
  return window;
}

bool PadToOutput(Window2d* window, int64_t in_h, int64_t in_w, int64_t out_h, int64_t out_w) {
  const int64_t reach_h = (window->kernel_h - 1) * window->dilation_h + 1;
  const int64_t reach_w = (window->kernel_w - 1) * window->dilation_w + 1;
  const int64_t bottom = PadAfter(in_h, window->pad_top, window->pad_bottom, reach_h, window->stride_h, out_h);
  const int64_t right = PadAfter(in_w, window->pad_left, window->pad_right, reach_w, window->stride_w, out_w);
  if (bottom < 0 || right < 0) return false;
  window->pad_bottom = bottom;
  window->pad_right = right;
  return true;
}

}  // namespace bnn::formats
