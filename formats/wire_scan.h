// What must be known about the protobuf wire bytes beyond what the generated parser tells.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "bnn/status.h"

namespace bnn::formats {

// Field numbers below this are critical: who does not know one cannot run the model. FORMAT.md, "Compatibility".
inline constexpr int kFirstIgnorableField = 1000;

// Counts the repeated messages of the top level before anything is parsed: an empty message is two bytes in the file
// but some hundred in memory, so counts must be limited while they cost nothing.
Status CheckMessageCounts(std::span<const std::byte> structure);

// `unknown` are the wire bytes of the fields that the parser did not know, as the lite runtime keeps them. kUnsupported
// names the first critical one; `path` ("nodes[3].conv2d") says which message holds it.
Status CheckUnknownFields(const std::string& unknown, const std::string& path);

}  // namespace bnn::formats
