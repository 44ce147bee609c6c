// Files for tests of bnn-run, byte by byte.
#pragma once

#include <doctest/doctest.h>
#include <zlib.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tests/test_support.h"

namespace bnn::test {

// A path in a folder of this test program's own: CTest may run several at once.
inline std::string ScratchPath(const std::string& name) {
  const std::string folder = ScratchDir() + "/" + program_invocation_short_name;
  std::filesystem::create_directories(folder);
  return folder + "/" + name;
}

inline std::string WriteFile(const std::string& name, std::string_view bytes) {
  const std::string path = ScratchPath(name);
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

inline std::string ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string Gzip(const std::string& bytes) {
  const std::string path = ScratchPath("gzip.tmp");
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return ReadWholeFile(path);
}

inline std::string Number(int64_t value, int bytes, bool big_endian) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text += static_cast<char>(value >> (8 * (big_endian ? bytes - 1 - i : i)) & 0xff);
  }
  return text;
}

inline std::string Npy(const std::string& header, std::string_view data, int major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(major);
  bytes += '\0';
  bytes += Number(static_cast<int64_t>(header.size()), major == 1 ? 2 : 4, false);
  return bytes + header + std::string(data);
}

inline std::string NpyHeaderText(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape +
         ", }\n";
}

inline std::string Idx(int type, const std::vector<int64_t>& dims, std::string_view data) {
  std::string bytes = Number(type, 3, true) + static_cast<char>(dims.size());
  for (const int64_t dim : dims) bytes += Number(dim, 4, true);
  return bytes + std::string(data);
}

// Checks that a Result is an error whose message holds both texts.
template <typename R>
void CheckError(const R& result, const std::string& part, const std::string& other_part = "") {
  REQUIRE_FALSE(result.ok());
  const std::string message = [&] {
    if constexpr (requires { result.message(); }) {
      return result.message();
    } else {
      return result.status().message();
    }
  }();
  CAPTURE(message);
  CHECK(message.find(part) != std::string::npos);
  CHECK(message.find(other_part) != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}

}  // namespace bnn::test
