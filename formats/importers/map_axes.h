// Feature maps of sources that keep the channels last (TensorFlow's files), in a source graph that keeps them first.
//
// A tensor of four dims [N, H, W, C] becomes a value with its axes renamed, [N, C, H, W], and whatever names axes
// (paddings, slices, constants) is renamed with it. No data moves: the lowering stores maps as NHWC again. Where the
// file's own order matters (inputs and outputs of the network, reshapes) a Transpose stands in the graph, which the
// lowering resolves without a step.
#pragma once

#include <cstdint>
#include <string>

#include "formats/source_graph.h"
#include "formats/tensor.h"

namespace bnn::formats {

// [N, H, W, C] <-> [N, C, H, W]; dims of other ranks stay as they are.
Dims MapDimsOf(const Dims& file_dims);
Dims FileDimsOf(const Dims& map_dims);
// The axis of the value for an axis of the file's tensor.
int64_t MapAxis(size_t rank, int64_t file_axis);
// Transpose nodes between the two; name and outputs are the caller's to give.
SourceNode TransposeToMap(const std::string& file_value);
SourceNode TransposeToFile(const std::string& map_value);
// The elements of a tensor in the file's order, reordered with its axes.
Tensor ToMapOrder(Tensor tensor);

// Maps (in the file's order) of one channel or of one pixel have the same elements in both orders.
bool SameInBothOrders(const Dims& file_dims);

}  // namespace bnn::formats
