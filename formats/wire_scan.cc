#include "formats/wire_scan.h"

#include <google/protobuf/io/coded_stream.h>

#include <cstdint>

#include "formats/bnn_model.pb.h"
#include "formats/model_def.h"

namespace bnn::formats {
namespace {

using google::protobuf::io::CodedInputStream;

// Skips the payload of a field. False for a malformed one, and for groups, which the format does not use.
bool SkipPayload(CodedInputStream* stream, uint32_t tag) {
  constexpr uint32_t kVarint = 0;
  constexpr uint32_t kFixed64 = 1;
  constexpr uint32_t kLengthDelimited = 2;
  constexpr uint32_t kFixed32 = 5;
  const uint32_t wire_type = tag & 7;
  if (wire_type == kFixed64) return stream->Skip(8);
  if (wire_type == kFixed32) return stream->Skip(4);
  if (wire_type == kVarint) {
    uint64_t value = 0;
    return stream->ReadVarint64(&value);
  }
  if (wire_type != kLengthDelimited) return false;
  uint32_t length = 0;
  return stream->ReadVarint32(&length) && length <= INT32_MAX && stream->Skip(static_cast<int>(length));
}

struct CountLimit {
  int field;
  const char* name;
  int64_t limit;
  int64_t count = 0;
};

}  // namespace

Status CheckMessageCounts(std::span<const std::byte> structure) {
  using Model = proto::Model;
  CountLimit limits[] = {{Model::kTensorsFieldNumber, "tensors", kMaxTensors},
                         {Model::kBlobsFieldNumber, "blobs", kMaxBlobs},
                         {Model::kNodesFieldNumber, "nodes", kMaxNodes},
                         {Model::kInputsFieldNumber, "inputs", kMaxTensors}};
  CodedInputStream stream(reinterpret_cast<const uint8_t*>(structure.data()), static_cast<int>(structure.size()));
  while (stream.CurrentPosition() < static_cast<int>(structure.size())) {
    const uint32_t tag = stream.ReadTag();
    if (tag == 0 || !SkipPayload(&stream, tag)) {
      return InvalidModel("structure: not a protobuf message (at byte " + std::to_string(stream.CurrentPosition()) +
                          ")");
    }
    for (CountLimit& limit : limits) {
      if (static_cast<int>(tag >> 3) != limit.field || ++limit.count <= limit.limit) continue;
      return InvalidModel(std::string(limit.name) + ": found more than " + std::to_string(limit.limit) +
                          ", expected at most that many");
    }
  }
  return OkStatus();
}

Status CheckUnknownFields(const std::string& unknown, const std::string& path) {
  CodedInputStream stream(reinterpret_cast<const uint8_t*>(unknown.data()), static_cast<int>(unknown.size()));
  while (stream.CurrentPosition() < static_cast<int>(unknown.size())) {
    const uint32_t tag = stream.ReadTag();
    const int field = static_cast<int>(tag >> 3);
    if (tag != 0 && field < kFirstIgnorableField) {
      return Unsupported(path + ": field " + std::to_string(field) +
                         " is critical and it or its value is unknown to this bnn; the file needs a newer one");
    }
    if (tag == 0 || !SkipPayload(&stream, tag)) return InvalidModel(path + ": malformed unknown field");
  }
  return OkStatus();
}

}  // namespace bnn::formats
