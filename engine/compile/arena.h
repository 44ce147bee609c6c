// Places the tensors of a plan in one arena: two tensors share memory when no step needs both.
#pragma once

#include "bnn/status.h"
#include "engine/plan.h"

namespace bnn::engine {

// Sets PlanTensor::offset and Plan::arena_bytes from the steps' inputs, outputs and scratch. Offsets are aligned to
// kAlignment. Fails where the sizes overflow.
Status PlaceTensors(Plan* plan);

}  // namespace bnn::engine
