// TensorFlow Lite files (.tflite), with the operators of Larq Compute Engine.
#pragma once

#include <string>
#include <string_view>

#include "formats/importers/importer.h"

namespace bnn::formats {

extern const Importer kTfliteImporter;

// The same from the bytes of a file. `name` stands for the file in messages.
Result<SourceGraph> ImportTfliteBytes(std::string_view bytes, const std::string& name, const ImportOptions& options);

}  // namespace bnn::formats
