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

// Where the graph is written before and after the passes; "" where it is not wanted.
struct DumpFiles {
  std::string before, after;
};

// "FILE" is the graph before the passes; "BEFORE/AFTER" are two files in one folder, as in
// "folder/before.txt/after.txt". A path "folder/FILE" is told from the second by what stands in front of its last '/':
// no folder, but a name with an extension.
Result<DumpFiles> ParseDumpFiles(const std::string& text);

}  // namespace bnn::convert
