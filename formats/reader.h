// Reads .bnn files. Hostile input stops here: whatever is returned has passed Validate().
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "bnn/status.h"
#include "formats/model_def.h"

namespace bnn::formats {

// Errors: kIoError where the file cannot be read, kInvalidModel where it is not a sound model, kUnsupported where it
// needs a newer reader. Messages begin with `path`.
Result<ModelDef> ReadModelFile(const std::string& path);

// The same from memory; `name` stands in for the path in messages. The bytes are not kept.
Result<ModelDef> ParseModel(std::span<const std::byte> bytes, std::string_view name);

}  // namespace bnn::formats
