// The parts of the report, one file each.
#pragma once

#include "bench/options.h"
#include "bench/report.h"

namespace bnn::bench {

void RunLimitSection(const Options& options, Report& report);
void RunConvSection(const Options& options, Report& report);
void RunDenseSection(const Options& options, Report& report);
void RunPlaneSection(const Options& options, Report& report);
void RunStreamSection(const Options& options, Report& report);
void RunThreadSection(const Options& options, Report& report);

// The value of "layer" in the rows that sum up a network.
inline constexpr char kAllLayers[] = "all binary layers";
void RunNetworkSection(const Options& options, Report& report);

}  // namespace bnn::bench
