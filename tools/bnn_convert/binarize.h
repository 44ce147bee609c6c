// --binarize: a float network, a configuration of NNCF and calibration data give a binary network.
#pragma once

#include <string>

#include "bnn/status.h"
#include "formats/binarize/choose_layers.h"
#include "formats/convert.h"
#include "tools/bnn_convert/calibrate.h"

namespace bnn::convert {

// What was done, for the report of the conversion.
struct Binarization {
  formats::LayerChoice choice;
  std::vector<std::string> notes;

  void AddTo(formats::ConversionReport* report) const;
};

// Binarizes `graph` in place, as formats/binarize says. `preprocessing` tells what 8-bit pixels of the data mean.
Result<Binarization> BinarizeByNncf(const std::string& config_file, const formats::ConvertOptions& convert,
                                    const formats::Preprocessing& preprocessing, const CalibrationOptions& options,
                                    formats::SourceGraph* graph);

}  // namespace bnn::convert
