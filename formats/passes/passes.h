// Passes: source graph -> source graph. Each is a function of its own file; the order in which they run is in
// formats/convert.cc.
#pragma once

#include <cstdint>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// FakeQuantize of constants: what BinarizeWeights looks for, so they are left until that has run.
enum class FoldQuantizers : uint8_t { kLeave, kFold };

// Replaces every node whose inputs are all constant, and every Shape of a known value, by constants; to a fixed point.
Status FoldConstants(SourceGraph* graph, FoldQuantizers quantizers = FoldQuantizers::kFold);

// Removes Identity, no-op Reshape/Transpose/Pad/Slice, and nodes whose outputs nobody reads.
Status RemoveDeadNodes(SourceGraph* graph);

}  // namespace bnn::formats
