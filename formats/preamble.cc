#include "formats/preamble.h"

#include <string>

#include "formats/crc32c.h"
#include "formats/model_def.h"

namespace bnn::formats {
namespace {

// Where each field stands.
constexpr size_t kMajorAt = 8;
constexpr size_t kMinorAt = 10;
constexpr size_t kStructureBytesAt = 12;
constexpr size_t kDataBytesAt = 16;
constexpr size_t kStructureCrcAt = 24;
constexpr size_t kDataCrcAt = 28;
constexpr size_t kPreambleCrcAt = 32;  // of all bytes before it

void Put(std::byte* at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

uint64_t Get(std::span<const std::byte> from, size_t at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(from[at + static_cast<size_t>(i)]) << (8 * i);
  return value;
}

bool MagicMatches(std::span<const std::byte> bytes) {
  for (size_t i = 0; i < kMagic.size() && i < bytes.size(); ++i) {
    if (static_cast<uint8_t>(bytes[i]) != kMagic[i]) return false;
  }
  return true;
}

Status CheckSize(const Preamble& preamble, uint64_t data_bytes, int64_t file_bytes) {
  if (preamble.structure_bytes > kMaxStructureBytes) {
    return InvalidModel("structure_bytes: found " + std::to_string(preamble.structure_bytes) + ", expected at most " +
                        std::to_string(kMaxStructureBytes));
  }
  if (data_bytes > static_cast<uint64_t>(kMaxFileBytes)) {
    return InvalidModel("data_bytes: found " + std::to_string(data_bytes) + ", expected at most " +
                        std::to_string(kMaxFileBytes));
  }
  const int64_t expected = kPreambleBytes + preamble.structure_bytes + static_cast<int64_t>(data_bytes);
  const std::string sizes = ": found " + std::to_string(file_bytes) + " bytes, expected " + std::to_string(expected);
  if (file_bytes < expected) return InvalidModel("truncated file" + sizes);
  if (file_bytes > expected) return InvalidModel("bytes after the end of the model" + sizes);
  return OkStatus();
}

}  // namespace

std::array<std::byte, kPreambleBytes> EncodePreamble(const Preamble& preamble) {
  std::array<std::byte, kPreambleBytes> bytes{};
  for (size_t i = 0; i < kMagic.size(); ++i) bytes[i] = static_cast<std::byte>(kMagic[i]);
  Put(&bytes[kMajorAt], preamble.major, 2);
  Put(&bytes[kMinorAt], preamble.minor, 2);
  Put(&bytes[kStructureBytesAt], static_cast<uint64_t>(preamble.structure_bytes), 4);
  Put(&bytes[kDataBytesAt], static_cast<uint64_t>(preamble.data_bytes), 8);
  Put(&bytes[kStructureCrcAt], preamble.structure_crc, 4);
  Put(&bytes[kDataCrcAt], preamble.data_crc, 4);
  Put(&bytes[kPreambleCrcAt], Crc32c(std::span(bytes).first(kPreambleCrcAt)), 4);
  return bytes;
}

Result<Preamble> DecodePreamble(std::span<const std::byte> bytes, int64_t file_bytes) {
  if (file_bytes > 0 && !MagicMatches(bytes)) return InvalidModel("not a .bnn file: its first 8 bytes are others");
  if (file_bytes < kPreambleBytes) {
    return InvalidModel("truncated file: found " + std::to_string(file_bytes) + " bytes, expected at least " +
                        std::to_string(kPreambleBytes));
  }
  if (Get(bytes, kPreambleCrcAt, 4) != Crc32c(bytes.first(kPreambleCrcAt))) {
    return InvalidModel("preamble: its checksum does not match");
  }
  Preamble preamble;
  preamble.major = static_cast<uint16_t>(Get(bytes, kMajorAt, 2));
  preamble.minor = static_cast<uint16_t>(Get(bytes, kMinorAt, 2));
  if (preamble.major > kFormatMajor) {
    return Unsupported("format version " + std::to_string(preamble.major) + "." + std::to_string(preamble.minor) +
                       " is newer than this bnn, which reads versions up to " + std::to_string(kFormatMajor) + ".x");
  }
  if (preamble.major < 1) return InvalidModel("format version: found major 0, expected at least 1");
  preamble.structure_bytes = static_cast<int64_t>(Get(bytes, kStructureBytesAt, 4));
  const uint64_t data_bytes = Get(bytes, kDataBytesAt, 8);
  preamble.structure_crc = static_cast<uint32_t>(Get(bytes, kStructureCrcAt, 4));
  preamble.data_crc = static_cast<uint32_t>(Get(bytes, kDataCrcAt, 4));
  BNN_RETURN_IF_ERROR(CheckSize(preamble, data_bytes, file_bytes));
  preamble.data_bytes = static_cast<int64_t>(data_bytes);
  return preamble;
}

}  // namespace bnn::formats
