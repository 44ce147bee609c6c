#include "tools/bnn_run/preprocess.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/tools/bnn_run/test_files.h"
#include "tools/bnn_run/feeds.h"

namespace bnn::run {
namespace {

using test::CheckError;

TensorInfo Input(std::vector<int64_t> dims, bnn_layout layout, std::vector<float> mean = {},
                 std::vector<float> scale = {}) {
  size_t bytes = sizeof(float);
  for (const int64_t dim : dims) bytes *= static_cast<size_t>(dim);
  return {"x", std::move(dims), bytes, layout, std::move(mean), std::move(scale)};
}

Array U8(std::vector<int64_t> shape) {
  Array array;
  int64_t size = 1;
  for (const int64_t dim : shape) size *= dim;
  array.shape = std::move(shape);
  for (int64_t i = 0; i < size; ++i) array.data.push_back(static_cast<std::byte>(i));
  return array;
}

Array F32(std::vector<int64_t> shape) {
  const Array bytes = U8(std::move(shape));
  Array array{DType::kF32, bytes.shape, {}};
  std::vector<float> values(bytes.data.size());
  CopyAsFloat(bytes, 0, values);
  const auto raw = std::as_bytes(std::span(values));
  array.data.assign(raw.begin(), raw.end());
  return array;
}

// All samples of `array` as the input gets them.
std::vector<float> Convert(const TensorInfo& input, const PreprocessFlags& flags, const Array& array) {
  const auto preprocessor = Preprocessor::Create(input, flags);
  REQUIRE_MESSAGE(preprocessor.ok(), preprocessor.status().message());
  const auto feed = preprocessor->Match(array, "file");
  REQUIRE_MESSAGE(feed.ok(), feed.status().message());
  std::vector<float> out(static_cast<size_t>(feed->samples * preprocessor->sample_size()));
  preprocessor->Fill(*feed, 0, feed->samples, out);
  return out;
}

Scale MustParse(const char* text) {
  auto scale = ParseScale(text);
  REQUIRE_MESSAGE(scale.ok(), scale.status().message());
  return *scale;
}

TEST_CASE("numbers of --mean and --scale") {
  CHECK(*ParseNumbers("0.5") == std::vector<float>{0.5F});
  CHECK(*ParseNumbers("-1e-3,2,+4.25") == std::vector<float>{-1e-3F, 2, 4.25F});
  for (const char* text : {"", "a", "1,", ",1", "1 ", " 1", "1,,2", "nan", "inf", "1e60", "1/2", "0x"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseNumbers(text).ok());
  }
  const Scale scale = MustParse("1/255,0.5,-3/4");
  CHECK(scale.factor == std::vector<float>{1, 0.5F, -3});
  CHECK(scale.divisor == std::vector<float>{255, 1, 4});
  CheckError(ParseScale("1/0"), "divides by zero");
  for (const char* text : {"1/", "/2", "1/2/3", "1//2", "1/2,"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseScale(text).ok());
  }
}

TEST_CASE("a scale of 1/255 divides: bit for bit what p / 255 gives, for every pixel value") {
  const TensorInfo input = Input({1, 1, 16, 16}, BNN_LAYOUT_NCHW);
  PreprocessFlags flags;
  flags.scale = MustParse("1/255");
  const std::vector<float> divided = Convert(input, flags, U8({1, 16, 16}));
  flags.scale = MustParse("0.00392156862745098");
  const std::vector<float> multiplied = Convert(input, flags, U8({1, 16, 16}));
  int different = 0;
  for (int p = 0; p < 256; ++p) {
    const auto i = static_cast<size_t>(p);
    CHECK(divided[i] == static_cast<float>(p) / 255.0F);
    CHECK(multiplied[i] == static_cast<float>(p) * 0.00392156862745098F);
    different += divided[i] != multiplied[i] ? 1 : 0;
  }
  CHECK(different > 0);  // else the division would not be needed
}

TEST_CASE("mean and scale per channel, from the model or from flags") {
  const Array image = U8({1, 1, 2, 3});  // two pixels: 0 1 2 and 3 4 5
  const TensorInfo input = Input({1, 3, 1, 2}, BNN_LAYOUT_NCHW, {1, 2, 3}, {2, 4, 8});
  CHECK(Convert(input, {}, image) == std::vector<float>{-2, 4, -4, 8, -8, 16});
  const TensorInfo nhwc = Input({1, 1, 2, 3}, BNN_LAYOUT_NHWC, {1, 2, 3}, {2, 4, 8});
  CHECK(Convert(nhwc, {}, image) == std::vector<float>{-2, -4, -8, 4, 8, 16});

  PreprocessFlags mean_only;
  mean_only.mean = std::vector<float>{0.0F};
  CHECK(Convert(input, mean_only, image) == std::vector<float>{0, 6, 4, 16, 16, 40});
  PreprocessFlags both = mean_only;
  both.scale = MustParse("1,1/2,1");
  CHECK(Convert(input, both, image) == std::vector<float>{0, 3, 0.5F, 2, 2, 5});

  PreprocessFlags wrong;
  wrong.mean = std::vector<float>{1, 2};
  CheckError(Preprocessor::Create(input, wrong), "2 values", "3 channels");
  CheckError(Preprocessor::Create(Input({1, 6}, BNN_LAYOUT_NONE), wrong), "2 values", "no channels");
}

TEST_CASE("values that are no uint8 stay as they are unless flags say otherwise") {
  const TensorInfo input = Input({1, 3, 1, 2}, BNN_LAYOUT_NCHW, {100}, {7});
  CHECK(Convert(input, {}, F32({1, 3, 1, 2})) == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(Convert(input, {}, F32({1, 1, 2, 3})) == std::vector<float>{0, 3, 1, 4, 2, 5});
  PreprocessFlags flags;
  flags.mean = std::vector<float>{1.0F};  // and no scale: the model's is for pixels
  CHECK(Convert(input, flags, F32({1, 3, 1, 2})) == std::vector<float>{-1, 0, 1, 2, 3, 4});
}

TEST_CASE("orders of the dimensions") {
  const std::vector<float> hwc{0, 1, 2, 3, 4, 5}, chw_of_hwc{0, 3, 1, 4, 2, 5}, hwc_of_chw{0, 2, 4, 1, 3, 5};
  const TensorInfo nchw = Input({1, 3, 1, 2}, BNN_LAYOUT_NCHW), nhwc = Input({1, 1, 2, 3}, BNN_LAYOUT_NHWC);
  CHECK(Convert(nchw, {}, U8({1, 3, 1, 2})) == hwc);
  CHECK(Convert(nchw, {}, U8({1, 1, 2, 3})) == chw_of_hwc);
  CHECK(Convert(nhwc, {}, U8({1, 1, 2, 3})) == hwc);
  CHECK(Convert(nhwc, {}, U8({1, 3, 1, 2})) == hwc_of_chw);
  CHECK(Convert(nchw, {}, U8({1, 2, 3})) == chw_of_hwc);  // one sample without N
  CHECK(Convert(nchw, {}, U8({4, 1, 2, 3})).size() == 24);

  // Without the model's word the number of channels tells, and the flag has the last word.
  CHECK(Convert(Input({1, 3, 1, 2}, BNN_LAYOUT_NONE), {}, U8({1, 1, 2, 3})) == chw_of_hwc);
  CHECK(Convert(Input({1, 1, 2, 3}, BNN_LAYOUT_NONE), {}, U8({1, 1, 2, 3})) == hwc);
  PreprocessFlags flags;
  flags.layout = BNN_LAYOUT_NHWC;
  const auto forced = Preprocessor::Create(nchw, flags);
  REQUIRE(forced.ok());
  CHECK(forced->channels() == 2);
  CHECK(forced->height() == 3);
  CheckError(Preprocessor::Create(Input({1, 6}, BNN_LAYOUT_NONE), flags), "4 dimensions", "[1,6]");
}

TEST_CASE("one channel needs no channel dimension, and vectors none at all") {
  const TensorInfo gray = Input({1, 1, 2, 3}, BNN_LAYOUT_NCHW);
  for (const Array& array : {U8({2, 2, 3}), U8({2, 1, 2, 3}), U8({2, 2, 3, 1}), U8({2, 6})}) {
    const std::vector<float> values = Convert(gray, {}, array);
    REQUIRE(values.size() == 12);
    CHECK(values[11] == 11);
  }
  CHECK(Convert(gray, {}, U8({2, 3})).size() == 6);
  const TensorInfo vector = Input({1, 6}, BNN_LAYOUT_NONE);
  for (const Array& array : {U8({2, 6}), U8({2, 2, 3}), U8({2, 1, 2, 3})}) {
    CHECK(Convert(vector, {}, array).size() == 12);
  }
}

TEST_CASE("shapes that do not suit are refused with both shapes") {
  const auto match = [](const TensorInfo& input, const Array& array) {
    return Preprocessor::Create(input, {})->Match(array, "f.npy");
  };
  const TensorInfo colour = Input({1, 3, 4, 5}, BNN_LAYOUT_NCHW);
  CheckError(match(colour, U8({2, 5, 4, 3})), "f.npy: shape [2,5,4,3]", "[N,4,5,3] or [N,3,4,5]");
  CheckError(match(colour, U8({2, 4, 5})), "shape [2,4,5]");
  CheckError(match(colour, U8({2, 60})), "shape [2,60]");
  CheckError(match(colour, U8({60})), "shape [60]");
  CheckError(match(colour, U8({})), "shape []");
  CheckError(match(Input({1, 1, 4, 5}, BNN_LAYOUT_NCHW), U8({2, 5, 5})), "[N,4,5]");
  CheckError(match(Input({1, 7}, BNN_LAYOUT_NONE), U8({2, 8})), "[N,7]");
}

TEST_CASE("feeds run through the samples of several files and fill up with zeros") {
  auto preprocessor = Preprocessor::Create(Input({4, 2}, BNN_LAYOUT_NONE), {});
  REQUIRE(preprocessor.ok());
  InputFeed feed(*std::move(preprocessor));
  REQUIRE(feed.AddArray(F32({2, 2}), "a").ok());
  REQUIRE(feed.AddArray(F32({3, 2}), "b").ok());
  REQUIRE(feed.AddArray(F32({2}), "c").ok());
  CHECK(feed.samples() == 6);
  CHECK(feed.SampleName(1) == "a[1]");
  CHECK(feed.SampleName(4) == "b[2]");
  CHECK(feed.SampleName(5) == "c");
  std::vector<float> out(8, 99.0F);
  feed.Fill(1, 3, out);
  CHECK(out == std::vector<float>{2, 3, 0, 1, 2, 3, 0, 0});
  feed.Fill(4, 1, out);
  CHECK(out == std::vector<float>{4, 5, 0, 0, 0, 0, 0, 0});
  CheckError(feed.AddArray(F32({3, 3}), "d.npy"), "d.npy");
}

TEST_CASE("several inputs need names and equally many samples") {
  const auto file = [](const std::string& name, int samples) {
    const std::string text = "(" + std::to_string(samples) + ", 2)";
    return test::WriteFile(
        name, test::Npy(test::NpyHeaderText("|u1", text), std::string(static_cast<size_t>(2 * samples), 'a')));
  };
  const std::string three = file("three.npy", 3), two = file("two.npy", 2), none = file("none.npy", 0);
  TensorInfo a = Input({1, 2}, BNN_LAYOUT_NONE), b = a;
  a.name = "a";
  b.name = "b=1";
  const auto load = [&](const std::vector<std::string>& files) { return LoadFeeds({a, b}, {}, files); };
  const auto feeds = load({"b=1=" + three, "a=" + three});
  REQUIRE_MESSAGE(feeds.ok(), feeds.status().message());
  CHECK(feeds->at(0).samples() == 3);
  CheckError(load({"a=" + three, "b=1=" + two}), "input 'b=1' has 2 samples", "'a' has 3");
  CheckError(load({"a=" + three}), "no samples for input 'b=1'");
  CheckError(load({three, three}), "NAME=FILE", "a, b=1");
  CheckError(LoadFeeds({a}, {}, {none}), "no samples");
  CHECK(LoadFeeds({a}, {}, {three, "a=" + two})->at(0).samples() == 5);
}

}  // namespace
}  // namespace bnn::run
