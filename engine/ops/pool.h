// Pooling: through oneDNN where there is one and it does the window, else with plain loops.
#pragma once

#include <cstdint>
#include <string>

#include "engine/ops/make_step.h"
#include "engine/ops/window_parts.h"

namespace bnn::engine {

enum class PoolKind : uint8_t { kMax, kAvgIncludePad, kAvgExcludePad };

// The step that pools best, its op and shape still to be described. In pool_onednn.cc, or in pool_plain.cc without
// oneDNN.
Result<StepPtr> MakePool(StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape);

// Plain loops for any window. Padded taps are skipped; a window that holds nothing but padding gives -infinity (max) or
// 0 (average). `reason`: why oneDNN is not used.
StepPtr MakePlainPool(const StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape,
                      std::string reason);

}  // namespace bnn::engine
