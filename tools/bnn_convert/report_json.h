// The conversion's report as JSON.
#pragma once

#include <string>

#include "formats/report.h"

namespace bnn::convert {

// {"layers": [{"name", "op", "binary", "reason", "macs", "source_bytes", "model_bytes"}], "notes": [...]}
std::string ReportToJson(const formats::ConversionReport& report);

}  // namespace bnn::convert
