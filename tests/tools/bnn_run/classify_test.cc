#include "tools/bnn_run/classify.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/tools/bnn_run/test_files.h"

namespace bnn::run {
namespace {

using test::CheckError;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST_CASE("the class is the first maximum, and NaN never wins") {
  CHECK(ArgMax(std::vector<float>{1, 3, 3, 2}) == 1);
  CHECK(ArgMax(std::vector<float>{-5, -3}) == 1);
  CHECK(ArgMax(std::vector<float>{kNan, -kInf, kNan}) == 1);
  CHECK(ArgMax(std::vector<float>{0.0F, -0.0F}) == 0);
  CHECK(ArgMax(std::vector<float>{kNan}) == -1);
}

TEST_CASE("the best classes, equal ones by index") {
  const std::vector<float> scores{2, 5, kNan, 5, kInf, 2};
  CHECK(TopK(scores, 4) == std::vector<int64_t>{4, 1, 3, 0});
  CHECK(TopK(scores, 9) == std::vector<int64_t>{4, 1, 3, 0, 5, 2});
  CHECK(TopK(scores, 1) == std::vector<int64_t>{4});
}

TEST_CASE("only a softmax at the end makes probabilities") {
  const auto plan = [](std::vector<std::string> ops) {
    std::vector<StepInfo> steps(ops.size());
    for (size_t i = 0; i < ops.size(); ++i) steps[i].op = ops[i];
    return EndsInSoftmax(steps);
  };
  CHECK(plan({"dense", "softmax"}));
  CHECK(plan({"dense+softmax"}));
  CHECK_FALSE(plan({"softmax", "dense"}));
  CHECK_FALSE(plan({"dense+log_softmax"}));
  CHECK_FALSE(plan({}));
}

TEST_CASE("class names") {
  const auto names = ReadClassNames(test::WriteFile("names.txt", "cat\r\n\nbig dog\n\n"));
  REQUIRE(names.ok());
  CHECK(*names == std::vector<std::string>{"cat", "", "big dog"});
  CHECK(*ReadClassNames(test::WriteFile("names.txt", "a\nb")) == std::vector<std::string>{"a", "b"});
  CheckError(ReadClassNames(test::WriteFile("names.txt", "\n\n")), "no class names");
  CheckError(ReadClassNames(test::ScratchPath("absent.txt")), "absent.txt");
}

TEST_CASE("labels are integers, as many as images, each a class of the model") {
  const auto npy = [](const std::string& descr, const std::string& shape, const std::string& data) {
    return test::WriteFile("labels.npy", test::Npy(test::NpyHeaderText(descr, shape), data));
  };
  const std::string three("\x02\x00\x01", 3);
  CHECK(*ReadLabels(npy("|u1", "(3,)", three), 3, 3) == std::vector<int64_t>{2, 0, 1});
  CHECK(*ReadLabels(npy("|u1", "(3, 1)", three), 3, 3) == std::vector<int64_t>{2, 0, 1});
  CHECK(*ReadLabels(test::WriteFile("l.idx", test::Idx(8, {3}, three)), 3, 3) == std::vector<int64_t>{2, 0, 1});
  CheckError(ReadLabels(npy("|u1", "(3,)", three), 4, 3), "3 labels", "4 images");
  CheckError(ReadLabels(npy("|u1", "(3,)", three), 3, 2), "label 0 is 2", "0 to 1");
  CheckError(ReadLabels(npy("|i1", "(1,)", "\xff"), 1, 2), "label 0 is -1");
  CheckError(ReadLabels(npy("<u8", "(1,)", std::string(8, '\xff')), 1, 2), "out of range");
  CheckError(ReadLabels(npy("<f4", "(1,)", std::string(4, '\0')), 1, 2), "float32", "integers");
  CheckError(ReadLabels(npy("|u1", "(1, 3)", three), 3, 3), "[1,3]");
}

}  // namespace
}  // namespace bnn::run
