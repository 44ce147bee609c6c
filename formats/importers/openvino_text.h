// Numbers and lists as the attributes of an IR write them: "2, 2", "true", "?,3,224,224".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/importers/input_dims.h"

namespace bnn::formats {

// Without the white space at both ends.
std::string_view Trimmed(std::string_view text);
// The parts between commas, trimmed; none of an empty text.
std::vector<std::string_view> SplitAtCommas(std::string_view text);

// The whole text as a number; nullopt where it is none or is out of range.
std::optional<int64_t> ParseIrInteger(std::string_view text);
// Limits are written as doubles: what is finite stays finite.
std::optional<float> ParseIrFloat(std::string_view text);
std::optional<bool> ParseIrBool(std::string_view text);  // true, false, 1, 0
std::optional<std::vector<int64_t>> ParseIrIntegers(std::string_view text);
std::optional<std::vector<float>> ParseIrFloats(std::string_view text);

// A shape with open dims: "?", "-1", or a range "1..8".
std::optional<std::vector<DeclaredDim>> ParseIrShape(std::string_view text);

bool EqualIgnoringCase(std::string_view a, std::string_view b);

}  // namespace bnn::formats
