// OpenVINO's Intermediate Representation: a .xml of version 10 or 11 with its .bin.
//
// Inputs and outputs have the names that OpenVINO shows: an input that of its Parameter layer; an output the
// (alphabetically first) name of its Result (`output_names`) or of the tensor that the Result reads (`names` of the
// port), or else of the layer that makes it.
#pragma once

#include <string>
#include <string_view>

#include "formats/importers/importer.h"

namespace bnn::formats {

extern const Importer kOpenvinoImporter;

// The same from the bytes of both files. `name` stands for the .xml in messages.
Result<SourceGraph> ImportOpenvinoBytes(std::string_view xml, std::string_view weights, const std::string& name,
                                        const ImportOptions& options);

}  // namespace bnn::formats
