// CRC-32C, the checksum of .bnn files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bnn::formats {

// CRC-32C (Castagnoli): polynomial 0x1EDC6F41, bits reflected, start and final XOR 0xFFFFFFFF, as in RFC 3720 (iSCSI),
// appendix B.4. The CRC of "123456789" is 0xE3069283. Any single error burst of up to 32 bits is detected.
// `crc` continues an earlier call: Crc32c(b, Crc32c(a)) is the CRC of a followed by b.
uint32_t Crc32c(std::span<const std::byte> data, uint32_t crc = 0);

}  // namespace bnn::formats
