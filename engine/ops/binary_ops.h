// Factories of the steps that touch bits. Called by engine/compile only.
#pragma once

#include <cstdint>
#include <string>

#include "bnn/status.h"
#include "engine/compile/fuse.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {

// A fused group with a binary layer as its source. `input` is the plan tensor that it reads: the model's, or a copy of
// it in another layout.
Result<StepPtr> MakeBConv2d(StepContext& context, const Group& group, int input);
Result<StepPtr> MakeBDense(StepContext& context, const Group& group, int input);

// A fused group over a float tensor. Without any steps before the binarization it is a plain bit packing.
Result<StepPtr> MakeEltwise(StepContext& context, const Group& group);

Result<StepPtr> MakeBMaxPool(StepContext& context, const formats::NodeDef& node);
Result<StepPtr> MakeUnpack(StepContext& context, const formats::NodeDef& node);

// Copies bits from one layout to another: other halo, other grouping, or other dims with the same channels (reshape).
StepPtr MakeRelayout(const StepContext& context, const std::string& name, int from, int to, const std::string& reason);

// Writes the halo of a bits tensor.
void FillHalo(const BitsLayout& layout, int64_t batch, uint32_t* words);

}  // namespace bnn::engine
