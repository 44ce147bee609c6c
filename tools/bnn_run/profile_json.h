// The profile's fields of the JSON report.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tools/bnn_run/profile.h"

namespace bnn::run {

// "layers", "run_ms", ..., "limits": fields of the object that `--json` prints.
nlohmann::ordered_json ProfileFields(const Profile& profile);

// What --plan and --profile tell about a step alike.
nlohmann::ordered_json StepFields(const StepInfo& step);

}  // namespace bnn::run
