// The part of bnn.h about the limits of the processor.
#include <string>

#include "bnn/bnn.h"
#include "engine/c_api_support.h"
#include "engine/choose_isa.h"
#include "engine/limits.h"

namespace {

using bnn::InvalidArgument;
using bnn::Status;
using bnn::engine::Guarded;
using bnn::engine::ReadStruct;
using bnn::engine::WriteStruct;

}  // namespace

extern "C" {

bnn_status bnn_measure_limits(const bnn_limits_options* options, bnn_limits* limits, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    bnn_limits_options known = BNN_LIMITS_OPTIONS_INIT;
    BNN_RETURN_IF_ERROR(ReadStruct(options, "options", &known));
    bnn::engine::LimitsOptions engine_options;
    engine_options.threads = known.threads != 0 ? known.threads : 1;
    engine_options.seconds = known.seconds;
    engine_options.max_bytes = known.max_bytes;
    BNN_ASSIGN_OR_RETURN(engine_options.max_isa, bnn::engine::ChooseIsa(known.max_isa == nullptr ? "" : known.max_isa));
    BNN_ASSIGN_OR_RETURN(const bnn_limits measured, bnn::engine::MeasureLimits(engine_options));
    return WriteStruct(measured, "limits", limits);
  });
}

bnn_status bnn_find_step_limit(const bnn_limits* limits, const bnn_step_info* step, bnn_step_limit* limit,
                               bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (limits == nullptr || step == nullptr) return InvalidArgument("limits or step is NULL");
    bnn_limits known_limits = BNN_LIMITS_INIT;
    bnn_step_info known_step = BNN_STEP_INFO_INIT;
    BNN_RETURN_IF_ERROR(ReadStruct(limits, "limits", &known_limits));
    BNN_RETURN_IF_ERROR(ReadStruct(step, "step", &known_step));
    BNN_ASSIGN_OR_RETURN(const bnn_step_limit result, bnn::engine::StepLimit(known_limits, known_step));
    return WriteStruct(result, "limit", limit);
  });
}

}  // extern "C"
