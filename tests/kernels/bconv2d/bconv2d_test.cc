// Every bconv2d kernel against the reference, bit by bit, with inaccessible pages around every buffer; and all of them,
// the reference included, against the definition of a convolution on values of -1 and +1.
#include "kernels/bconv2d/bconv2d.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/kernels/bconv2d/bconv2d_check.h"

namespace bnn::kernels {
namespace {

// Kernel sizes, strides, dilations and pads (asymmetric ones too), for an input of 9 x 11 pixels.
std::vector<BConv2dShape> Windows() {
  std::vector<BConv2dShape> shapes;
  const auto add = [&](int64_t kh, int64_t kw, int64_t sh, int64_t sw, int64_t dh, int64_t dw, int64_t top,
                       int64_t left, int64_t bottom, int64_t right) {
    BConv2dShape s = Image(1, 9, 11, 40, 35);
    s.kernel_h = kh, s.kernel_w = kw, s.stride_h = sh, s.stride_w = sw, s.dilation_h = dh, s.dilation_w = dw;
    s.pad_top = top, s.pad_left = left, s.pad_bottom = bottom, s.pad_right = right;
    shapes.push_back(s);
  };
  for (int64_t kernel : {1, 2, 3, 5, 7}) {
    for (int64_t stride : {1, 2, 3}) {
      add(kernel, kernel, stride, stride, 1, 1, kernel / 2, kernel / 2, kernel / 2, kernel / 2);
    }
    add(kernel, kernel, 1, 1, 1, 1, 0, 0, 0, 0);
  }
  add(3, 3, 1, 1, 2, 2, 2, 2, 2, 2);
  add(3, 2, 1, 2, 2, 3, 0, 1, 3, 2);
  add(2, 5, 2, 1, 3, 1, 1, 0, 0, 4);
  add(1, 7, 1, 1, 1, 1, 0, 3, 0, 3);
  add(7, 1, 1, 1, 1, 1, 3, 0, 3, 0);
  add(3, 3, 2, 2, 1, 1, 0, 0, 1, 1);    // TensorFlow's SAME
  add(1, 1, 1, 1, 1, 1, 1, 2, 3, 0);    // whole outputs in the halo
  add(9, 11, 1, 1, 1, 1, 0, 0, 0, 0);   // one output
  add(3, 3, 20, 20, 1, 1, 1, 1, 1, 1);  // stride beyond the image
  add(2, 2, 1, 1, 10, 12, 5, 6, 5, 6);  // taps that are never inside together
  return shapes;
}

TEST_CASE("every kernel computes the convolution of its -1 and +1 values") {
  for (const BConv2dShape& window : Windows()) {
    for (Padding padding : kPaddings) {
      BConv2dShape shape = window;
      shape.padding = padding;
      std::mt19937 random(3);
      BConv2dProblem problem(shape, 0, Guard::kAfter, random);
      const TensorGeometry geometry = {shape.batch, shape.out_h(), shape.out_w(), shape.out_channels, 0};
      const EpilogueFixture fixture(kPlainFloats, geometry, 1, Guard::kAfter, random);
      const std::vector<int32_t> expected = problem.NaiveOutput();
      for (const BConv2dKernel* kernel : RunnableKernels()) {
        EpilogueOutputs outputs(geometry, Guard::kAfter);
        RunKernel(*kernel, problem, fixture, &outputs);
        CHECK_MESSAGE(std::ranges::equal(outputs.floats.span(), expected),
                      kernel->name << ": " << test::Describe(shape));
      }
    }
  }
}

TEST_CASE("channels: every kernel equals the reference for awkward counts") {
  int64_t index = 0;
  for (int64_t in : kChannels) {
    for (int64_t out : kChannels) {
      BConv2dShape shape = Square(3, 1, Image(1, 3, 5, in, out));
      shape.padding = kPaddings[index % 3];
      const Guard guard = index / 3 % 2 == 0 ? Guard::kAfter : Guard::kBefore;
      CheckAgainstReference(shape, kFloatsAndBits, index % 2, guard);
      ++index;
    }
  }
}

TEST_CASE("windows: every kernel equals the reference for sizes, strides, dilations and pads") {
  for (const BConv2dShape& window : Windows()) {
    for (Padding padding : kPaddings) {
      for (Guard guard : test::kBothGuards) {
        BConv2dShape shape = window;
        shape.padding = padding;
        CheckAgainstReference(shape, kFloatsAndBits, guard == Guard::kBefore ? 2 : 0, guard);
      }
    }
  }
}

TEST_CASE("widths: every kernel equals the reference for every remainder of its tile") {
  for (int64_t width = 1; width <= 16; ++width) {
    for (Guard guard : test::kBothGuards) {
      for (int64_t gap : {0, 3}) {
        // Without a gap, rows and images of the 1x1 convolution touch and are merged.
        CheckAgainstReference(Image(2, 3, width, 70, 109), kFloatsAndBits, gap, guard);
        CheckAgainstReference(Square(3, 1, Image(2, 2, width, 70, 109)), kFloatsAndBits, gap, guard);
      }
    }
  }
}

// Without dilation a 3x3 window over w words is 3 runs of 3 * w words, with dilation 9 runs of w; 1x5 is one run.
// Groups of words that a kernel takes at once begin and end anywhere in them. 64 channels: blocks that lack none are
// finished by other code than the last of 40.
TEST_CASE("words: every kernel equals the reference for every length of a run and of a window") {
  for (int64_t words = 1; words <= 17; ++words) {
    const int64_t in = words * 32 - words % 3;
    for (Guard guard : test::kBothGuards) {
      const int64_t out = guard == Guard::kBefore ? 64 : 40;
      BConv2dShape wide = Image(1, 2, 7, in, out);
      wide.kernel_w = 5;
      BConv2dShape dilated = Square(3, 2, Image(1, 2, 3, in, out));
      dilated.dilation_h = dilated.dilation_w = 2;
      for (const BConv2dShape& shape : {wide, dilated, Square(3, 1, Image(1, 2, 5, in, out))}) {
        CheckAgainstReference(shape, kFloatsAndBits, guard == Guard::kBefore ? 1 : 0, guard);
      }
    }
  }
}

// Runs of 1 to 20 words: taps that touch in memory are one run, with dilation or a gap each is its own.
TEST_CASE("runs: every kernel equals the reference for every length of a run of words") {
  for (int64_t words = 1; words <= 20; ++words) {
    for (Guard guard : test::kBothGuards) {
      BConv2dShape touching = Image(1, 2, 9, words * 32 - 5, guard == Guard::kBefore ? 64 : 40);
      touching.kernel_w = 2;
      BConv2dShape apart = touching;
      apart.dilation_w = 2;
      const EpilogueCase& floats = guard == Guard::kBefore ? kAffineFloats : kPlainFloats;
      CheckAgainstReference(touching, floats, 0, guard);
      CheckAgainstReference(apart, floats, 0, guard);
      CheckAgainstReference(apart, floats, 1, guard);
    }
  }
}

// 9 x 1184 bits are 333 words: more than kernels keep at once of what they make of the input. And up to 9 channel
// blocks, in even and odd numbers: kernels that count two at once have one left.
TEST_CASE("long windows and many channel blocks") {
  CheckAgainstReference(Square(3, 1, Image(1, 3, 9, 1184, 40)), kPlainFloats, 0, Guard::kAfter);
  for (int64_t out : {32, 64, 96, 160, 270}) {
    CheckAgainstReference(Square(3, 1, Image(1, 3, 9, 96, out)), kPlainFloats, 0, Guard::kAfter);
    CheckAgainstReference(Square(3, 1, Image(1, 3, 9, 96, out)), kPlainFloats, 0, Guard::kBefore);
  }
  for (int64_t out : {64, 96}) {
    CheckAgainstReference(Square(3, 1, Image(1, 3, 9, 1184, out)), kPlainFloats, 0, Guard::kAfter);
  }
  // Of a group's words, which other groups' part, there is room for two rows of three under 9 pixels, and for none.
  for (int64_t words : {60, 150}) {
    for (Guard guard : test::kBothGuards) {
      CheckAgainstReference(Square(3, 1, Image(1, 2, 9, words * 32, 70)), kPlainFloats, 1, guard);
    }
  }
  // Nor for all three rows under 2 pixels, although the window has no more words than kernels keep of one.
  CheckAgainstReference(Square(3, 1, Image(1, 2, 2, 35 * 32, 70)), kAffineFloats, 1, Guard::kAfter);
}

TEST_CASE("all bits differ, or none: the largest and the smallest counts") {
  for (int64_t channels : {3, 17, 55, 56, 57, 64, 113, 128, 234, 250}) {  // K = 27 to 2250
    BConv2dShape shape = Square(3, 1, Image(1, 4, 9, channels, 34));
    for (Padding padding : {Padding::kOne, Padding::kMinusOne}) {
      shape.padding = padding;
      std::mt19937 random(2);
      BConv2dProblem problem(shape, 0, Guard::kAfter, random);
      const int8_t input = padding == Padding::kOne ? 1 : -1;
      problem.SetAllInputs(input);
      for (const int8_t weight : {int8_t{-1}, int8_t{1}}) {
        problem.SetAllWeights(weight);
        problem.UpdateWeights();
        const TensorGeometry geometry = {1, 4, 9, 34, 0};
        const EpilogueFixture fixture(kPlainFloats, geometry, 1, Guard::kAfter, random);
        for (const BConv2dKernel* kernel : RunnableKernels()) {
          EpilogueOutputs outputs(geometry, Guard::kAfter);
          RunKernel(*kernel, problem, fixture, &outputs);
          int64_t wrong = 0;
          const float expected = static_cast<float>(input * weight * shape.terms());
          for (float x : outputs.floats.ToVector()) wrong += x == expected ? 0 : 1;
          CHECK_MESSAGE(wrong == 0, kernel->name << ": " << channels << " channels");
        }
      }
    }
  }
}

TEST_CASE("parts: what is named is computed, and nothing else is written") {
  for (Padding padding : kPaddings) {
    for (int64_t kernel : {1, 3}) {
      BConv2dShape shape = Square(kernel, kernel / 2, Image(3, 5, 8, 64, 150));
      shape.padding = padding;
      const std::vector<std::vector<Part>> partitions = {
          {{0, 3, 0, 5, 0, 2}},
          {{1, 2, 0, 5, 0, 5}},
          {{0, 3, 2, 4, 4, 5}},
          {{2, 3, 4, 5, 1, 2}},
          {{0, 0, 0, 5, 0, 5}, {0, 3, 3, 3, 0, 5}, {0, 3, 0, 5, 2, 2}},                      // nothing
          {{0, 1, 0, 5, 0, 5}, {1, 3, 0, 2, 0, 5}, {1, 3, 2, 5, 0, 3}, {1, 3, 2, 5, 3, 5}},  // everything, in pieces
      };
      for (const std::vector<Part>& parts : partitions) {
        CheckAgainstReference(shape, kFloatsAndBits, 0, Guard::kAfter, parts);
        CheckAgainstReference(shape, kFloatsAndBits, 1, Guard::kBefore, parts);
      }
    }
  }
}

TEST_CASE("the pieces of a partition give the same output as one run") {
  const BConv2dShape shape = Square(3, 1, Image(2, 6, 10, 96, 100));
  for (const BConv2dKernel* kernel : RunnableKernels()) {
    std::mt19937 random(5);
    BConv2dProblem problem(shape, 0, Guard::kAfter, random);
    const TensorGeometry geometry = {shape.batch, shape.out_h(), shape.out_w(), shape.out_channels, 0};
    const EpilogueFixture fixture(kFloatsAndBits, geometry, 30, Guard::kAfter, random);
    EpilogueOutputs whole(geometry, Guard::kAfter);
    EpilogueOutputs pieces(geometry, Guard::kAfter);
    BConv2dArgs args = problem.ArgsFor(*kernel);
    args.epilogue = fixture.Make(&whole);
    kernel->run(shape, args);
    args.epilogue = fixture.Make(&pieces);
    for (int64_t image = 0; image < 2; ++image) {
      for (int64_t row = 0; row < 6; row += 2) {
        for (int64_t block = 0; block < 4; ++block) {
          SetPart({image, image + 1, row, row + 2, block, block + 1}, &args);
          kernel->run(shape, args);
        }
      }
    }
    CHECK_MESSAGE(test::SameOutputs(whole, pieces), kernel->name);
  }
}

// The contract between the model file and the kernels: bit (kh, kw, in) of row `out` meets exactly the input under that
// tap. Flipping one weight from -1 to +1 adds twice that input to that output channel and changes nothing else.
TEST_CASE("pack: the order of the model file reaches the right taps") {
  BConv2dShape shape = Image(1, 3, 4, 35, 34);
  shape.kernel_h = 2;
  shape.kernel_w = 3;
  std::mt19937 random(11);
  BConv2dProblem problem(shape, 0, Guard::kAfter, random);
  const TensorGeometry geometry = {1, shape.out_h(), shape.out_w(), shape.out_channels, 0};
  const EpilogueFixture fixture(kPlainFloats, geometry, 1, Guard::kAfter, random);
  const auto run = [&](const BConv2dKernel& kernel) {
    EpilogueOutputs outputs(geometry, Guard::kAfter);
    RunKernel(kernel, problem, fixture, &outputs);
    return outputs.floats.ToVector();
  };
  for (const BConv2dKernel* kernel : RunnableKernels()) {
    problem.SetAllWeights(-1);
    problem.UpdateWeights();
    const std::vector<float> without = run(*kernel);
    for (int trial = 0; trial < 200; ++trial) {
      const int64_t o = random() % 34, i = random() % 2, j = random() % 3, c = random() % 35;
      problem.SetAllWeights(-1);
      problem.SetWeight(o, i, j, c, 1);
      problem.UpdateWeights();
      const std::vector<float> with = run(*kernel);
      int64_t wrong = 0;
      for (size_t at = 0; at < with.size(); ++at) {
        const int64_t pixel = static_cast<int64_t>(at) / 34;
        const bool touched = static_cast<int64_t>(at) % 34 == o;
        const int input = problem.Input(0, pixel / shape.out_w(), pixel % shape.out_w(), i, j, c);
        if (with[at] != without[at] + static_cast<float>(touched ? 2 * input : 0)) ++wrong;
      }
      CHECK_MESSAGE(wrong == 0, kernel->name << " weight " << o << "," << i << "," << j << "," << c);
    }
  }
}

TEST_CASE("select: best first, with a reason for each kernel that was passed over") {
  const BConv2dShape shape = Square(3, 1, Image(1, 8, 8, 64, 64));
  std::vector<std::string> refusals;
  const RefusalFn note = [](void* context, const char* kernel, const char* reason) {
    static_cast<std::vector<std::string>*>(context)->push_back(std::string(kernel) + ": " + reason);
  };
  const BConv2dKernelList list = BConv2dKernels();
  const BConv2dKernel* reference = list.begin[list.size - 1];

  CHECK(SelectBConv2d(shape, Isa::kReference, note, &refusals) == reference);
  CHECK(static_cast<int64_t>(refusals.size()) == list.size - 1);
  for (Isa isa : kAllIsas) {
    const BConv2dKernel* kernel = SelectBConv2d(shape, isa, nullptr, nullptr);
    CHECK(kernel->isa <= isa);
    CHECK(IsaSupported(kernel->isa));
  }

  // Too many terms for a float: only the reference takes them, and every other says why.
  BConv2dShape huge = shape;
  huge.in_channels = kMaxTerms / 9 + 1;
  refusals.clear();
  CHECK(SelectBConv2d(huge, BestIsa(), note, &refusals) == reference);
  REQUIRE(static_cast<int64_t>(refusals.size()) == list.size - 1);
  for (int64_t i = 0; i + 1 < list.size; ++i) {
    CHECK(refusals[static_cast<size_t>(i)].rfind(list.begin[i]->name, 0) == 0);
    CHECK(list.begin[i]->refuse(huge) != nullptr);
  }
}

TEST_CASE(
    "select: a kernel that another one of its instruction set beats on this CPU is passed over, with the reason") {
  const BConv2dShape shape = Square(3, 1, Image(1, 8, 8, 64, 64));
  test::CheckCpuRefusals(BConv2dKernels(), [&](RefusalFn refused, void* context) {
    return SelectBConv2d(shape, BestIsa(), refused, context);
  });
}

}  // namespace
}  // namespace bnn::kernels
