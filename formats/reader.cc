#include "formats/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include "formats/crc32c.h"
#include "formats/preamble.h"
#include "formats/proto_codec.h"
#include "formats/validate.h"
#include "formats/wire_scan.h"

namespace bnn::formats {
namespace {

// The bytes of a model, front to back. Blobs are read straight into their place: each byte is copied once.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual int64_t size() const = 0;
  virtual Status Read(std::span<std::byte> out) = 0;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : rest_(bytes), size_(static_cast<int64_t>(bytes.size())) {}
  int64_t size() const override { return size_; }
  Status Read(std::span<std::byte> out) override {
    if (out.size() > rest_.size()) return InternalError("read beyond the end of the model");
    if (!out.empty()) std::memcpy(out.data(), rest_.data(), out.size());
    rest_ = rest_.subspan(out.size());
    return OkStatus();
  }

 private:
  std::span<const std::byte> rest_;
  int64_t size_;
};

Status SystemError(const std::string& action, int error) { return IoError(action + ": " + std::strerror(error)); }

class FileSource final : public ByteSource {
 public:
  FileSource() = default;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override {
    if (descriptor_ >= 0) close(descriptor_);
  }

  Status Open(const std::string& path) {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) return SystemError("cannot open", errno);
    struct stat info {};
    if (fstat(descriptor_, &info) != 0) return SystemError("cannot stat", errno);
    if (!S_ISREG(info.st_mode)) return IoError("not a regular file");
    size_ = info.st_size;
    return OkStatus();
  }
  int64_t size() const override { return size_; }
  Status Read(std::span<std::byte> out) override {
    while (!out.empty()) {
      const ssize_t count = read(descriptor_, out.data(), out.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SystemError("cannot read", errno);
      if (count == 0) return IoError("cannot read: the file shrank while it was read");
      out = out.subspan(static_cast<size_t>(count));
    }
    return OkStatus();
  }

 private:
  int descriptor_ = -1;
  int64_t size_ = 0;
};

Result<ModelDef> ReadStructure(const Preamble& preamble, ByteSource* source) {
  std::vector<std::byte> bytes(static_cast<size_t>(preamble.structure_bytes));
  BNN_RETURN_IF_ERROR(source->Read(bytes));
  if (Crc32c(bytes) != preamble.structure_crc) return InvalidModel("structure: its checksum does not match");
  BNN_RETURN_IF_ERROR(CheckMessageCounts(bytes));
  proto::Model message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return InvalidModel("structure: not a protobuf message of this format");
  }
  return FromProto(std::move(message));
}

// FromProto() has checked each blob's size; here their sum is checked against the section, whose size is known to fit
// the file, before the first is allocated.
Status ReadBlobData(const Preamble& preamble, ByteSource* source, std::vector<Blob>* blobs) {
  int64_t total = 0;
  for (const Blob& blob : *blobs) total += BlobBytes(blob.type, blob.dims);  // at most kMaxBlobs * kMaxBlobBytes
  if (total != preamble.data_bytes) {
    return InvalidModel("blob section: found " + std::to_string(preamble.data_bytes) + " bytes, expected " +
                        std::to_string(total) + ", the sum of all blobs");
  }
  uint32_t crc = 0;
  for (Blob& blob : *blobs) {
    blob.data.resize(static_cast<size_t>(BlobBytes(blob.type, blob.dims)));
    BNN_RETURN_IF_ERROR(source->Read(blob.data));
    crc = Crc32c(blob.data, crc);
  }
  if (crc != preamble.data_crc) return InvalidModel("blob section: its checksum does not match");
  return OkStatus();
}

Result<ModelDef> ReadUnchecked(ByteSource* source) {
  if (source->size() > kMaxFileBytes) {
    return InvalidModel("file size: found " + std::to_string(source->size()) + " bytes, expected at most " +
                        std::to_string(kMaxFileBytes));
  }
  std::byte head[kPreambleBytes];
  const auto head_bytes = std::span(head).first(static_cast<size_t>(std::min(source->size(), kPreambleBytes)));
  BNN_RETURN_IF_ERROR(source->Read(head_bytes));
  BNN_ASSIGN_OR_RETURN(const Preamble preamble, DecodePreamble(head_bytes, source->size()));
  BNN_ASSIGN_OR_RETURN(ModelDef model, ReadStructure(preamble, source));
  BNN_RETURN_IF_ERROR(ReadBlobData(preamble, source, &model.blobs));
  return model;
}

Status Named(std::string_view name, const Status& status) {
  return {status.code(), std::string(name) + ": " + status.message()};
}

// Memory is only asked for what the file really holds, but even that may be more than there is.
Result<ModelDef> Read(ByteSource* source, std::string_view name) try {
  Result<ModelDef> model = ReadUnchecked(source);
  if (!model.ok()) return Named(name, model.status());
  BNN_RETURN_IF_ERROR(Validate(*model, name));
  return model;
} catch (const std::bad_alloc&) {
  return OutOfMemory(std::string(name) + ": not enough memory for this model");
}

}  // namespace

Result<ModelDef> ReadModelFile(const std::string& path) {
  FileSource source;
  const Status opened = source.Open(path);
  if (!opened.ok()) return Named(path, opened);
  return Read(&source, path);
}

Result<ModelDef> ParseModel(std::span<const std::byte> bytes, std::string_view name) {
  MemorySource source(bytes);
  return Read(&source, name);
}

}  // namespace bnn::formats
