// What bnn-run does, once its command line is understood.
#pragma once

#include "bnn/status.h"
#include "tools/bnn_run/options.h"
#include "tools/bnn_run/report.h"

namespace bnn::run {

// Loads, runs, measures. Writes the files of --output, progress and warnings to stderr, and nothing to stdout.
Result<Report> RunTool(const Options& options);

}  // namespace bnn::run
