// ONNX files (.onnx): opsets 7 to 23, and the quantizers of QONNX, Brevitas, FINN and NNCF.
#pragma once

#include <string>
#include <string_view>

#include "formats/importers/importer.h"

namespace bnn::formats {

extern const Importer kOnnxImporter;

// The same from the bytes of a file. `name` stands for the file in messages; external data is read from `folder`.
Result<SourceGraph> ImportOnnxBytes(std::string_view bytes, const std::string& name, const std::string& folder,
                                    const ImportOptions& options);

}  // namespace bnn::formats
