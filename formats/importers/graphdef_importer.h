// Imports TensorFlow's frozen graphs: .pb files that hold a GraphDef, as TensorFlow 1 and Blueoil write them.
#pragma once

#include <string>
#include <string_view>

#include "bnn/status.h"
#include "formats/importers/importer.h"

namespace bnn::formats {

extern const Importer kGraphdefImporter;

// The same from memory; `name` stands for the file in messages.
Result<SourceGraph> ImportGraphdefBytes(std::string_view bytes, const std::string& name, const ImportOptions& options);

// Whether a file of these first bytes may be a GraphDef: it begins with a node, and that with its name and operator.
bool LooksLikeGraphdef(std::string_view first_bytes);

}  // namespace bnn::formats
