// What the processor could do at most, measured, and with that the least time that a step can take.
#pragma once

#include <cstdint>

#include "bnn/bnn.h"
#include "bnn/status.h"
#include "engine/plan.h"
#include "kernels/cpu_features.h"

namespace bnn::engine {

struct LimitsOptions {
  int threads = 1;
  kernels::Isa max_isa = kernels::Isa::kReference;  // of binary arithmetic and of memory; see bnn_limits_options
  double seconds = 0;                               // each figure; 0: a default
  int64_t max_bytes = 0;                            // largest working set; 0: a default
};

Result<bnn_limits> MeasureLimits(const LimitsOptions& options);

// The roofline model (S. Williams, A. Waterman, D. Patterson: Roofline: an insightful visual performance model for
// multicore architectures. CACM 52(4), 2009), turned from rates into times. A step does `macs` multiply-adds, and has
// to read and to write certain bytes at least once each. The core does all three side by side: it has units of its own
// for each, and executes out of order. So the step takes no less than the slowest of the three alone:
//
//   arithmetic = macs / (multiply-adds of that kind a second)
//   reading    = bytes read / (bytes read a second),   writing likewise
//   limit      = max(arithmetic, reading, writing)
//
// The bandwidths are those of the level of the memory hierarchy in which all the bytes of the step fit together. That
// the bytes are there, and are moved once, is the best case; so are full vectors, no epilogue and no start of a loop.
// The limit is a bound of what any kernel can do, not a forecast of ours.
//
// Between two measured working sets the bandwidth of the smaller one counts; and since no memory is slower for
// lying closer, a larger working set that was measured as faster lifts it. Both keep the limit a lower bound of the
// time.
Result<bnn_step_limit> StepLimit(const bnn_limits& limits, const bnn_step_info& step);

// The bytes that a step has to move at least once: what it reads of its inputs, each tensor once, and its weights;
// and its outputs.
struct Traffic {
  int64_t read = 0, written = 0;
};
Traffic TrafficOf(const Plan& plan, const Step& step);

bnn_arithmetic ArithmeticOf(const StepDescription& description);

}  // namespace bnn::engine
