// Which instruction set kernels may use.
#pragma once

#include <string>

#include "bnn/status.h"
#include "kernels/cpu_features.h"

namespace bnn::engine {

// The one that `option` names; if it is empty, BNN_MAX_ISA of the environment; if that is not set, what the CPU has.
// One that was asked for but is not there is an error, never a silent fallback: a test that forces an ISA must not pass
// by running another.
Result<kernels::Isa> ChooseIsa(const std::string& option);

}  // namespace bnn::engine
