// The importers, in the order in which they are asked.
#include <fstream>
#include <string>

#include "formats/importers/graphdef_importer.h"
#include "formats/importers/importer.h"
#include "formats/importers/onnx_importer.h"
#include "formats/importers/openvino_importer.h"
#include "formats/importers/tflite_importer.h"

namespace bnn::formats {
namespace {

constexpr const Importer* kImporters[] = {
    &kTfliteImporter,  // first: its files have an identifier
    &kGraphdefImporter,
    &kOnnxImporter,
    &kOpenvinoImporter,
};

constexpr size_t kFirstBytes = 64;

}  // namespace

std::span<const Importer* const> Importers() { return kImporters; }

Result<SourceGraph> ImportFile(const std::string& path, const ImportOptions& options) {
  std::ifstream stream(path, std::ios::binary);
  std::string first_bytes(kFirstBytes, '\0');
  stream.read(first_bytes.data(), static_cast<std::streamsize>(kFirstBytes));
  if (!stream.is_open() || stream.bad()) return IoError(path + ": cannot be read");
  first_bytes.resize(static_cast<size_t>(stream.gcount()));
  std::string known;
  for (const Importer* importer : kImporters) {
    if (importer->recognizes(path, first_bytes)) {
      if (options.weights_path.empty() || importer->takes_weights) return importer->import(path, options);
      return InvalidArgument(path + ": --weights is given, but a file of the format " + importer->name +
                             " holds its weights itself");
    }
    known += std::string(known.empty() ? "" : ", ") + importer->name;
  }
  return Unsupported(path + ": no importer recognizes this file; known formats: " + known);
}

}  // namespace bnn::formats
