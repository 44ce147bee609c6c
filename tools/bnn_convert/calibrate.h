// --int8-float-layers: measures, on the user's data, which range the inputs of the float layers take, and converts the
// network with these layers in int8.
#pragma once

#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/convert.h"
#include "formats/model_def.h"
#include "formats/source_graph.h"

namespace bnn::convert {

struct CalibrationOptions {
  std::vector<std::string> files;  // FILE or NAME=FILE, as for bnn-run --input
  // Share of the values that the range must hold, in percent: 100 is the smallest and the largest value. Below that,
  // values outside saturate, and the others get a finer step.
  double percentile = 100;
};

// The conversion of `source` with every layer that would be float in int8, as far as it can be. `preprocessing` says
// what 8-bit pixels of the data mean. Conversion::source stays the network as it was imported, so --verify compares
// with that. The ranges are notes of the report.
Result<formats::Conversion> ConvertWithInt8(const formats::SourceGraph& source, const formats::ConvertOptions& convert,
                                            const formats::Preprocessing& preprocessing,
                                            const CalibrationOptions& options);

}  // namespace bnn::convert
