#include "tools/bnn_run/idx.h"

#include <doctest/doctest.h>

#include "tests/tools/bnn_run/test_files.h"
#include "tools/bnn_run/load_array.h"

namespace bnn::run {
namespace {

using test::CheckError;
using test::Idx;

Result<Array> Read(std::string_view bytes) { return ReadIdx(test::WriteFile("array.idx", bytes)); }

TEST_CASE("idx files are big-endian, plain or gzip-compressed") {
  const std::string bytes = Idx(0x0b, {2, 1}, std::string("\x01\x02\xff\xfe", 4));
  for (const std::string& file : {bytes, test::Gzip(bytes)}) {
    const auto array = Read(file);
    REQUIRE_MESSAGE(array.ok(), array.status().message());
    CHECK(array->dtype == DType::kI16);
    CHECK(array->shape == std::vector<int64_t>{2, 1});
    CHECK(*ToIntegers(*array, "") == std::vector<int64_t>{0x0102, -2});
  }
  const auto pixels = Read(Idx(0x08, {3}, "\xff\x01\x7f"));
  REQUIRE(pixels.ok());
  CHECK(*ToIntegers(*pixels, "") == std::vector<int64_t>{255, 1, 127});
}

TEST_CASE("hostile idx headers") {
  CheckError(Read(Idx(0x08, {4294967295, 4294967295, 4294967295}, "abc")), "too large for any file");
  CheckError(Read(Idx(0x08, {60000, 1 << 20}, "abc")), "62914560000 bytes", "at most 3");
  CheckError(Read(test::Gzip(Idx(0x0e, {60000, 1 << 20}, "abc"))), "503316480000 bytes");
  std::string many_dims = Idx(0x08, {1}, "");
  many_dims[3] = '\xff';
  CheckError(Read(many_dims), "ends inside the header");
}

TEST_CASE("truncated, overlong and foreign files") {
  const std::string whole = Idx(0x08, {2, 2}, "abcd");
  REQUIRE(Read(whole).ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(Read(whole.substr(0, length)).ok());
  }
  CheckError(Read(whole + "e"), "bytes are left");
  CheckError(Read(Idx(0x0a, {1}, "a")), "not an idx file");
  CheckError(Read(Idx(0x08, {}, "a")), "not an idx file");
  CheckError(Read("hello world"), "not an idx file");
}

TEST_CASE("the content of a file decides its format") {
  const auto load = [](std::string_view bytes) { return LoadArray(test::WriteFile("any.bin", bytes)); };
  CHECK(load(Idx(0x08, {2}, "ab")).ok());
  CHECK(load(test::Gzip(Idx(0x08, {2}, "ab"))).ok());
  CHECK(load(test::Npy(test::NpyHeaderText("|u1", "(2,)"), "ab")).ok());
  CheckError(load("\x89PNG\r\n"), "a picture");
  CheckError(load("GIF89a"), "neither .npy, idx, PNG nor JPEG");
  CheckError(load("ab"), "ends inside");
}

}  // namespace
}  // namespace bnn::run
