// Values of the command line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bnn/status.h"
#include "formats/tensor.h"

namespace bnn::convert {

// "0.5", "1/255", "-3e-2": a finite number or a fraction of two.
Result<float> ParseNumber(const std::string& text);

// Numbers separated by commas.
Result<std::vector<float>> ParseNumbers(const std::string& text);

// "NAME=1,3,224,224": the name may itself contain '='; dims are positive.
Result<std::pair<std::string, formats::Dims>> ParseShape(const std::string& text);

}  // namespace bnn::convert
