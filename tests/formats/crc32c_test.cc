#include "formats/crc32c.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/formats/model_bytes.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {
namespace {

uint32_t BitByBit(std::span<const std::byte> data) {
  uint32_t crc = ~uint32_t{0};
  for (const std::byte byte : data) {
    crc ^= static_cast<uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
  }
  return ~crc;
}

TEST_CASE("CRC-32C of known data") {
  // The check value of the polynomial, and the examples of RFC 3720, B.4.
  CHECK(Crc32c(AsBytes("123456789")) == 0xE3069283u);
  CHECK(Crc32c({}) == 0u);
  CHECK(Crc32c(std::vector<std::byte>(32, std::byte{0})) == 0x8A9136AAu);
  CHECK(Crc32c(std::vector<std::byte>(32, std::byte{0xFF})) == 0x62A8AB43u);
  std::vector<std::byte> rising;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<std::byte>(i));
  CHECK(Crc32c(rising) == 0x46DD794Eu);
}

TEST_CASE("CRC-32C of any length, whole or in parts, is that of the plain definition") {
  RandomSource random(1);
  for (size_t size = 0; size < 70; ++size) {
    std::vector<std::byte> data(size);
    for (std::byte& byte : data) byte = static_cast<std::byte>(random.Int(0, 255));
    CAPTURE(size);
    CHECK(Crc32c(data) == BitByBit(data));
    for (size_t cut = 0; cut <= size; ++cut) {
      CHECK(Crc32c(std::span(data).subspan(cut), Crc32c(std::span(data).first(cut))) == BitByBit(data));
    }
  }
}

}  // namespace
}  // namespace bnn::formats
