// Pooling without oneDNN.
#include "engine/ops/pool.h"

namespace bnn::engine {

Result<StepPtr> MakePool(StepContext& context, const FloatNode& node, PoolKind kind, const WindowShape& shape) {
  return MakePlainPool(context, node, kind, shape, "built without oneDNN");
}

}  // namespace bnn::engine
