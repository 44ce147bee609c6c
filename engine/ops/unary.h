// Element-wise functions with plain loops.
#pragma once

#include "engine/ops/make_step.h"

namespace bnn::engine {

// "sigmoid", "hard_sigmoid", ...: as plans show it.
const char* UnaryName(formats::UnaryKind kind);

StepPtr MakePlainUnary(const StepContext& context, const FloatNode& node, const formats::Unary& op);

}  // namespace bnn::engine
