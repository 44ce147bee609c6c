// The probes that limits_list.cc orders. Each is defined in the file of its name, which exports nothing else.
#pragma once

#include "kernels/limits/limits.h"

namespace bnn::kernels {

extern const LimitProbes kLimitsRef;
extern const LimitProbes kLimitsNeon;
extern const LimitProbes kLimitsNeonSha3;
extern const LimitProbes kLimitsSve;
extern const LimitProbes kLimitsAvx2;
extern const LimitProbes kLimitsAvxVnni;
extern const LimitProbes kLimitsAvx512;
extern const LimitProbes kLimitsAvx512Vnni;
extern const LimitProbes kLimitsAvx512Vpopcnt;

}  // namespace bnn::kernels
