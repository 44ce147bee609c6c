// The runs of a profile as a trace that ui.perfetto.dev and chrome://tracing show.
#pragma once

#include <string>

#include "tools/bnn_run/report.h"

namespace bnn::run {

// The JSON form of the Trace Event Format: complete events ("ph": "X") with times in microseconds. Two tracks: the runs
// with their steps inside, and the measurements of the limits between them. Only for reports with a profile.
std::string ToTrace(const Report& report);

}  // namespace bnn::run
