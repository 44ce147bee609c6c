// The comparison of every bconv2d kernel with the reference, bit by bit, and the shapes that its tests use.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/bconv2d/bconv2d.h"
#include "tests/kernels/bconv2d/bconv2d_problem.h"
#include "tests/kernels/kernel_table.h"

namespace bnn::kernels {

using test::BConv2dProblem;
using test::BitsOutput;
using test::EpilogueCase;
using test::EpilogueFixture;
using test::EpilogueOutputs;
using test::Guard;
using test::TensorGeometry;

inline constexpr int64_t kChannels[] = {1, 3, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 256, 513};
inline constexpr Padding kPaddings[] = {Padding::kOne, Padding::kMinusOne, Padding::kZero};
inline const EpilogueCase kPlainFloats = {};
inline const EpilogueCase kAffineFloats = {{StepKind::kAffine}};  // which kernels have code of their own for
inline const EpilogueCase kFloatsAndBits = {
    {StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kFloatThresholds, false};

// The kernels that this CPU can run, the reference last. The others are reported as skipped.
inline std::vector<const BConv2dKernel*> RunnableKernels() { return test::RunnableKernels(BConv2dKernels()); }

struct Part {
  int64_t image_begin, image_end, row_begin, row_end, block_begin, block_end;
};

inline void SetPart(const Part& part, BConv2dArgs* args) {
  args->image_begin = part.image_begin;
  args->image_end = part.image_end;
  args->row_begin = part.row_begin;
  args->row_end = part.row_end;
  args->block_begin = part.block_begin;
  args->block_end = part.block_end;
}

// The whole output of a kernel.
inline void RunKernel(const BConv2dKernel& kernel, BConv2dProblem& problem, const EpilogueFixture& fixture,
                      EpilogueOutputs* outputs) {
  BConv2dArgs args = problem.ArgsFor(kernel);
  args.epilogue = fixture.Make(outputs);
  kernel.run(problem.shape(), args);
}

// Runs every kernel, in these parts (empty: all at once), and compares with the reference.
inline void CheckAgainstReference(const BConv2dShape& shape, const EpilogueCase& epilogue_case, int64_t gap,
                                  Guard guard, const std::vector<Part>& parts = {}) {
  std::mt19937 random(7);
  BConv2dProblem problem(shape, gap, guard, random);
  const TensorGeometry geometry = {shape.batch, shape.out_h(), shape.out_w(), shape.out_channels, gap};
  const float root = static_cast<float>(std::sqrt(static_cast<double>(shape.terms())));
  const float magnitude = static_cast<float>(HighestLevel(shape.planes)) * root + 1;
  const EpilogueFixture fixture(epilogue_case, geometry, magnitude, guard, random);

  const auto run = [&](const BConv2dKernel& kernel, EpilogueOutputs* outputs) {
    BConv2dArgs args = problem.ArgsFor(kernel);
    args.epilogue = fixture.Make(outputs);
    if (parts.empty()) kernel.run(shape, args);
    for (const Part& part : parts) {
      SetPart(part, &args);
      kernel.run(shape, args);
    }
  };
  const std::vector<const BConv2dKernel*> kernels = RunnableKernels();
  EpilogueOutputs expected(geometry, guard, epilogue_case.planes);
  run(*kernels.back(), &expected);
  for (const BConv2dKernel* kernel : kernels) {
    if (kernel == kernels.back()) break;
    REQUIRE(kernel->refuse(shape) == nullptr);
    EpilogueOutputs actual(geometry, guard, epilogue_case.planes);
    run(*kernel, &actual);
    CHECK_MESSAGE(test::SameOutputs(expected, actual),
                  kernel->name << ": " << test::Describe(shape) << ", " << epilogue_case.Name() << ", gap " << gap);
  }
}

inline BConv2dShape Image(int64_t batch, int64_t h, int64_t w, int64_t in, int64_t out) {
  BConv2dShape shape;
  shape.batch = batch;
  shape.in_h = h;
  shape.in_w = w;
  shape.in_channels = in;
  shape.out_channels = out;
  return shape;
}

inline BConv2dShape Square(int64_t kernel, int64_t pad, BConv2dShape shape) {
  shape.kernel_h = shape.kernel_w = kernel;
  shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = pad;
  return shape;
}

}  // namespace bnn::kernels
