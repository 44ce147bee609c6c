#include "tools/bnn_run/image.h"

#include <doctest/doctest.h>
#include <stb/stb_image_write.h>

#include <cstdlib>

#include "tests/tools/bnn_run/test_files.h"

namespace bnn::run {
namespace {

using test::CheckError;

std::string Png(int width, int height, int channels, const std::vector<unsigned char>& pixels) {
  const std::string path = test::ScratchPath("image.png");
  REQUIRE(stbi_write_png(path.c_str(), width, height, channels, pixels.data(), 0) != 0);
  return path;
}

std::vector<int64_t> Pixels(const Result<Array>& array) {
  REQUIRE_MESSAGE(array.ok(), array.status().message());
  return *ToIntegers(*array, "");
}

TEST_CASE("pictures of the input's size keep their pixels") {
  const std::string path = Png(2, 1, 3, {1, 2, 3, 250, 128, 7});
  const auto array = ReadImage(path, 1, 2, 3);
  CHECK(Pixels(array) == std::vector<int64_t>{1, 2, 3, 250, 128, 7});
  CHECK(array->shape == std::vector<int64_t>{1, 1, 2, 3});
}

TEST_CASE("gray and colour are converted, alpha is dropped") {
  CHECK(Pixels(ReadImage(Png(2, 1, 1, {5, 200}), 1, 2, 3)) == std::vector<int64_t>{5, 5, 5, 200, 200, 200});
  // (77 R + 150 G + 29 B) / 256
  CHECK(Pixels(ReadImage(Png(2, 1, 3, {255, 0, 0, 10, 20, 30}), 1, 2, 1)) == std::vector<int64_t>{76, 18});
  CHECK(Pixels(ReadImage(Png(1, 1, 4, {9, 8, 7, 0}), 1, 1, 3)) == std::vector<int64_t>{9, 8, 7});
}

TEST_CASE("other sizes are stretched") {
  const std::vector<unsigned char> flat(6 * 4, 77);
  for (const int64_t size : {1, 3, 9}) {
    for (const int64_t pixel : Pixels(ReadImage(Png(6, 4, 1, flat), size, size, 1))) CHECK(pixel == 77);
  }
  // Half the width: each new pixel lies around the mean of two old ones, and left and right stay apart.
  const auto halved = Pixels(ReadImage(Png(4, 1, 1, {0, 0, 200, 200}), 1, 2, 1));
  CHECK(halved[0] < 50);
  CHECK(halved[1] > 150);
  CHECK(halved[0] + halved[1] == 200);
}

TEST_CASE("JPEG") {
  const std::string path = test::ScratchPath("image.jpg");
  const std::vector<unsigned char> flat(8 * 8 * 3, 100);
  REQUIRE(stbi_write_jpg(path.c_str(), 8, 8, 3, flat.data(), 90) != 0);
  for (const int64_t pixel : Pixels(ReadImage(path, 8, 8, 1))) CHECK(std::abs(pixel - 100) <= 2);
}

TEST_CASE("pictures that cannot be used") {
  const std::string path = Png(2, 1, 1, {5, 200});
  CheckError(ReadImage(path, 1, 2, 2), "2 channels");
  CheckError(ReadImage(path, int64_t{1} << 40, 2, 1), "too large");
  const std::string whole = test::ReadWholeFile(path);
  for (size_t length = 0; length + 12 < whole.size(); ++length) {  // the last 12 bytes only mark the end
    CAPTURE(length);
    CHECK_FALSE(ReadImage(test::WriteFile("cut.png", whole.substr(0, length)), 1, 2, 1).ok());
  }
  // A header that claims 16384 x 16384 pixels.
  std::string huge = whole;
  huge.replace(16, 8, test::Number(16384, 4, true) + test::Number(16384, 4, true));
  CheckError(ReadImage(test::WriteFile("huge.png", huge), 1, 2, 1), "16384x16384", "too many");
  CheckError(ReadImage(test::ScratchPath("absent.png"), 1, 1, 1), "absent.png");
}

}  // namespace
}  // namespace bnn::run
