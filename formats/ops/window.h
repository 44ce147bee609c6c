// The geometry of a sliding window over the two spatial axes of an NCHW tensor, read from a node's attributes and
// checked. Convolution and pooling, their shapes and their values, all go through it.
#pragma once

#include <array>
#include <cstdint>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct Window {  // index 0: height, 1: width
  std::array<int64_t, 2> kernel = {1, 1};
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> dilation = {1, 1};
  std::array<int64_t, 2> pad_begin = {0, 0};
  std::array<int64_t, 2> pad_end = {0, 0};
  std::array<int64_t, 2> out = {0, 0};
};

// For Conv (weights of dims [out, in / group, h, w] give the kernel) and, with `weights` == nullptr, for MaxPool and
// AveragePool (attribute kernel_shape; ceil_mode). auto_pad is resolved. Everything is checked, including the channels
// and groups of Conv: afterwards the loops need no test.
Result<Window> ResolveWindow(const SourceNode& node, const Dims& x, const Dims* weights);

// Of ConvTranspose: `out` is the size of what it makes.
struct TransposedWindow : Window {
  std::array<int64_t, 2> output_pad = {0, 0};
  int64_t out_channels = 0;
};

// Weights have the dims [in, out / group, h, w]. auto_pad and output_shape are resolved into pads; what is checked is
// as above.
Result<TransposedWindow> ResolveTransposedWindow(const SourceNode& node, const Dims& x, const Dims& weights);

}  // namespace bnn::formats
