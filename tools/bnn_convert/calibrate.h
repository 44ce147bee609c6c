// The user's calibration data, and what --int8-float-layers does with it: measures which range the inputs of the float
// layers take, and converts the network with these layers in int8.
#pragma once

#include <string>
#include <vector>

#include "bnn/bnn.hpp"
#include "bnn/status.h"
#include "formats/convert.h"
#include "formats/model_def.h"
#include "formats/source_graph.h"
#include "tools/bnn_run/feeds.h"

namespace bnn::convert {

struct CalibrationOptions {
  std::vector<std::string> files;  // FILE or NAME=FILE, as for bnn-run --input
  // Share of the values that the range must hold, in percent: 100 is the smallest and the largest value. Below that,
  // values outside saturate, and the others get a finer step.
  double percentile = 100;
};

// A network in float, and data for its inputs.
struct CalibrationData {
  Model model;
  std::vector<run::InputFeed> feeds;  // one an input of the model
};

// Converts the network as it is and loads the files for it. `preprocessing` says what 8-bit pixels mean.
Result<CalibrationData> LoadCalibrationData(formats::SourceGraph graph, const formats::ConvertOptions& convert,
                                            const formats::Preprocessing& preprocessing,
                                            const std::vector<std::string>& files);

// The conversion of `source` with every layer that would be float in int8, as far as it can be. `preprocessing` says
// what 8-bit pixels of the data mean. Conversion::source stays the network as it was imported, so --verify compares
// with that. The ranges are notes of the report.
Result<formats::Conversion> ConvertWithInt8(const formats::SourceGraph& source, const formats::ConvertOptions& convert,
                                            const formats::Preprocessing& preprocessing,
                                            const CalibrationOptions& options);

}  // namespace bnn::convert
