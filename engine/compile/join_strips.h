// Joins steps that can work strip by strip (engine/ops/strips.h): a float map that is read by what packs it into bits,
// or made for a pooling alone, is not stored and read again.
#pragma once

#include "engine/ops/make_step.h"

namespace bnn::engine {

// Called when all steps are made, before tensors get memory.
void JoinStrips(StepContext* context);

}  // namespace bnn::engine
