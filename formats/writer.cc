#include "formats/writer.h"

#include <span>

#include "formats/crc32c.h"
#include "formats/file_writer.h"
#include "formats/preamble.h"
#include "formats/proto_codec.h"
#include "formats/validate.h"

namespace bnn::formats {

Result<std::string> SerializeModel(const ModelDef& model) {
  BNN_RETURN_IF_ERROR(Validate(model, model.source.empty() ? "model" : model.source));
  std::string structure;
  if (!ToProto(model).SerializeToString(&structure)) return InternalError("protobuf cannot serialize the model");

  Preamble preamble;
  preamble.structure_bytes = static_cast<int64_t>(structure.size());
  preamble.structure_crc = Crc32c(std::as_bytes(std::span(structure)));
  for (const Blob& blob : model.blobs) {
    preamble.data_bytes += static_cast<int64_t>(blob.data.size());
    preamble.data_crc = Crc32c(blob.data, preamble.data_crc);
  }
  const int64_t total = kPreambleBytes + preamble.structure_bytes + preamble.data_bytes;
  if (preamble.structure_bytes > kMaxStructureBytes || total > kMaxFileBytes) {
    return InvalidModel("file size: found " + std::to_string(total) + " bytes (structure " +
                        std::to_string(preamble.structure_bytes) + "), expected at most " +
                        std::to_string(kMaxFileBytes) + " (structure " + std::to_string(kMaxStructureBytes) + ")");
  }
  const auto head = EncodePreamble(preamble);
  std::string bytes;
  bytes.reserve(static_cast<size_t>(total));
  bytes.append(reinterpret_cast<const char*>(head.data()), head.size());
  bytes += structure;
  for (const Blob& blob : model.blobs) {
    bytes.append(reinterpret_cast<const char*>(blob.data.data()), blob.data.size());
  }
  return bytes;
}

Status WriteModelFile(const ModelDef& model, const std::string& path) {
  BNN_ASSIGN_OR_RETURN(const std::string bytes, SerializeModel(model));
  return WriteFileWhole(path, bytes);
}

}  // namespace bnn::formats
