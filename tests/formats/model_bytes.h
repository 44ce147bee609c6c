// Hand-made .bnn files: sections put together with correct sizes and checksums, so that a test reaches what lies
// behind.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "formats/crc32c.h"
#include "formats/preamble.h"
#include "formats/reader.h"

namespace bnn::formats {

inline std::span<const std::byte> AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline Result<ModelDef> Parse(std::string_view file) { return ParseModel(AsBytes(file), "test.bnn"); }

inline std::string WithPreamble(Preamble preamble, std::string_view structure, std::string_view data) {
  const auto head = EncodePreamble(preamble);
  std::string file(reinterpret_cast<const char*>(head.data()), head.size());
  file += structure;
  file += data;
  return file;
}

inline std::string Seal(std::string_view structure, std::string_view data, uint16_t minor = kFormatMinor) {
  Preamble preamble;
  preamble.minor = minor;
  preamble.structure_bytes = static_cast<int64_t>(structure.size());
  preamble.data_bytes = static_cast<int64_t>(data.size());
  preamble.structure_crc = Crc32c(AsBytes(structure));
  preamble.data_crc = Crc32c(AsBytes(data));
  return WithPreamble(preamble, structure, data);
}

struct Sections {
  std::string structure, data;
};

// Of a sound file.
inline Sections Split(const std::string& file) {
  const auto head = DecodePreamble(AsBytes(file).first(kPreambleBytes), static_cast<int64_t>(file.size()));
  const size_t structure = static_cast<size_t>(head->structure_bytes);
  return {file.substr(kPreambleBytes, structure), file.substr(kPreambleBytes + structure)};
}

}  // namespace bnn::formats
