// Writes .bnn files.
#pragma once

#include <string>

#include "bnn/status.h"
#include "formats/model_def.h"

namespace bnn::formats {

// The bytes of the file. Validates first. Deterministic: equal models give equal bytes.
Result<std::string> SerializeModel(const ModelDef& model);

// Writes to a temporary file beside `path` and renames it: an existing file is replaced whole or not at all.
Status WriteModelFile(const ModelDef& model, const std::string& path);

}  // namespace bnn::formats
