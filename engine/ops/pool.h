// Pooling with plain loops: for the windows that oneDNN does not do.
#pragma once

#include <cstdint>
#include <string>

#include "engine/ops/make_step.h"
#include "engine/ops/window_parts.h"

namespace bnn::engine {

enum class PoolKind : uint8_t { kMax, kAvgIncludePad, kAvgExcludePad };

// Any window. Padded taps are skipped; a window that holds nothing but padding gives -infinity (max) or 0 (average).
// `reason`: why oneDNN is not used.
StepPtr MakePlainPool(const StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape,
                      std::string reason);

}  // namespace bnn::engine
