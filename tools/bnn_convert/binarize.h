// --binarize: a float network, a configuration of NNCF and calibration data give a binary network. --weights-quantizer:
// a network whose activations are quantized gets binary weights.
#pragma once

#include <string>
#include <vector>

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

struct WeightsOptions {
  std::string quantizer;  // by Blueoil's name, or ""
  std::vector<std::string> target_scopes, ignored_scopes;
};

// Quantizes weights of `graph` in place.
Result<Binarization> QuantizeWeightsByName(const WeightsOptions& options, formats::SourceGraph* graph);

}  // namespace bnn::convert
