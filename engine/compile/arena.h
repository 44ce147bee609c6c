// Places the tensors of a plan in one arena: two tensors share memory when no step needs both.
#pragma once

#include "bnn/status.h"
#include "engine/plan.h"

namespace bnn::engine {

// Gives outputs the memory of an input where the step allows it (Step::in_place), both live in the arena, have the same
// size, and nobody reads the input afterwards. Sets PlanTensor::alias_of. A tensor that is written over the one just
// read costs no cache of its own: residual additions at large resolutions are bound by that.
void ShareInPlace(Plan* plan);

// Sets PlanTensor::offset, Plan::arena_bytes and Plan::live_bytes from the steps' inputs, outputs and scratch. Offsets
// are aligned to kAlignment. Fails where the sizes overflow.
Status PlaceTensors(Plan* plan);

}  // namespace bnn::engine
