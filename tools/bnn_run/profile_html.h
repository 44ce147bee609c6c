// The profile as a page: a time line, a roofline plot and a table that can be sorted.
#pragma once

#include <string>

#include "tools/bnn_run/report.h"

namespace bnn::run {

// One HTML file that needs nothing else, no network either. Only for reports with a profile.
std::string ToHtml(const Report& report);

}  // namespace bnn::run
