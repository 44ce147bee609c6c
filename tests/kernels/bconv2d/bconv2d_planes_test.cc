// Convolutions of elements of several bits: every bconv2d kernel, the reference included, against the definition of a
// convolution on their values and of a level; and against the reference, bit by bit, with inaccessible pages around
// every buffer.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/bconv2d/bconv2d.h"
#include "tests/kernels/bconv2d/bconv2d_check.h"

namespace bnn::kernels {
namespace {

BConv2dShape WithPlanes(int planes, BConv2dShape shape, Padding padding = Padding::kMinusOne) {
  shape.planes = planes;
  shape.padding = padding;
  return shape;
}

BConv2dShape Strided(int64_t stride, int64_t dilation, BConv2dShape shape) {
  shape.stride_h = shape.stride_w = stride;
  shape.dilation_h = shape.dilation_w = dilation;
  return shape;
}

// Windows that vector kernels walk in different ways: long and short runs, taps apart, windows that do not overlap.
std::vector<BConv2dShape> Windows(int64_t in, int64_t out) {
  return {Square(3, 1, Image(2, 4, 9, in, out)),
          Image(1, 3, 5, in, out),
          Strided(2, 1, Square(3, 1, Image(1, 5, 16, in, out))),
          Strided(1, 2, Square(3, 2, Image(1, 5, 8, in, out))),
          Square(5, 2, Image(1, 2, 15, in, out)),
          Square(2, 0, Image(1, 2, 2, in, out))};
}

// The level of an element as its planes hold it.
int LevelOf(const uint32_t* word, int64_t plane_step, int planes, int64_t channel) {
  int level = 0;
  for (int i = 0; i < planes; ++i) level += static_cast<int>(GetBit(word + i * plane_step, channel)) << i;
  return level;
}

// The level that an accumulator has by the definition: how many thresholds it reaches, or from the other side.
int LevelByDefinition(const Epilogue& epilogue, int64_t channel, int32_t acc) {
  int level = 0;
  const int highest = (1 << epilogue.planes) - 1;
  while (level < highest && acc >= epilogue.int_thresholds[level * epilogue.threshold_stride + channel]) ++level;
  return GetBit(epilogue.flip, channel) != 0 ? highest - level : level;
}

TEST_CASE("planes: every kernel computes the convolution of the values of its levels") {
  for (int planes = 1; planes <= kMaxPlanes; ++planes) {
    for (Padding padding : kPaddings) {
      for (const BConv2dShape& window : Windows(45, 35)) {
        const BConv2dShape shape = WithPlanes(planes, window, padding);
        std::mt19937 random(3);
        BConv2dProblem problem(shape, 0, Guard::kAfter, random);
        const TensorGeometry geometry = {shape.batch, shape.out_h(), shape.out_w(), shape.out_channels, 0};
        const EpilogueFixture fixture(kPlainFloats, geometry, 1, Guard::kAfter, random);
        const std::vector<int32_t> expected = problem.NaiveOutput();
        for (const BConv2dKernel* kernel : RunnableKernels()) {
          REQUIRE(kernel->refuse(shape) == nullptr);
          EpilogueOutputs outputs(geometry, Guard::kAfter);
          RunKernel(*kernel, problem, fixture, &outputs);
          CHECK_MESSAGE(std::ranges::equal(outputs.floats.span(), expected),
                        kernel->name << ": " << test::Describe(shape));
        }
      }
    }
  }
}

TEST_CASE("planes: levels are counts of thresholds, for every number of input and output planes") {
  for (int planes = 1; planes <= kMaxPlanes; ++planes) {
    for (int out_planes = 1; out_planes <= kMaxPlanes; ++out_planes) {
      for (int64_t in : {33, 34}) {  // an odd and an even number of terms
        const BConv2dShape shape = WithPlanes(planes, Square(3, 1, Image(1, 3, 8, in, 37)), Padding::kZero);
        std::mt19937 random(5);
        BConv2dProblem problem(shape, 1, Guard::kAfter, random);
        const TensorGeometry geometry = {1, shape.out_h(), shape.out_w(), shape.out_channels, 1};
        const EpilogueCase bits = {{}, false, BitsOutput::kIntThresholds, false, out_planes};
        const float magnitude = 20.0f * static_cast<float>(HighestLevel(planes));
        const EpilogueFixture fixture(bits, geometry, magnitude, Guard::kAfter, random);
        const std::vector<int32_t> accumulators = problem.NaiveOutput();
        for (const BConv2dKernel* kernel : RunnableKernels()) {
          EpilogueOutputs outputs(geometry, Guard::kAfter, out_planes);
          BConv2dArgs args = problem.ArgsFor(*kernel);
          args.epilogue = fixture.Make(&outputs);
          kernel->run(shape, args);
          const Strides& strides = args.epilogue.bits_strides;
          int64_t wrong = 0;
          auto acc = accumulators.begin();
          for (int64_t y = 0; y < shape.out_h(); ++y) {
            for (int64_t x = 0; x < shape.out_w(); ++x) {
              const uint32_t* const pixel = args.epilogue.bits + y * strides.row + x * strides.pixel;
              for (int64_t o = 0; o < shape.out_channels; ++o) {
                const int level = LevelOf(pixel, strides.plane, out_planes, o);
                wrong += level == LevelByDefinition(args.epilogue, o, *acc++) ? 0 : 1;
              }
            }
          }
          CHECK_MESSAGE(wrong == 0, kernel->name << ": " << planes << " to " << out_planes << " planes of " << in);
        }
      }
    }
  }
}

TEST_CASE("planes: every kernel equals the reference over channels, windows and epilogues") {
  const std::vector<StepKind> residual = {StepKind::kAffine, StepKind::kAdd};
  int64_t index = 0;
  for (int planes = 1; planes <= kMaxPlanes; ++planes) {
    for (int out_planes = 1; out_planes <= kMaxPlanes; ++out_planes) {
      const EpilogueCase cases[] = {{{}, false, BitsOutput::kIntThresholds, false, out_planes},
                                    {residual, true, BitsOutput::kFloatThresholds, false, out_planes},
                                    {{StepKind::kAffine}, false, BitsOutput::kSignedThresholds, true, out_planes}};
      for (int64_t in : {1, 32, 65, 128, 200}) {
        for (const BConv2dShape& window : Windows(in, in == 65 ? 96 : 101)) {
          const Guard guard = index % 2 == 0 ? Guard::kAfter : Guard::kBefore;
          const BConv2dShape shape = WithPlanes(planes, window, kPaddings[index % 3]);
          CheckAgainstReference(shape, cases[index % 3], index % 5 % 3, guard);
          ++index;
        }
      }
    }
  }
}

// A single pixel, and a few: kernels may count planes side by side where there are no pixels for it. Words of the
// windows around what buffers and fields of counters hold.
TEST_CASE("planes: few pixels and windows of every length") {
  const EpilogueCase bits = {{}, false, BitsOutput::kIntThresholds, false, 2};
  for (int planes = 2; planes <= kMaxPlanes; ++planes) {
    const EpilogueCase residual = {{StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kNone, false};
    CheckAgainstReference(WithPlanes(planes, Image(1, 2, 31, 64, 256)), residual, 0, Guard::kAfter);
    for (int64_t width = 1; width <= 15; ++width) {
      CheckAgainstReference(WithPlanes(planes, Image(1, 1, width, 130, 77)), kFloatsAndBits, width % 2, Guard::kAfter);
      CheckAgainstReference(WithPlanes(planes, Image(1, 1, width, 64, 128)), bits, width % 2, Guard::kBefore);
    }
    for (int64_t words : {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33}) {
      CheckAgainstReference(WithPlanes(planes, Image(1, 1, 3, words * 32, 70)), bits, 0, Guard::kAfter);
    }
    // Runs that kernels hold the weights of, with spare bits and odd numbers of words.
    for (int64_t in : {30, 34, 66, 96, 100, 226}) {
      CheckAgainstReference(WithPlanes(planes, Image(1, 1, 11, in, 70)), bits, 0, Guard::kAfter);
      CheckAgainstReference(WithPlanes(planes, Image(1, 1, 11, in, 70)), kFloatsAndBits, 0, Guard::kBefore);
    }
    // Longer than any buffer of a kernel.
    CheckAgainstReference(WithPlanes(planes, Square(3, 1, Image(1, 2, 4, 1300, 40))), bits, 0, Guard::kAfter);
    CheckAgainstReference(WithPlanes(planes, Image(1, 1, 5, 32 * 1030, 40)), kFloatsAndBits, 0, Guard::kAfter);
  }
}

// Many groups of channel blocks, and the images, rows and blocks that are asked for.
TEST_CASE("planes: parts and groups of blocks") {
  const EpilogueCase bits = {{}, false, BitsOutput::kIntThresholds, false, 3};
  for (int planes = 2; planes <= kMaxPlanes; ++planes) {
    CheckAgainstReference(WithPlanes(planes, Square(3, 1, Image(1, 3, 6, 512, 330))), bits, 0, Guard::kAfter);
    CheckAgainstReference(WithPlanes(planes, Square(3, 1, Image(2, 5, 6, 64, 200))), bits, 2, Guard::kAfter,
                          {{0, 2, 1, 3, 1, 6}, {1, 2, 3, 5, 0, 7}});
    CheckAgainstReference(WithPlanes(planes, Image(3, 3, 5, 64, 200)), kFloatsAndBits, 0, Guard::kAfter,
                          {{0, 3, 0, 3, 2, 3}, {0, 1, 1, 2, 0, 2}});
  }
}

// Levels of accumulators as large as they become: kernels compare them in 16 bits where they fit. 15 * 4368 = 65520.
TEST_CASE("planes: levels of the largest accumulators") {
  for (int64_t in : {256, 4368, 4370, 8736, 20000}) {
    for (int planes : {2, 3, 4}) {
      const BConv2dShape shape = WithPlanes(planes, Image(1, 4, 8, in, 67));
      std::mt19937 random(9);
      BConv2dProblem problem(shape, 0, Guard::kAfter, random);
      const TensorGeometry geometry = {1, 4, 8, shape.out_channels, 0};
      const EpilogueCase bits = {{}, false, BitsOutput::kIntThresholds, false, planes};
      const float magnitude = 2.1f * static_cast<float>(shape.max_acc());  // thresholds up to half of it
      for (const int sign : {-1, 1}) {
        problem.SetAllInputs(problem.Highest());
        problem.SetAllWeights(static_cast<int8_t>(sign));
        for (int64_t o = 0; o < shape.out_channels; o += 3) {  // some channels not quite
          for (int64_t c = 0; c < o; ++c) problem.SetWeight(o, 0, 0, c, static_cast<int8_t>(-sign));
        }
        problem.UpdateWeights();
        const EpilogueFixture fixture(bits, geometry, magnitude, Guard::kAfter, random);
        const std::vector<const BConv2dKernel*> kernels = RunnableKernels();
        EpilogueOutputs expected(geometry, Guard::kAfter, planes);
        for (auto kernel = kernels.rbegin(); kernel != kernels.rend(); ++kernel) {
          EpilogueOutputs actual(geometry, Guard::kAfter, planes);
          BConv2dArgs args = problem.ArgsFor(**kernel);
          args.epilogue = fixture.Make(kernel == kernels.rbegin() ? &expected : &actual);
          (*kernel)->run(shape, args);
          if (kernel == kernels.rbegin()) continue;
          CHECK_MESSAGE(test::SameOutputs(expected, actual), (*kernel)->name << ": " << test::Describe(shape));
        }
      }
    }
  }
}

TEST_CASE("planes: the largest accumulators, and more terms than a float counts") {
  for (int planes = 1; planes <= kMaxPlanes; ++planes) {
    const BConv2dShape shape = WithPlanes(planes, Image(1, 1, 2, kMaxTerms / HighestLevel(planes) / 8 * 8 - 8, 2));
    if (planes == kMaxPlanes) {
      std::mt19937 random(1);
      BConv2dProblem problem(shape, 0, Guard::kAfter, random);
      problem.SetAllInputs(problem.Highest());
      problem.SetAllWeights(-1);
      problem.UpdateWeights();
      const TensorGeometry geometry = {1, 1, 2, 2, 0};
      const EpilogueFixture fixture(kPlainFloats, geometry, 1, Guard::kAfter, random);
      for (const BConv2dKernel* kernel : RunnableKernels()) {
        EpilogueOutputs outputs(geometry, Guard::kAfter);
        RunKernel(*kernel, problem, fixture, &outputs);
        for (float acc : outputs.floats.ToVector()) CHECK(acc == -static_cast<float>(shape.max_acc()));
      }
    }
    BConv2dShape beyond = shape;
    beyond.in_channels += 16;
    for (const BConv2dKernel* kernel : RunnableKernels()) {
      CHECK(kernel->refuse(shape) == nullptr);
      CHECK((kernel->refuse(beyond) == nullptr) == (kernel->isa == Isa::kReference));
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
