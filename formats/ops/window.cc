#include "formats/ops/window.h"

#include <algorithm>
#include <string>
#include <vector>

#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

// Kernel sizes, strides, dilations and pads end here, so that products of two of them cannot overflow.
constexpr int64_t kMaxExtent = int64_t{1} << 24;

// Reads a list attribute of exactly `fallback.size()` values within [lowest, kMaxExtent].
Result<std::vector<int64_t>> ReadExtents(const SourceNode& node, const std::string& key, int64_t lowest,
                                         const std::vector<int64_t>& fallback) {
  std::vector<int64_t> values = node.Ints(key, fallback);
  if (values.size() != fallback.size()) {
    return NodeError(node, "attribute '" + key + "' has " + std::to_string(values.size()) + " values, expected " +
                               std::to_string(fallback.size()));
  }
  for (const int64_t value : values) {
    if (value < lowest || value > kMaxExtent) {
      return NodeError(node, "attribute '" + key + "' is " + DimsToString(values) + ", expected values from " +
                                 std::to_string(lowest) + " to " + std::to_string(kMaxExtent));
    }
  }
  return values;
}

Status CheckConvChannels(const SourceNode& node, const Dims& x, const Dims& weights) {
  if (weights.size() != x.size()) {
    return NodeError(node,
                     "weights have dims " + DimsToString(weights) + ", expected rank " + std::to_string(x.size()));
  }
  const int64_t group = node.Int("group", 1);
  int64_t in_channels = 0;
  if (group < 1 || __builtin_mul_overflow(weights[1], group, &in_channels) || in_channels != x[1] ||
      weights[0] % group != 0) {
    return NodeError(node, "weights of dims " + DimsToString(weights) + " with group " + std::to_string(group) +
                               " do not fit an input of dims " + DimsToString(x));
  }
  return OkStatus();
}

int64_t DilatedExtent(const Window& window, size_t axis) {
  return (window.kernel[axis] - 1) * window.dilation[axis] + 1;
}

// SAME: as many outputs as strides start within the input; the odd pad goes to the end (UPPER) or the beginning.
void PadSame(Window* window, size_t axis, int64_t in, bool odd_at_end) {
  const int64_t out = (in + window->stride[axis] - 1) / window->stride[axis];
  const int64_t total = std::max<int64_t>((out - 1) * window->stride[axis] + DilatedExtent(*window, axis) - in, 0);
  const int64_t smaller = total / 2;
  window->pad_begin[axis] = odd_at_end ? smaller : total - smaller;
  window->pad_end[axis] = total - window->pad_begin[axis];
  window->out[axis] = out;
}

// How many windows fit. With ceil_mode a last window may reach past the end, provided that it starts within the input
// or its leading padding.
int64_t CountWindows(const Window& window, size_t axis, int64_t in, bool ceil_mode) {
  const int64_t room = in + window.pad_begin[axis] + window.pad_end[axis] - DilatedExtent(window, axis);
  if (room < 0) return 0;
  int64_t out = room / window.stride[axis] + 1;
  const bool remainder = room % window.stride[axis] != 0;
  if (ceil_mode && remainder && out * window.stride[axis] < in + window.pad_begin[axis]) ++out;
  return out;
}

}  // namespace

Result<Window> ResolveWindow(const SourceNode& node, const Dims& x, const Dims* weights) {
  if (x.size() != 4) {
    return NodeUnsupported(node, "works on rank " + std::to_string(x.size()) + " (dims " + DimsToString(x) +
                                     "); only two spatial dims, rank 4, are supported");
  }
  if (x[2] > kMaxExtent || x[3] > kMaxExtent) {
    return NodeError(node, "the input's dims " + DimsToString(x) + " are too large");
  }
  Window window;
  std::vector<int64_t> kernel;
  if (weights != nullptr) {
    BNN_RETURN_IF_ERROR(CheckConvChannels(node, x, *weights));
    kernel = {(*weights)[2], (*weights)[3]};
    const std::vector<int64_t> declared = node.Ints("kernel_shape", kernel);
    if (declared != kernel) {
      return NodeError(
          node, "kernel_shape " + DimsToString(declared) + " differs from the weights' dims " + DimsToString(*weights));
    }
    if (kernel[0] < 1 || kernel[1] < 1 || kernel[0] > kMaxExtent || kernel[1] > kMaxExtent) {
      return NodeError(node, "weights have dims " + DimsToString(*weights));
    }
  } else {
    if (node.attributes.count("kernel_shape") == 0) return NodeError(node, "attribute 'kernel_shape' is missing");
    BNN_ASSIGN_OR_RETURN(kernel, ReadExtents(node, "kernel_shape", 1, {1, 1}));
  }
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, ReadExtents(node, "strides", 1, {1, 1}));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> dilations, ReadExtents(node, "dilations", 1, {1, 1}));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, ReadExtents(node, "pads", 0, {0, 0, 0, 0}));
  const std::string auto_pad = node.String("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (!same && auto_pad != "NOTSET" && auto_pad != "VALID") {
    return NodeError(node, "attribute 'auto_pad' is \"" + auto_pad + "\"");
  }
  for (size_t axis = 0; axis < 2; ++axis) {
    window.kernel[axis] = kernel[axis];
    window.stride[axis] = strides[axis];
    window.dilation[axis] = dilations[axis];
    if (same) {
      PadSame(&window, axis, x[2 + axis], auto_pad == "SAME_UPPER");
      continue;
    }
    if (auto_pad == "NOTSET") {
      window.pad_begin[axis] = pads[axis];
      window.pad_end[axis] = pads[2 + axis];
    }
    const bool is_pool = weights == nullptr;
    if (is_pool && std::max(window.pad_begin[axis], window.pad_end[axis]) >= DilatedExtent(window, axis)) {
      return NodeError(node, "pads " + DimsToString(pads) + " are not smaller than the kernel");
    }
    window.out[axis] = CountWindows(window, axis, x[2 + axis], is_pool && node.Int("ceil_mode", 0) != 0);
    if (window.out[axis] < 1) {
      return NodeError(node,
                       "the kernel " + DimsToString(kernel) + " is larger than the padded input " + DimsToString(x));
    }
  }
  return window;
}

Result<TransposedWindow> ResolveTransposedWindow(const SourceNode& node, const Dims& x, const Dims& weights) {
  if (x.size() != 4 || weights.size() != 4) {
    return NodeUnsupported(node, "works on dims " + DimsToString(x) + " with weights " + DimsToString(weights) +
                                     "; only two spatial dims, rank 4, are supported");
  }
  TransposedWindow window;
  const int64_t group = node.Int("group", 1);
  if (group < 1 || weights[0] != x[1] || weights[0] % group != 0 || weights[1] > kMaxExtent || weights[1] < 1 ||
      group > kMaxExtent) {
    return NodeError(node, "weights of dims " + DimsToString(weights) + " with group " + std::to_string(group) +
                               " do not fit an input of dims " + DimsToString(x));
  }
  window.out_channels = weights[1] * group;
  const std::vector<int64_t> kernel = {weights[2], weights[3]};
  if (node.Ints("kernel_shape", kernel) != kernel) {
    return NodeError(node, "kernel_shape " + DimsToString(node.Ints("kernel_shape", kernel)) +
                               " differs from the weights' dims " + DimsToString(weights));
  }
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, ReadExtents(node, "strides", 1, {1, 1}));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> dilations, ReadExtents(node, "dilations", 1, {1, 1}));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, ReadExtents(node, "pads", 0, {0, 0, 0, 0}));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> output_pads, ReadExtents(node, "output_padding", 0, {0, 0}));
  const bool has_shape = node.attributes.count("output_shape") > 0;
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> shape, ReadExtents(node, "output_shape", has_shape ? 1 : 0, {0, 0}));
  const std::string auto_pad = node.String("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (!same && auto_pad != "NOTSET" && auto_pad != "VALID") {
    return NodeError(node, "attribute 'auto_pad' is \"" + auto_pad + "\"");
  }
  for (size_t axis = 0; axis < 2; ++axis) {
    window.kernel[axis] = kernel[axis];
    window.stride[axis] = strides[axis];
    window.dilation[axis] = dilations[axis];
    window.output_pad[axis] = output_pads[axis];
    const int64_t in = x[2 + axis];
    if (in < 1 || in > kMaxExtent || kernel[axis] < 1 || kernel[axis] > kMaxExtent) {
      return NodeError(node, "the dims " + DimsToString(x) + " or those of the weights are out of range");
    }
    if (output_pads[axis] >= std::max(strides[axis], dilations[axis])) {
      return NodeError(node, "output_padding " + DimsToString(output_pads) + " is not below strides and dilations");
    }
    const int64_t whole = (in - 1) * strides[axis] + DilatedExtent(window, axis) + output_pads[axis];
    if (same || has_shape) {
      window.out[axis] = has_shape ? shape[axis] : in * strides[axis];
      const int64_t cut = whole - window.out[axis];
      if (cut < 0) {
        return NodeUnsupported(node, "an output of " + std::to_string(window.out[axis]) + " is larger than the " +
                                         std::to_string(whole) + " that it makes");
      }
      // The odd one is cut at the end with SAME_UPPER, else at the beginning.
      window.pad_begin[axis] = auto_pad == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
      window.pad_end[axis] = cut - window.pad_begin[axis];
      continue;
    }
    if (auto_pad == "NOTSET") {
      window.pad_begin[axis] = pads[axis];
      window.pad_end[axis] = pads[2 + axis];
    }
    window.out[axis] = whole - window.pad_begin[axis] - window.pad_end[axis];
    if (window.out[axis] < 1) return NodeError(node, "pads " + DimsToString(pads) + " leave nothing");
  }
  return window;
}

}  // namespace bnn::formats
