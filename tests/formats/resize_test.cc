// Models at other input sizes: dims follow, and what a source might compute otherwise is refused.
#include "formats/resize.h"

#include <doctest/doctest.h>

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/reader.h"
#include "formats/validate.h"
#include "formats/writer.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/square_window.h"

namespace bnn::formats {
namespace {

using test::Square;
using Shape = std::vector<int64_t>;

Window2d WholeMap(int64_t height, int64_t width) {
  Window2d window;
  window.kernel_h = height;
  window.kernel_w = width;
  window.whole_map = true;
  return window;
}

int Zeros(ModelBuilder& b, const Shape& dims) {
  return b.Floats(dims, std::vector<float>(static_cast<size_t>(ElementCount(dims))));
}

// The dims of the only output of a model of one node, resized; or the message.
struct Outcome {
  Shape dims;
  std::string message;
};
Outcome ResizeNode(const Shape& from, const Shape& to, const std::function<int(ModelBuilder&, int)>& add) {
  ModelBuilder b;
  b.Output(add(b, b.Input(from)));
  REQUIRE(Validate(b.model(), "test").ok());
  const Result<ModelDef> resized = Resize(b.model(), {to});
  if (!resized.ok()) {
    CHECK(resized.status().code() == StatusCode::kInvalidArgument);
    return {{}, resized.status().message()};
  }
  const Status valid = Validate(*resized, "test");
  CHECK_MESSAGE(valid.ok(), valid.message());
  CHECK(resized->tensors[static_cast<size_t>(resized->inputs[0].tensor)].dims == to);
  return {resized->tensors[static_cast<size_t>(resized->outputs[0])].dims, ""};
}

bool Mentions(const Outcome& outcome, const std::string& text) {
  return outcome.message.find(text) != std::string::npos;
}

TEST_CASE("windows: sizes change by multiples of the stride") {
  const auto conv = [](ModelBuilder& b, int x) {
    return b.Node("c", Conv2d{Square(3, 2, 1), 1, Zeros(b, {4, 3, 3, 8}), kNone}, {x});
  };
  CHECK(ResizeNode({10, 10, 8}, {16, 12, 8}, conv).dims == Shape{8, 6, 4});
  CHECK(ResizeNode({10, 10, 8}, {2, 10, 8}, conv).dims == Shape{1, 5, 4});
  CHECK(Mentions(ResizeNode({10, 10, 8}, {11, 10, 8}, conv), "node 'c' (Conv2d)"));
  CHECK(Mentions(ResizeNode({10, 10, 8}, {10, 13, 8}, conv), "13 columns"));
  CHECK(Mentions(ResizeNode({10, 10, 8}, {10, 10, 9}, conv), "weights"));
  const auto pool = [](ModelBuilder& b, int x) { return b.Node("p", MaxPool{Square(3, 1, 0)}, {x}); };
  CHECK(ResizeNode({10, 10, 8}, {11, 4, 8}, pool).dims == Shape{9, 2, 8});
  CHECK(Mentions(ResizeNode({10, 10, 8}, {2, 10, 8}, pool), "window.kernel_h"));
}

TEST_CASE("pooling of the whole map follows it, other pooling does not") {
  const auto global = [](ModelBuilder& b, int x) { return b.Node("g", AvgPool{WholeMap(7, 7), false}, {x}); };
  CHECK(ResizeNode({7, 7, 8}, {10, 3, 8}, global).dims == Shape{1, 1, 8});
  const auto fixed = [](ModelBuilder& b, int x) { return b.Node("f", AvgPool{Square(7, 1, 0), false}, {x}); };
  CHECK(ResizeNode({7, 7, 8}, {10, 7, 8}, fixed).dims == Shape{4, 1, 8});
}

TEST_CASE("whole_map says the truth, and belongs to pooling") {
  ModelBuilder b;
  const int x = b.Input({7, 7, 8});
  b.Output(b.Node("g", AvgPool{WholeMap(7, 7), false}, {x}));
  CHECK(Validate(b.model(), "test").ok());
  for (const int64_t kernel : {6, 8}) {
    Window2d window = WholeMap(7, kernel);
    CHECK_FALSE(OutputDims(AvgPool{window, true}, {{7, 7, 8}}, {}).ok());
  }
  Window2d padded = WholeMap(7, 7);
  padded.pad_left = 1;
  CHECK_FALSE(OutputDims(MaxPool{padded}, {{7, 7, 8}}, {}).ok());
  const int weights = Zeros(b, {4, 7, 7, 8});
  CHECK_FALSE(OutputDims(Conv2d{WholeMap(7, 7), 1, weights, kNone}, {{7, 7, 8}}, b.model().blobs).ok());
}

TEST_CASE("whole_map survives a file") {
  for (const bool whole : {true, false}) {
    ModelBuilder b;
    Window2d window = WholeMap(7, 7);
    window.whole_map = whole;
    b.Output(b.Node("g", AvgPool{window, false}, {b.Input({7, 7, 8})}));
    b.model().producer = "test";
    const Result<std::string> bytes = SerializeModel(b.model());
    REQUIRE(bytes.ok());
    const Result<ModelDef> read = ParseModel(std::as_bytes(std::span(*bytes)), "test");
    REQUIRE_MESSAGE(read.ok(), read.status().message());
    CHECK(*read == b.model());
  }
}

TEST_CASE("slices take axes whole, or the axis keeps its size") {
  const auto channels = [](ModelBuilder& b, int x) { return b.Node("s", Slice{{0, 0, 2}, {6, 5, 8}, {1, 1, 3}}, {x}); };
  CHECK(ResizeNode({6, 5, 8}, {9, 7, 8}, channels).dims == Shape{9, 7, 2});
  CHECK(Mentions(ResizeNode({6, 5, 8}, {6, 5, 9}, channels), "axis 2"));
  const auto rows = [](ModelBuilder& b, int x) { return b.Node("s", Slice{{1, 0, 0}, {6, 5, 8}, {1, 1, 1}}, {x}); };
  CHECK(ResizeNode({6, 5, 8}, {6, 7, 8}, rows).dims == Shape{5, 7, 8});
  CHECK(Mentions(ResizeNode({6, 5, 8}, {7, 5, 8}, rows), "fixed places"));
  const auto every_second = [](ModelBuilder& b, int x) {
    return b.Node("s", Slice{{0, 0, 0}, {6, 5, 8}, {2, 1, 1}}, {x});
  };
  CHECK(Mentions(ResizeNode({6, 5, 8}, {8, 5, 8}, every_second), "node 's' (Slice)"));
}

TEST_CASE("reshapes merge axes") {
  const auto to = [](Shape dims) { return [dims](ModelBuilder& b, int x) { return b.AddReshape(x, dims, "r"); }; };
  CHECK(ResizeNode({6, 5, 8}, {9, 7, 8}, to({240})).dims == Shape{504});
  CHECK(ResizeNode({6, 5, 8}, {9, 7, 8}, to({30, 8})).dims == Shape{63, 8});
  CHECK(ResizeNode({6, 5, 8}, {9, 7, 8}, to({1, 6, 40, 1})).dims == Shape{1, 9, 56, 1});
  CHECK(ResizeNode({6, 5, 8}, {9, 7, 8}, to({6, 5, 2, 4})).dims == Shape{9, 7, 2, 4});
  CHECK(ResizeNode({1, 1, 8}, {1, 1, 16}, to({8})).dims == Shape{16});
  CHECK(Mentions(ResizeNode({6, 5, 8}, {9, 7, 8}, to({3, 2, 5, 8})), "node 'r' (Reshape)"));
  CHECK(Mentions(ResizeNode({6, 5, 8}, {9, 7, 8}, to({10, 24})), "merge"));
  CHECK(Mentions(ResizeNode({1, 1, 8}, {2, 1, 8}, to({8})), "merge"));  // a map of one pixel may be anything
}

TEST_CASE("all else is OutputDims") {
  const auto pad = [](ModelBuilder& b, int x) { return b.Node("p", Pad{{1, 0, 0}, {0, 2, 0}}, {x}); };
  CHECK(ResizeNode({6, 5, 8}, {9, 7, 8}, pad).dims == Shape{10, 9, 8});
  const auto transpose = [](ModelBuilder& b, int x) { return b.Node("t", Transpose{{2, 0, 1}}, {x}); };
  CHECK(ResizeNode({6, 5, 8}, {9, 7, 8}, transpose).dims == Shape{8, 9, 7});
  const auto dense = [](ModelBuilder& b, int x) { return b.Node("fc", Dense{Zeros(b, {10, 240}), kNone}, {x}); };
  CHECK(Mentions(ResizeNode({6, 5, 8}, {9, 7, 8}, dense), "node 'fc' (Dense) cannot be resized: weights"));
  const auto constant = [](ModelBuilder& b, int x) {
    return b.Node("add", Binary{BinaryKind::kAdd, Zeros(b, {6, 5, 8})}, {x});
  };
  CHECK(Mentions(ResizeNode({6, 5, 8}, {9, 7, 8}, constant), "node 'add' (Binary)"));
}

TEST_CASE("inputs") {
  ModelBuilder b;
  const int x = b.Input({6, 5, 8});
  const int y = b.Input({6, 5, 8});
  b.Output(b.Node("add", Binary{}, {x, y}));
  CHECK(Resize(b.model(), {{4, 4, 8}, {4, 4, 8}}).ok());
  CHECK_FALSE(Resize(b.model(), {{4, 4, 8}, {5, 4, 8}}).ok());
  CHECK_FALSE(Resize(b.model(), {{4, 4, 8}}).ok());
  CHECK_FALSE(Resize(b.model(), {{4, 4}, {4, 4}}).ok());
  CHECK_FALSE(Resize(b.model(), {{4, 0, 8}, {4, 0, 8}}).ok());
  const int64_t huge = int64_t{1} << 62;
  CHECK_FALSE(Resize(b.model(), {{huge, huge, huge}, {huge, huge, huge}}).ok());
  CHECK_FALSE(Resize(b.model(), {{1 << 20, 1 << 20, 8}, {1 << 20, 1 << 20, 8}}).ok());
  b.model().inputs[0].layout = ImageLayout::kNhwc;
  CHECK(Resize(b.model(), {{4, 4, 8}, {4, 4, 8}}).ok());
  const Result<ModelDef> channels = Resize(b.model(), {{4, 4, 9}, {4, 4, 9}});
  CHECK(channels.status().message().find("8 channels") != std::string::npos);
}

}  // namespace
}  // namespace bnn::formats
