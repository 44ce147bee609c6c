#include "tools/bnn_run/npy.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "tests/tools/bnn_run/test_files.h"

namespace bnn::run {
namespace {

using test::CheckError;
using test::Npy;
using test::NpyHeaderText;
using test::Number;

std::vector<float> AsFloats(const Array& array) {
  std::vector<float> values(static_cast<size_t>(array.size()));
  CopyAsFloat(array, 0, values);
  return values;
}

Result<Array> Read(std::string_view bytes) { return ReadNpy(test::WriteFile("array.npy", bytes)); }

TEST_CASE("each item type and byte order is read") {
  struct Case {
    const char* descr;
    std::string item;
    float value;
  };
  const auto f4 = [](float value, bool big) { return Number(std::bit_cast<int32_t>(value), 4, big); };
  const auto f8 = [](double value, bool big) { return Number(std::bit_cast<int64_t>(value), 8, big); };
  const Case cases[] = {{"|b1", Number(1, 1, false), 1},
                        {"|u1", Number(200, 1, false), 200},
                        {"|i1", Number(-3, 1, false), -3},
                        {"<u2", Number(65000, 2, false), 65000},
                        {">u2", Number(65000, 2, true), 65000},
                        {"<i2", Number(-2, 2, false), -2},
                        {"<u4", Number(4000000000, 4, false), 4e9F},
                        {">i4", Number(-70000, 4, true), -70000},
                        {"<u8", Number(int64_t{1} << 40, 8, false), 1099511627776.0F},
                        {"<i8", Number(-5, 8, false), -5},
                        {">i8", Number(-5, 8, true), -5},
                        {"<f4", f4(0.1F, false), 0.1F},
                        {">f4", f4(-1.5F, true), -1.5F},
                        {"<f8", f8(0.1, false), 0.1F},
                        {">f8", f8(0.1, true), 0.1F}};
  for (const Case& c : cases) {
    CAPTURE(c.descr);
    const auto array = Read(Npy(NpyHeaderText(c.descr, "(2,)"), c.item + c.item));
    REQUIRE_MESSAGE(array.ok(), array.status().message());
    CHECK(array->shape == std::vector<int64_t>{2});
    CHECK(AsFloats(*array) == std::vector<float>{c.value, c.value});
  }
}

TEST_CASE("versions 2 and 3 have a longer length field") {
  for (const int major : {1, 2, 3}) {
    const auto array = Read(Npy(NpyHeaderText("|u1", "(3,)"), "abc", major));
    REQUIRE_MESSAGE(array.ok(), array.status().message());
    CHECK(AsFloats(*array) == std::vector<float>{'a', 'b', 'c'});
  }
  CheckError(Read(Npy(NpyHeaderText("|u1", "(3,)"), "abc", 4)), "version 4.0");
}

TEST_CASE("Fortran order becomes row-major") {
  // The 2x3x2 array whose item [i][j][k] is 100 i + 10 j + k, first index fastest.
  std::string data;
  for (int k = 0; k < 2; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) data += Number(100 * i + 10 * j + k, 2, false);
    }
  }
  const auto array = Read(Npy(NpyHeaderText("<i2", "(2, 3, 2)", true), data));
  REQUIRE_MESSAGE(array.ok(), array.status().message());
  CHECK(AsFloats(*array) == std::vector<float>{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});
}

TEST_CASE("scalars, empty arrays and gzip") {
  CHECK(Read(Npy(NpyHeaderText("|u1", "()"), "a"))->size() == 1);
  CHECK(Read(Npy(NpyHeaderText("<f4", "(0, 3)"), ""))->size() == 0);
  const auto zipped = Read(test::Gzip(Npy(NpyHeaderText("|u1", "(3,)"), "abc")));
  REQUIRE_MESSAGE(zipped.ok(), zipped.status().message());
  CHECK(zipped->size() == 3);
}

TEST_CASE("headers that claim more than the file holds are refused before memory is allocated") {
  // Each of these would need more memory than any machine has.
  CheckError(Read(Npy(NpyHeaderText("|u1", "(1099511627776,)"), "abc")), "1099511627776 bytes", "at most 3");
  CheckError(Read(Npy(NpyHeaderText("<f8", "(4294967296, 4294967296)"), "abc")), "too large for any file");
  CheckError(Read(Npy(NpyHeaderText("<f8", "(9223372036854775807,)"), "abc")), "too large for any file");
  CheckError(Read(Npy(NpyHeaderText("<f8", "(92233720368547758070,)"), "abc")), "shape is not a tuple");
  CheckError(Read(test::Gzip(Npy(NpyHeaderText("|u1", "(1099511627776,)"), "abc"))), "1099511627776 bytes");
  // A length field of 4 GB.
  CheckError(Read(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff", 12)), "a header of 4294967295 bytes");
}

TEST_CASE("a file cut at any byte is refused, and so is one with bytes left over") {
  const std::string whole = Npy(NpyHeaderText("<i4", "(2, 2)"), std::string(16, 'x'));
  REQUIRE(Read(whole).ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(Read(whole.substr(0, length)).ok());
  }
  CheckError(Read(whole + "x"), "bytes are left");

  // The checksum at the end of gzip counts too.
  const std::string zipped = test::Gzip(whole);
  REQUIRE(Read(zipped).ok());
  for (size_t length = 2; length < zipped.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(Read(zipped.substr(0, length)).ok());
  }
  std::string wrong = zipped;
  wrong[wrong.size() - 6] ^= 1;
  CHECK_FALSE(Read(wrong).ok());
}

TEST_CASE("malformed headers") {
  const auto parse = [](std::string_view text) { return ParseNpyHeader(text, "x.npy"); };
  REQUIRE(parse("{\"shape\":(3L,4L),'descr':'<f4','fortran_order':False}").ok());
  CHECK(parse("{\"shape\":(3L,4L),'descr':'<f4','fortran_order':False}")->shape == std::vector<int64_t>{3, 4});
  CheckError(parse(""), "x.npy: not a valid .npy header");
  CheckError(parse("{'descr': '<f4', 'fortran_order': False}"), "missing");
  CheckError(parse("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"), "unexpected key");
  CheckError(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}"), "unexpected key 'x'");
  CheckError(parse("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}"), "neither True nor False");
  CheckError(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "shape is not a tuple");
  CheckError(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3)}"), "shape is not a tuple");
  CheckError(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3,"), "shape is not a tuple");
  CheckError(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x"), "text follows");
  CheckError(parse("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}"), "structures");
  for (const char* descr : {"<f2", "<c8", "|O", "<U3", "<f44", "", "|f4", "f4"}) {
    CAPTURE(descr);
    CheckError(parse(NpyHeaderText(descr, "(1,)")), "not supported", descr);
  }
  std::string dims;
  for (int i = 0; i < 33; ++i) dims += "1,";
  CheckError(parse(NpyHeaderText("|u1", "(" + dims + ")")), "at most 32");
}

TEST_CASE("files that are no arrays") {
  CheckError(Read("this is not an array"), "not a .npy file");
  CheckError(ReadNpy(test::ScratchPath("absent.npy")), "absent.npy: ");
  CheckError(ReadNpy(test::ScratchDir()), "not a regular file");
}

TEST_CASE("what is written is read back, and its items begin at a multiple of 64") {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{}, {6}, {2, 3}, {1, 2, 3, 1}}) {
    const std::string path = test::ScratchPath("written.npy");
    std::vector<float> values(shape.empty() ? 1 : 6);
    for (size_t i = 0; i < values.size(); ++i) values[i] = 0.1F * static_cast<float>(i) - 0.25F;
    auto writer = NpyWriter::Create(path, shape);
    REQUIRE(writer.ok());
    CHECK(writer->Append(std::span(values).first(1)).ok());
    CHECK(writer->Append(std::span(values).subspan(1)).ok());
    CHECK(writer->Close().ok());
    CHECK((std::filesystem::file_size(path) - 4 * values.size()) % 64 == 0);
    const auto array = ReadNpy(path);
    REQUIRE_MESSAGE(array.ok(), array.status().message());
    CHECK(array->dtype == DType::kF32);
    CHECK(array->shape == shape);
    CHECK(AsFloats(*array) == values);
  }
}

TEST_CASE("a writer notices too few items, too many, and files that cannot be created") {
  const std::vector<int64_t> shape{2};
  const std::vector<float> three(3);
  auto writer = NpyWriter::Create(test::ScratchPath("written.npy"), shape);
  REQUIRE(writer.ok());
  CheckError(writer->Append(three), "more items");
  CHECK(writer->Append(std::span(three).first(1)).ok());
  CheckError(writer->Close(), "1 items of its shape");
  CheckError(NpyWriter::Create(test::ScratchPath("no/such/folder.npy"), shape), "folder.npy: ");
}

}  // namespace
}  // namespace bnn::run
