// What both the fuzz target and the bounded mutation test do with the bytes of a model.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "formats/writer.h"
#include "tests/formats/model_bytes.h"

namespace bnn::test {

// True where `file` was accepted. Whatever is accepted can be written, and is then read back equal.
inline bool ReadAndWriteBack(std::string_view file) {
  const Result<formats::ModelDef> model = formats::Parse(file);
  if (!model.ok()) return false;
  const Result<std::string> bytes = formats::SerializeModel(*model);
  if (!bytes.ok()) __builtin_trap();
  const Result<formats::ModelDef> again = formats::Parse(*bytes);
  if (!again.ok() || !(*again == *model)) __builtin_trap();
  return true;
}

// The same bytes with correct sizes and checksums, so that mutations reach the parser: the structure section keeps
// its share as far as there are bytes.
inline std::string Reseal(std::string_view file) {
  if (file.size() < static_cast<size_t>(formats::kPreambleBytes)) return std::string(file);
  size_t structure = 0;
  for (size_t i = 4; i-- > 0;) structure = structure << 8 | static_cast<uint8_t>(file[12 + i]);
  const std::string_view body = file.substr(static_cast<size_t>(formats::kPreambleBytes));
  structure = std::min(structure, body.size());
  return formats::Seal(body.substr(0, structure), body.substr(structure));
}

}  // namespace bnn::test
