// What bnn-convert does, once its command line is understood.
#pragma once

#include <string>

#include "bnn/status.h"
#include "tools/bnn_convert/options.h"

namespace bnn::convert {

struct Outcome {
  std::string text;      // for stdout
  bool verified = true;  // false: --verify found a difference, and the model was not written
};

// Converts, verifies, writes the files. Every file is written whole or not at all.
Result<Outcome> Convert(const Options& options);

// Stores how pixels become the model's inputs. kInvalidArgument where the numbers do not fit an input's channels.
Status SetPreprocessing(const formats::Preprocessing& preprocessing, formats::ModelDef* model);

}  // namespace bnn::convert
