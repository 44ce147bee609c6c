#include "formats/text.h"

#include <cstdio>

namespace bnn::formats {

std::string ShapeText(const std::vector<int64_t>& dims) {
  constexpr size_t kMaxShown = 12;
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ',';
    if (i == kMaxShown) return text + "...]";
    text += std::to_string(dims[i]);
  }
  return text + "]";
}

const char* TypeName(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kBits:
      return "bits";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kUInt8:
      return "uint8";
    case ElementType::kBits2:
      return "bits2";
    case ElementType::kBits3:
      return "bits3";
    case ElementType::kBits4:
      return "bits4";
  }
  return "unknown";
}

std::string TypedShapeText(ElementType type, const std::vector<int64_t>& dims) {
  return std::string(TypeName(type)) + " " + ShapeText(dims);
}

std::string NumberText(float value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", static_cast<double>(value));
  return text;
}

bool IsPrintableUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const uint8_t lead = static_cast<uint8_t>(text[i++]);
    if (lead < 0x20 || lead == 0x7F) return false;
    if (lead < 0x80) continue;
    // The lead byte gives the number of continuation bytes and the smallest code point that needs so many.
    int continuation = 0;
    uint32_t smallest = 0;
    uint32_t code = 0;
    if ((lead & 0xE0) == 0xC0) {
      continuation = 1, smallest = 0x80, code = lead & 0x1Fu;
    } else if ((lead & 0xF0) == 0xE0) {
      continuation = 2, smallest = 0x800, code = lead & 0x0Fu;
    } else if ((lead & 0xF8) == 0xF0) {
      continuation = 3, smallest = 0x10000, code = lead & 0x07u;
    } else {
      return false;
    }
    for (; continuation > 0; --continuation, ++i) {
      if (i == text.size()) return false;
      const uint8_t byte = static_cast<uint8_t>(text[i]);
      if ((byte & 0xC0) != 0x80) return false;
      code = code << 6 | (byte & 0x3Fu);
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    const bool control = code >= 0x80 && code <= 0x9F;
    if (code < smallest || code > 0x10FFFF || surrogate || control) return false;
  }
  return true;
}

}  // namespace bnn::formats
