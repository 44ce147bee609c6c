// The first bytes of a .bnn file; FORMAT.md, "Preamble". Its layout is the same in every version of the format.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bnn/status.h"

namespace bnn::formats {

inline constexpr uint16_t kFormatMajor = 1;
inline constexpr uint16_t kFormatMinor = 4;

inline constexpr int64_t kPreambleBytes = 36;
inline constexpr int64_t kMaxStructureBytes = int64_t{64} << 20;

// A byte above 127 and line ends of both kinds: a file that was mangled as text, or cut to 7 bits, is recognized.
inline constexpr std::array<uint8_t, 8> kMagic = {0x89, 'B', 'N', 'N', '\r', '\n', 0x1A, '\n'};

struct Preamble {
  uint16_t major = kFormatMajor;
  uint16_t minor = kFormatMinor;
  int64_t structure_bytes = 0;
  int64_t data_bytes = 0;
  uint32_t structure_crc = 0;
  uint32_t data_crc = 0;
};

std::array<std::byte, kPreambleBytes> EncodePreamble(const Preamble& preamble);

// `bytes` are the first min(file_bytes, kPreambleBytes) bytes of a file of that size. Checks magic, checksum, version
// and that the sections fill the file exactly.
Result<Preamble> DecodePreamble(std::span<const std::byte> bytes, int64_t file_bytes);

}  // namespace bnn::formats
