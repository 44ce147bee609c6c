// The sliding window of Conv and pooling, from the attributes of a source node.
#pragma once

#include "bnn/status.h"
#include "formats/model_def.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// `kernel_h`, `kernel_w`: used where the node has no kernel_shape (Conv takes it from its weights).
Result<Window2d> ParseWindow(const SourceNode& node, int64_t kernel_h, int64_t kernel_w);

// Enlarges the padding at the bottom and right until a map {h, w} gives out_h x out_w under floor division: how
// ceil_mode is written. False where no such padding exists.
bool PadToOutput(Window2d* window, int64_t in_h, int64_t in_w, int64_t out_h, int64_t out_w);

}  // namespace bnn::formats
