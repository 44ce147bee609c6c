// Small text helpers for the messages of the model format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/model_def.h"

namespace bnn::formats {

// "[8,3,3,64]"; long lists are cut, because a hostile file may hold millions.
std::string ShapeText(const std::vector<int64_t>& dims);

// "float32", "bits", "int8" or "uint8".
const char* TypeName(ElementType type);

// "float32 [8,3,3,64]"
std::string TypedShapeText(ElementType type, const std::vector<int64_t>& dims);

// A float with six digits.
std::string NumberText(float value);

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) without control characters: safe to print in one line.
bool IsPrintableUtf8(std::string_view text);

}  // namespace bnn::formats
