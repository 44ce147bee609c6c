// The dims of a network's inputs: those that the file states, and those that the user gives for open ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/importers/importer.h"

namespace bnn::formats {

// One dim as a file states it: a number, or open, perhaps by a name.
struct DeclaredDim {
  std::optional<int64_t> value;
  std::string symbol;
};

struct InputDims {
  Dims dims;
  bool batch_is_open = false;  // then dims[0] is 1
};

// `declared` is absent where the file does not even state the rank. An open batch becomes 1; other open dims must be
// given in `options`, and what is given must agree with what is declared.
Result<InputDims> ResolveInputDims(const std::string& input, const std::optional<std::vector<DeclaredDim>>& declared,
                                   const ImportOptions& options);

// An error where `options` name an input that the network does not have.
Status CheckGivenShapes(const std::vector<std::string>& inputs, const ImportOptions& options);

}  // namespace bnn::formats
