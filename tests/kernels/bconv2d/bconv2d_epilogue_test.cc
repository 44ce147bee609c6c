// Epilogues of every bconv2d kernel against the reference, above all those that the vector kernels have code of their
// own for (kernels/simd/pixel_finish.h).
#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "kernels/bconv2d/bconv2d.h"
#include "tests/kernels/bconv2d/bconv2d_check.h"

namespace bnn::kernels {
namespace {

const std::vector<StepKind> kReActNetSteps = {StepKind::kAffine, StepKind::kAdd, StepKind::kAffine, StepKind::kPRelu,
                                              StepKind::kAffine};

// Windows of a few words, with the epilogues that have code of their own. Of one run of up to 5 words: kernels may keep
// weights of those in registers. 66 bits leave the last word nearly empty, 67 make the constants odd. Of rows of up to
// 10 words, in tiles of few and of many pixels: 58 channels make the halves of the constants odd.
TEST_CASE("short windows: every kernel equals the reference for every number of words and pixels") {
  const EpilogueCase cases[] = {
      {{StepKind::kAffine}, true, BitsOutput::kNone, false},
      {{StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kNone, false},
      {{StepKind::kAffine, StepKind::kAdd, StepKind::kPRelu}, true, BitsOutput::kNone, true},
      {{StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kFloatThresholds, true},
      {kReActNetSteps, true, BitsOutput::kFloatThresholds, false},
      {{StepKind::kClamp, StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kFloatThresholds, false},
      {{}, false, BitsOutput::kIntThresholds, false},
  };
  for (const EpilogueCase& epilogue_case : cases) {
    for (int64_t in : {32, 64, 66, 67, 96, 128, 160}) {
      for (int64_t width = 1; width <= 15; ++width) {
        const Guard guard = width % 2 == 0 ? Guard::kAfter : Guard::kBefore;
        CheckAgainstReference(Image(1, 2, width, in, width % 3 == 0 ? 128 : 77), epilogue_case, width % 4, guard);
      }
    }
    for (int64_t in : {32, 64, 96, 128, 256}) {  // many channels: kernels may ask for residuals ahead
      CheckAgainstReference(Image(1, 2, 19, in, 288), epilogue_case, in % 64, Guard::kAfter);
    }
    for (int64_t in : {64, 100, 226, 250, 256, 512, 544}) {
      CheckAgainstReference(Image(1, 1, 1, in, 77), epilogue_case, 0, Guard::kAfter);
      CheckAgainstReference(Image(1, 1, 13, in, 200), epilogue_case, 0, Guard::kBefore);
    }
    BConv2dShape wide = Image(1, 3, 9, 64, 64);  // a run of 4 words, and constants by border class
    wide.kernel_w = 2;
    wide.pad_left = 1;
    for (Padding padding : kPaddings) {
      wide.padding = padding;
      CheckAgainstReference(wide, epilogue_case, 0, Guard::kAfter);
    }
    for (int64_t in : {10, 34, 48, 58}) {  // runs of 2, 4 and 8 words, each tap with spare bits
      BConv2dShape taps = Image(1, 2, 15, in, 64);
      for (int64_t words : {2, 4, 8}) {
        taps.kernel_w = words / WordsFor(in);
        if (taps.kernel_w > 0) CheckAgainstReference(taps, epilogue_case, 0, Guard::kAfter);
      }
    }
    for (int64_t out : {77, 256}) {  // several of the longest tiles
      CheckAgainstReference(Image(1, 2, 115, 64, out), epilogue_case, 0, Guard::kBefore);
    }
    CheckAgainstReference(Image(2, 3, 5, 64, 200), epilogue_case, 0, Guard::kAfter, {{0, 2, 1, 3, 1, 7}});
    for (int64_t in : {58, 64, 96}) {
      for (int64_t width : {5, 6, 7, 13, 20}) {
        BConv2dShape rows = Square(3, 1, Image(1, 3, width, in, width == 13 ? 77 : 128));
        for (Padding padding : kPaddings) {
          rows.padding = padding;
          CheckAgainstReference(rows, epilogue_case, 0, width % 2 == 0 ? Guard::kAfter : Guard::kBefore);
        }
        rows.kernel_h = 2;
        rows.kernel_w = 5;
        CheckAgainstReference(rows, epilogue_case, 0, Guard::kBefore);
      }
    }
    for (int64_t in : {480, 570, 600, 768, 800})
      CheckAgainstReference(Image(1, 2, 7, in, 64), epilogue_case, 0, Guard::kAfter);
  }
}

// Kernels may then pass pixels side by side that lie apart in tiles of many pixels.
TEST_CASE("short windows: many channels leave to a place beside their residual") {
  const EpilogueCase cases[] = {
      {{StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kNone, false},
      {{StepKind::kAffine, StepKind::kAdd, StepKind::kPRelu}, true, BitsOutput::kNone, true},
      {kReActNetSteps, true, BitsOutput::kNone, false},
  };
  for (const EpilogueCase& epilogue_case : cases) {
    for (int64_t out : {96, 128, 192, 256, 288, 384, 416, 512}) {
      for (int64_t width : {3, 19, 20, 21, 22, 23, 28, 31, 49, 195, 196, 197, 230, 400}) {
        const Guard guard = width % 2 == 0 ? Guard::kAfter : Guard::kBefore;
        CheckAgainstReference(Image(1, 1, width, width % 3 == 0 ? 50 : 64, out), epilogue_case, 0, guard);
      }
      CheckAgainstReference(Image(2, 3, 29, 64, out), epilogue_case, 0, Guard::kAfter);  // rows are merged
      CheckAgainstReference(Image(2, 3, 29, 64, out), epilogue_case, 3, Guard::kAfter);  // rows are not
      CheckAgainstReference(Image(2, 3, 61, 64, out), epilogue_case, 0, Guard::kBefore,
                            {{0, 2, 1, 3, 1, out / 32}, {0, 2, 0, 1, 0, out / 32}, {1, 2, 1, 2, 0, 1}});
    }
  }
}

TEST_CASE("epilogues: every kernel equals the reference for every chain of steps and outputs") {
  for (const EpilogueCase& epilogue_case : test::AllEpilogueCases(true)) {
    for (Guard guard : test::kBothGuards) {
      // An odd and an even number of terms: kernels halve accumulators where they can.
      for (int64_t in : {33, 34}) {
        for (int64_t out : {64, 51}) {
          CheckAgainstReference(Square(3, 1, Image(1, 2, 9, in, out)), epilogue_case, 1, guard);
        }
      }
      CheckAgainstReference(Image(2, 3, 3, 65, 33), epilogue_case, 0, guard);
      CheckAgainstReference(Image(2, 3, 3, 66, 96), epilogue_case, 0, guard);
    }
  }
}

// Behind the last channel weights, constants and thresholds are zeros, and zeros reach them where all input is -1.
TEST_CASE("spare bits: lanes behind the last channel set none") {
  const EpilogueCase only_bits = {{}, false, BitsOutput::kIntThresholds, false};
  BConv2dShape dilated = Square(3, 2, Image(1, 4, 7, 64, 0));
  dilated.dilation_h = dilated.dilation_w = 2;
  const BConv2dShape windows[] = {Image(1, 2, 7, 64, 0), Image(1, 2, 7, 256, 0), Square(3, 1, Image(1, 3, 13, 64, 0)),
                                  Square(3, 1, Image(1, 3, 7, 128, 0)), dilated};
  for (BConv2dShape shape : windows) {
    shape.padding = Padding::kMinusOne;
    for (int64_t out : {5, 43, 77}) {
      shape.out_channels = out;
      std::mt19937 random(12);
      BConv2dProblem problem(shape, 0, Guard::kAfter, random);
      problem.SetAllInputs(-1);
      const TensorGeometry geometry = {1, shape.out_h(), shape.out_w(), out, 0};
      const EpilogueFixture fixture(only_bits, geometry, 20, Guard::kAfter, random);
      for (const BConv2dKernel* kernel : RunnableKernels()) {
        EpilogueOutputs outputs(geometry, Guard::kAfter);
        RunKernel(*kernel, problem, fixture, &outputs);
        int64_t wrong = 0;
        const int64_t words = WordsFor(out);
        for (int64_t last = words - 1; last < outputs.bits.size(); last += words) {
          wrong += (outputs.bits[last] >> out % kBitsPerWord) != 0 ? 1 : 0;
        }
        CHECK_MESSAGE(wrong == 0, kernel->name << ": " << test::Describe(shape));
      }
    }
  }
}

TEST_CASE("integer thresholds and flips over all channel counts") {
  const EpilogueCase only_bits = {{}, false, BitsOutput::kIntThresholds, false};
  for (int64_t out : kChannels)
    CheckAgainstReference(Square(3, 1, Image(1, 3, 4, 64, out)), only_bits, 0, Guard::kAfter);
}

// Chains with a residual, which the vector kernels have code of their own for, and others; floats leave.
const EpilogueCase kResidualCases[] = {
    {{StepKind::kAdd}, true, BitsOutput::kNone, false},
    {{StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kNone, false},
    {{StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kFloatThresholds, false},
    {kReActNetSteps, true, BitsOutput::kNone, false},
    {kReActNetSteps, true, BitsOutput::kFloatThresholds, false},
    {{StepKind::kClamp, StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kFloatThresholds, false},
    {{StepKind::kClamp, StepKind::kAffine, StepKind::kAdd, StepKind::kClamp}, true, BitsOutput::kNone, false},
    {{StepKind::kAffine, StepKind::kAdd, StepKind::kPRelu}, true, BitsOutput::kNone, false},
    {{StepKind::kAffine, StepKind::kAdd, StepKind::kPRelu, StepKind::kAffine}, true, BitsOutput::kNone, false},
    {{StepKind::kAdd, StepKind::kAffine, StepKind::kAdd, StepKind::kClamp}, true, BitsOutput::kFloatThresholds, false},
};

// An output in the place of its residual equals that of the reference beside it, in these parts (empty: all at once).
void CheckInPlace(const BConv2dShape& shape, const EpilogueCase& epilogue_case, int64_t gap, Guard guard,
                  const std::vector<Part>& parts = {}) {
  std::mt19937 random(8);
  BConv2dProblem problem(shape, gap, guard, random);
  const TensorGeometry geometry = {shape.batch, shape.out_h(), shape.out_w(), shape.out_channels, gap};
  const EpilogueFixture fixture(epilogue_case, geometry, 20, guard, random);
  std::vector<EpilogueStep> steps;
  const auto run = [&](const BConv2dKernel& kernel, const Epilogue& epilogue) {
    BConv2dArgs args = problem.ArgsFor(kernel);
    args.epilogue = epilogue;
    if (parts.empty()) kernel.run(shape, args);
    for (const Part& part : parts) {
      SetPart(part, &args);
      kernel.run(shape, args);
    }
  };
  const std::vector<const BConv2dKernel*> kernels = RunnableKernels();
  EpilogueOutputs expected(geometry, guard);
  fixture.MakeInPlace(&expected, &steps);  // what nobody writes stays the residual
  run(*kernels.back(), fixture.Make(&expected));
  for (const BConv2dKernel* kernel : kernels) {
    EpilogueOutputs actual(geometry, guard);
    run(*kernel, fixture.MakeInPlace(&actual, &steps));
    CHECK_MESSAGE(test::SameOutputs(expected, actual),
                  kernel->name << ": " << test::Describe(shape) << ", " << epilogue_case.Name() << ", gap " << gap);
  }
}

TEST_CASE("in place: an output may take the place of its residual") {
  for (const EpilogueCase& epilogue_case : kResidualCases) {
    // Every remainder of a tile of pixels, rows that are merged and rows that are not, whole channel blocks and others,
    // odd and even constants.
    for (int64_t width = 1; width <= 17; ++width) {
      const Guard guard = width % 2 == 0 ? Guard::kAfter : Guard::kBefore;
      for (int64_t gap : {0, 3}) {
        CheckInPlace(Image(2, 3, width, 70, 109), epilogue_case, gap, guard);
        CheckInPlace(Square(3, 1, Image(1, 2, width, 64, 96)), epilogue_case, gap, guard);
        CheckInPlace(Image(1, 2, width, 64, 256), epilogue_case, gap, guard);
      }
    }
    BConv2dShape shape = Square(3, 1, Image(2, 5, 9, 33, 70));
    shape.stride_h = shape.stride_w = 2;
    for (Padding padding : kPaddings) {
      shape.padding = padding;
      CheckInPlace(shape, epilogue_case, 0, Guard::kAfter, {{0, 1, 0, 3, 0, 3}, {1, 2, 0, 2, 0, 2}});
    }
  }
}

// Limits that have no exact half, that cross, that are zeros of either sign, that are no numbers.
TEST_CASE("clamp: every kernel gives sums the limits that the step names") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  const float limits[][2] = {{0, kInfinity}, {-kInfinity, kInfinity},
                             {-3, 5},        {4, -4},
                             {-0.0f, 0.0f},  {0.0f, -0.0f},
                             {kNan, 4},      {-4, kNan},
                             {kTiny, 6},     {-6, -kTiny},
                             {6, 6},         {kInfinity, 0},
                             {2, kTiny},     {-kTiny, kTiny}};
  const BConv2dShape shape = Square(3, 1, Image(1, 2, 9, 64, 64));
  const TensorGeometry geometry = {1, 2, 9, 64, 0};
  const EpilogueCase cases[] = {
      {{StepKind::kClamp, StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kFloatThresholds, false},
      {{StepKind::kClamp, StepKind::kAffine, StepKind::kAdd, StepKind::kClamp}, true, BitsOutput::kNone, false},
  };
  for (const EpilogueCase& epilogue_case : cases) {
    std::mt19937 random(12);
    BConv2dProblem problem(shape, 0, Guard::kAfter, random);
    const EpilogueFixture fixture(epilogue_case, geometry, 4, Guard::kAfter, random);
    for (const float(&limit)[2] : limits) {
      const auto run = [&](const BConv2dKernel& kernel, EpilogueOutputs* outputs) {
        BConv2dArgs args = problem.ArgsFor(kernel);
        args.epilogue = fixture.Make(outputs);
        std::vector<EpilogueStep> steps(args.epilogue.steps, args.epilogue.steps + args.epilogue.num_steps);
        for (EpilogueStep& step : steps) {
          if (step.kind != StepKind::kClamp) continue;
          step.lo = limit[0];
          step.hi = limit[1];
        }
        args.epilogue.steps = steps.data();
        kernel.run(shape, args);
      };
      const std::vector<const BConv2dKernel*> kernels = RunnableKernels();
      EpilogueOutputs expected(geometry, Guard::kAfter);
      run(*kernels.back(), &expected);
      for (const BConv2dKernel* kernel : kernels) {
        EpilogueOutputs actual(geometry, Guard::kAfter);
        run(*kernel, &actual);
        CHECK_MESSAGE(test::SameOutputs(expected, actual),
                      kernel->name << ": " << epilogue_case.Name() << ", " << limit[0] << " to " << limit[1]);
      }
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
