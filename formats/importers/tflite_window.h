// The sliding windows of .tflite files: kernel, stride, dilation, and padding by rule.
#pragma once

#include <array>
#include <cstdint>

#include "bnn/status.h"
#include "formats/importers/tflite_graph.h"
#include "formats/importers/tflite_model.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct TfliteWindow {  // index 0: height, 1: width
  std::array<int64_t, 2> kernel = {1, 1};
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> dilation = {1, 1};
  std::array<int64_t, 2> pad_begin = {0, 0};
  std::array<int64_t, 2> pad_end = {0, 0};
};

enum class TflitePadding : int8_t { kSame = 0, kValid = 1 };

// Fills the pads of a window over a map [N, H, W, C]. kernel, stride and dilation are checked first.
Status PadTfliteWindow(const TfliteOperator& op, const Dims& in, TflitePadding padding, TfliteWindow* window);
// Field `padding` of builtin operators.
Result<TflitePadding> TflitePaddingOf(const TfliteOperator& op, int64_t padding);

// Appends the bias, input `input` of the operator, where it is there: as floats, also where it is int32. `weights` is
// the input whose scales an int32 bias has.
Status AddTfliteBias(const TfliteOperator& op, TfliteGraph* graph, size_t data, size_t weights, size_t bias,
                     SourceNode* node);

// Output sizes of a padded window: {height, width}; below 1 where the window does not fit.
std::array<int64_t, 2> TfliteOutputSize(const Dims& in, const TfliteWindow& window);

// Writes kernel_shape, strides, dilations and pads.
void SetWindow(const TfliteWindow& window, SourceNode* node);

}  // namespace bnn::formats
