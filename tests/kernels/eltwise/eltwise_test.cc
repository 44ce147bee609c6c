// Every eltwise kernel against the reference, bit by bit, with inaccessible pages around every buffer.
#include "kernels/eltwise/eltwise.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/epilogue_fixture.h"
#include "tests/kernels/guarded_buffer.h"
#include "tests/kernels/kernel_table.h"

namespace bnn::kernels {
namespace {

using test::BitsOutput;
using test::EpilogueCase;
using test::EpilogueFixture;
using test::EpilogueOutputs;
using test::Guard;
using test::GuardedBuffer;
using test::TensorGeometry;

constexpr int64_t kChannels[] = {1, 3, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 256, 513};
const EpilogueCase kFloatsAndBits = {{StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kFloatThresholds, false};

// The kernels that this CPU can run, the reference last. The others are reported as skipped.
std::vector<const EltwiseKernel*> RunnableKernels() { return test::RunnableKernels(EltwiseKernels()); }

EltwiseArgs ArgsFor(const TensorGeometry& geometry) {
  EltwiseArgs args;
  args.out_h = geometry.height;
  args.out_w = geometry.width;
  args.channels = geometry.channels;
  args.in_strides = geometry.strides(geometry.channels);
  args.image_end = geometry.batch;
  args.row_end = geometry.height;
  return args;
}

std::vector<float> RandomInput(const TensorGeometry& geometry, bool special_values, std::mt19937& random) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kSpecial[] = {0.0f, -0.0f, kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
  std::vector<float> in(static_cast<size_t>(geometry.elements(geometry.channels)));
  for (float& x : in) {
    x = std::uniform_real_distribution<float>(-20, 20)(random);
    if (special_values && random() % 4 == 0) x = kSpecial[random() % 5];
  }
  return in;
}

struct Part {
  int64_t image_begin, image_end, row_begin, row_end;
};

void CheckAgainstReference(const TensorGeometry& geometry, const EpilogueCase& epilogue_case, Guard guard,
                           const std::vector<Part>& parts) {
  std::mt19937 random(7);
  const GuardedBuffer<float> in(RandomInput(geometry, epilogue_case.special_values, random), guard);
  const EpilogueFixture fixture(epilogue_case, geometry, 20, guard, random);
  const auto run = [&](const EltwiseKernel& kernel, EpilogueOutputs* outputs) {
    EltwiseArgs args = ArgsFor(geometry);
    args.in = in.data();
    args.epilogue = fixture.Make(outputs);
    for (const Part& part : parts) {
      args.image_begin = part.image_begin;
      args.image_end = part.image_end;
      args.row_begin = part.row_begin;
      args.row_end = part.row_end;
      kernel.run(args);
    }
  };
  const std::vector<const EltwiseKernel*> kernels = RunnableKernels();
  EpilogueOutputs expected(geometry, guard, epilogue_case.planes);
  run(*kernels.back(), &expected);
  for (const EltwiseKernel* kernel : kernels) {
    if (kernel == kernels.back()) break;
    EpilogueOutputs actual(geometry, guard, epilogue_case.planes);
    run(*kernel, &actual);
    CHECK_MESSAGE(test::SameOutputs(expected, actual),
                  kernel->name << ": " << geometry.batch << "x" << geometry.height << "x" << geometry.width << "x"
                               << geometry.channels << " gap " << geometry.gap << ", " << epilogue_case.Name());
  }
}

TEST_CASE("channels, widths and gaps: every kernel equals the reference") {
  for (int64_t channels : kChannels) {
    for (int64_t width : {1, 2, 5}) {
      for (int64_t gap : {0, 3}) {
        for (Guard guard : test::kBothGuards) {
          CheckAgainstReference({2, 3, width, channels, gap}, kFloatsAndBits, guard, {{0, 2, 0, 3}});
        }
      }
    }
  }
}

TEST_CASE("epilogues: every kernel equals the reference for every chain of steps and outputs") {
  for (const EpilogueCase& epilogue_case : test::AllEpilogueCases(false)) {
    for (int64_t channels : {64, 45}) {
      for (Guard guard : test::kBothGuards) {
        CheckAgainstReference({2, 3, 5, channels, 1}, epilogue_case, guard, {{0, 2, 0, 3}});
      }
    }
  }
}

TEST_CASE("parts: what is named is computed, and nothing else is written") {
  for (int64_t gap : {0, 2}) {
    const TensorGeometry geometry = {3, 5, 4, 50, gap};
    CheckAgainstReference(geometry, kFloatsAndBits, Guard::kAfter, {{1, 2, 0, 5}});
    CheckAgainstReference(geometry, kFloatsAndBits, Guard::kAfter, {{0, 3, 2, 4}});
    CheckAgainstReference(geometry, kFloatsAndBits, Guard::kAfter, {{1, 1, 0, 5}, {0, 3, 2, 2}});
    CheckAgainstReference(geometry, kFloatsAndBits, Guard::kAfter, {{0, 1, 0, 5}, {1, 3, 0, 3}, {1, 3, 3, 5}});
  }
}

TEST_CASE("in place: the input may be the output") {
  const TensorGeometry geometry = {2, 3, 5, 70, 0};
  const EpilogueCase affine_prelu = {{StepKind::kAffine, StepKind::kPRelu}, true, BitsOutput::kNone, false};
  std::mt19937 random(9);
  const GuardedBuffer<float> in(RandomInput(geometry, false, random), Guard::kAfter);
  const EpilogueFixture fixture(affine_prelu, geometry, 20, Guard::kAfter, random);
  for (const EltwiseKernel* kernel : RunnableKernels()) {
    EpilogueOutputs apart(geometry, Guard::kAfter);
    EpilogueOutputs in_place(geometry, Guard::kAfter);
    EltwiseArgs args = ArgsFor(geometry);
    args.in = in.data();
    args.epilogue = fixture.Make(&apart);
    kernel->run(args);
    for (int64_t i = 0; i < in.size(); ++i) in_place.floats[i] = in[i];
    args.in = in_place.floats.data();
    args.epilogue = fixture.Make(&in_place);
    kernel->run(args);
    CHECK_MESSAGE(test::SameOutputs(apart, in_place), kernel->name);
  }
}

// The rules of kernels/epilogue.h for values where a careless instruction would differ, as numbers.
TEST_CASE("steps treat NaN, infinities and signed zeros as specified") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  struct Case {
    EpilogueStep step;
    float a, b, x, y;
  };
  const auto step_of = [](StepKind kind) {
    EpilogueStep step;
    step.kind = kind;
    return step;
  };
  const auto clamp = [&](float lo, float hi) {
    EpilogueStep step = step_of(StepKind::kClamp);
    step.lo = lo;
    step.hi = hi;
    return step;
  };
  const EpilogueStep affine = step_of(StepKind::kAffine);
  const EpilogueStep prelu = step_of(StepKind::kPRelu);
  const Case cases[] = {
      {clamp(-1, 1), 0, 0, kNan, kNan},
      {clamp(-1, 1), 0, 0, kInfinity, 1},
      {clamp(-1, 1), 0, 0, -kInfinity, -1},
      {clamp(0.0f, 1), 0, 0, -0.0f, -0.0f},
      {clamp(-0.0f, 1), 0, 0, 0.0f, 0.0f},
      {clamp(-1, 0.0f), 0, 0, -0.0f, -0.0f},
      {clamp(kNan, 1), 0, 0, -5, -5},
      {clamp(-1, kNan), 0, 0, 5, 5},
      {clamp(2, 1), 0, 0, 3, 1},  // y < lo is asked first, then y > hi
      {prelu, 0, 0, -0.0f, -0.0f},
      {prelu, 0, 0, -3, -0.0f},
      {prelu, 0.25f, 0, -8, -2},
      {prelu, 0.25f, 0, kNan, kNan},
      {prelu, 0, 0, -kInfinity, kNan},
      // Exactly rounded once: (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24, and a separate product loses the last term.
      {affine, 1 + 0x1p-12f, -(1 + 0x1p-11f), 1 + 0x1p-12f, 0x1p-24f},
      {affine, kInfinity, 1, 0, kNan},
  };
  for (const Case& c : cases) {
    for (const EltwiseKernel* kernel : RunnableKernels()) {
      float a[kChannelBlock] = {}, b[kChannelBlock] = {}, thresholds[kChannelBlock] = {};
      a[0] = c.a;
      b[0] = c.b;
      EpilogueStep step = c.step;
      step.a = a;
      step.b = b;
      float y = 77;
      uint32_t bits = 77;
      EltwiseArgs args = ArgsFor({1, 1, 1, 1, 0});
      args.in = &c.x;
      args.epilogue.steps = &step;
      args.epilogue.num_steps = 1;
      args.epilogue.out = &y;
      args.epilogue.bits = &bits;
      args.epilogue.thresholds = thresholds;
      kernel->run(args);
      INFO(kernel->name << " step " << static_cast<int>(step.kind) << " of " << c.x);
      if (std::isnan(c.y)) {
        CHECK(std::isnan(y));
      } else {
        CHECK(std::bit_cast<uint32_t>(y) == std::bit_cast<uint32_t>(c.y));
      }
      CHECK(bits == (c.y >= 0 ? 1u : 0u));  // NaN gives 0, -0.0 >= 0.0 gives 1
    }
  }
}

TEST_CASE("select: never above the maximum, the reference at the least") {
  for (Isa isa : kAllIsas) {
    CHECK(SelectEltwise(isa)->isa <= isa);
    CHECK(IsaSupported(SelectEltwise(isa)->isa));
  }
  CHECK(SelectEltwise(Isa::kReference)->isa == Isa::kReference);
}

}  // namespace
}  // namespace bnn::kernels
