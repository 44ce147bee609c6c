// ModelDef -> Plan: the second of the two translations. Everything that a run needs is decided here, once: what is
// fused, which kernel runs where, how weights are packed, where each tensor lies.
#pragma once

#include <cstdint>

#include "bnn/status.h"
#include "engine/plan.h"
#include "engine/weight_store.h"
#include "formats/model_def.h"
#include "kernels/cpu_features.h"

namespace bnn::engine {

struct CompileOptions {
  int64_t batch = 1;
  int threads = 1;
  kernels::Isa max_isa = kernels::Isa::kReference;
};

// `model` has passed formats::Validate; the data of its larger blobs are in `weights`. Neither is needed afterwards:
// the plan holds all that it uses.
Result<Plan> Compile(const formats::ModelDef& model, WeightStore& weights, const CompileOptions& options);

}  // namespace bnn::engine
