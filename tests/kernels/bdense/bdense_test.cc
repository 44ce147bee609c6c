// Every bdense kernel against the definition of a dot product on values (-1 and +1, of several bits odd integers), and
// against the reference bit by bit with inaccessible pages around every buffer.
#include "kernels/bdense/bdense.h"

#include <doctest/doctest.h>

#include <cmath>
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

constexpr int64_t kFeatures[] = {1, 3, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 256, 513};
const EpilogueCase kPlainFloats = {};
const EpilogueCase kFloatsAndBits = {{StepKind::kAffine, StepKind::kAdd}, true, BitsOutput::kFloatThresholds, false};

// The kernels that this CPU can run and that accept `shape`, the reference last. What the CPU lacks is reported as
// skipped; nothing but a few rows may be refused.
std::vector<const BDenseKernel*> RunnableKernels(const BDenseShape& shape) {
  std::vector<const BDenseKernel*> kernels;
  for (const BDenseKernel* kernel : test::RunnableKernels(BDenseKernels())) {
    if (kernel->refuse(shape) == nullptr) {
      kernels.push_back(kernel);
    } else {
      REQUIRE_MESSAGE(shape.rows < 4, kernel->name << " refuses " << shape.rows << " rows");
    }
  }
  return kernels;
}

struct Problem {
  Problem(const BDenseShape& s, int64_t gap, Guard guard, std::mt19937& random)
      : shape(s),
        stride(WordsFor(s.in_features) + gap),
        plane_stride(s.rows * stride + gap),
        in((s.planes - 1) * plane_stride + (s.rows - 1) * stride + WordsFor(s.in_features), guard),
        weights(s.out_features * WordsFor(s.in_features), guard) {
    for (uint32_t& word : in.span()) word = static_cast<uint32_t>(random());  // the gaps keep it
    for (int p = 0; p < s.planes; ++p) {
      for (int64_t r = 0; r < s.rows; ++r) FillRow(in.data() + p * plane_stride + r * stride, random);
    }
    for (int64_t o = 0; o < s.out_features; ++o) FillRow(weights.data() + o * WordsFor(s.in_features), random);
  }

  void FillRow(uint32_t* row, std::mt19937& random) const {
    for (int64_t w = 0; w < WordsFor(shape.in_features); ++w) {
      row[w] = static_cast<uint32_t>(random()) & WordMask(shape.in_features, w);
    }
  }

  int64_t Naive(int64_t row, int64_t out) const {
    int64_t sum = 0;
    for (int64_t i = 0; i < shape.in_features; ++i) {
      int level = 0;
      for (int p = 0; p < shape.planes; ++p) {
        level += static_cast<int>(GetBit(in.data() + p * plane_stride + row * stride, i)) << p;
      }
      const int a = 2 * level - ((1 << shape.planes) - 1);
      const int w = GetBit(weights.data() + out * WordsFor(shape.in_features), i) != 0 ? 1 : -1;
      sum += a * w;
    }
    return sum;
  }

  BDenseShape shape;
  int64_t stride, plane_stride;
  GuardedBuffer<uint32_t> in;
  GuardedBuffer<uint32_t> weights;  // in the order of the model file
};

struct Part {
  int64_t row_begin, row_end, block_begin, block_end;
};

void Run(const BDenseKernel& kernel, const Problem& problem, Guard guard, const Epilogue& epilogue,
         const std::vector<Part>& parts) {
  GuardedBuffer<uint32_t> packed(kernel.packed_words(problem.shape), guard);
  kernel.pack(problem.shape, problem.weights.data(), packed.data());
  GuardedBuffer<uint32_t> unpacked(problem.shape.out_features * WordsFor(problem.shape.in_features), guard);
  kernel.unpack(problem.shape, packed.data(), unpacked.data());
  CHECK(unpacked.ToVector() == problem.weights.ToVector());
  BDenseArgs args;
  args.in = problem.in.data();
  args.in_row_stride = problem.stride;
  args.in_plane_stride = problem.plane_stride;
  args.weights = packed.data();
  args.epilogue = epilogue;
  for (const Part& part : parts) {
    args.row_begin = part.row_begin;
    args.row_end = part.row_end;
    args.block_begin = part.block_begin;
    args.block_end = part.block_end;
    kernel.run(problem.shape, args);
  }
}

std::vector<Part> Whole(const BDenseShape& shape) {
  return {{0, shape.rows, 0, PaddedChannels(shape.out_features) / kChannelBlock}};
}

// A row is a pixel of one image with one row.
TensorGeometry OutputOf(const BDenseShape& shape, int64_t gap) { return {1, 1, shape.rows, shape.out_features, gap}; }

void CheckAgainstReference(const BDenseShape& shape, const EpilogueCase& epilogue_case, int64_t gap, Guard guard,
                           const std::vector<Part>& parts) {
  std::mt19937 random(7);
  const Problem problem(shape, gap, guard, random);
  const float root = static_cast<float>(std::sqrt(static_cast<double>(shape.in_features)));
  const float magnitude = static_cast<float>(HighestLevel(shape.planes)) * root + 1;
  const EpilogueFixture fixture(epilogue_case, OutputOf(shape, gap), magnitude, guard, random);
  const std::vector<const BDenseKernel*> kernels = RunnableKernels(shape);
  EpilogueOutputs expected(OutputOf(shape, gap), guard, epilogue_case.planes);
  Run(*kernels.back(), problem, guard, fixture.Make(&expected), parts);
  for (const BDenseKernel* kernel : kernels) {
    if (kernel == kernels.back()) break;
    EpilogueOutputs actual(OutputOf(shape, gap), guard, epilogue_case.planes);
    Run(*kernel, problem, guard, fixture.Make(&actual), parts);
    CHECK_MESSAGE(test::SameOutputs(expected, actual),
                  kernel->name << ": " << shape.rows << " rows, " << shape.in_features << " -> " << shape.out_features
                               << ", " << shape.planes << " planes, " << epilogue_case.Name());
  }
}

// Every kernel against the definition of a dot product.
void CheckDotProducts(const BDenseShape& shape, int64_t gap) {
  std::mt19937 random(3);
  const Problem problem(shape, gap, Guard::kAfter, random);
  const EpilogueFixture fixture(kPlainFloats, OutputOf(shape, 0), 1, Guard::kAfter, random);
  for (const BDenseKernel* kernel : RunnableKernels(shape)) {
    EpilogueOutputs outputs(OutputOf(shape, 0), Guard::kAfter);
    Run(*kernel, problem, Guard::kAfter, fixture.Make(&outputs), Whole(shape));
    int64_t wrong = 0;
    for (int64_t i = 0; i < outputs.floats.size(); ++i) {
      const int64_t row = i / shape.out_features, feature = i % shape.out_features;
      if (outputs.floats[i] != static_cast<float>(problem.Naive(row, feature))) ++wrong;
    }
    CHECK_MESSAGE(wrong == 0, kernel->name << ": " << shape.rows << " rows of " << shape.in_features << ", "
                                           << shape.planes << " planes");
  }
}

TEST_CASE("every kernel computes the dot products of its -1 and +1 values") {
  for (int64_t in : kFeatures) {
    for (int64_t rows : {1, 2, 9}) CheckDotProducts({rows, in, 150}, 0);
  }
}

TEST_CASE("planes: every kernel computes the dot products of the values of its levels") {
  for (int planes = 2; planes <= kMaxPlanes; ++planes) {
    for (int64_t in : kFeatures) {
      for (int64_t rows : {1, 2, 5}) CheckDotProducts({rows, in, 70, planes}, rows % 2);
    }
  }
}

TEST_CASE("planes: every kernel equals the reference for every number of input and output planes") {
  for (int planes = 1; planes <= kMaxPlanes; ++planes) {
    for (int out_planes = 1; out_planes <= kMaxPlanes; ++out_planes) {
      const EpilogueCase ints = {{}, false, BitsOutput::kIntThresholds, false, out_planes};
      const EpilogueCase floats = {{StepKind::kAffine}, true, BitsOutput::kSignedThresholds, true, out_planes};
      for (int64_t rows : {1, 2, 3, 7, 8, 15, 16}) {
        for (int64_t in : {33, 256, 1000, 10400}) {
          for (Guard guard : test::kBothGuards) {
            const BDenseShape shape = {rows, in, 77, planes};
            CheckAgainstReference(shape, rows % 2 == 0 ? ints : floats, rows % 3, guard, Whole(shape));
          }
        }
      }
      const BDenseShape shape = {11, 100, 300, planes};
      CheckAgainstReference(shape, ints, 1, Guard::kAfter, {{2, 10, 9, 10}, {4, 5, 1, 9}, {5, 11, 0, 6}});
    }
  }
}

TEST_CASE("features: every kernel equals the reference for awkward counts") {
  for (int64_t in : kFeatures) {
    for (int64_t out : kFeatures) {
      for (int64_t rows : {1, 3}) {
        const BDenseShape shape = {rows, in, out};
        for (Guard guard : test::kBothGuards)
          CheckAgainstReference(shape, kFloatsAndBits, rows / 2, guard, Whole(shape));
      }
    }
  }
}

TEST_CASE("rows: every kernel equals the reference for every remainder of its tile") {
  for (int64_t rows = 1; rows <= 16; ++rows) {
    const BDenseShape shape = {rows, 200, 77};
    for (Guard guard : test::kBothGuards) CheckAgainstReference(shape, kFloatsAndBits, 0, guard, Whole(shape));
  }
}

TEST_CASE("words: every kernel equals the reference for every remainder of its groups of words") {
  const EpilogueCase floats = {{StepKind::kAffine}, true, BitsOutput::kNone, false};
  const EpilogueCase bits = {{}, false, BitsOutput::kIntThresholds, false};
  for (const EpilogueCase& epilogue_case : {floats, bits, kFloatsAndBits}) {
    for (int64_t words = 1; words <= 40; ++words) {
      for (int64_t rows : {1, 2, 7, 13}) {
        const BDenseShape shape = {rows, words * 32 - words % 3, 77};
        const Guard guard = (words + rows) % 2 == 0 ? Guard::kAfter : Guard::kBefore;
        CheckAgainstReference(shape, epilogue_case, 0, guard, Whole(shape));
      }
    }
  }
}

TEST_CASE("long rows: counts beyond what a byte or a 16-bit lane holds") {
  for (int64_t in : {31 * 32, 31 * 32 + 1, 32 * 32, 62 * 32 + 5, 31 * 16 * 32, 31 * 16 * 32 + 33, 100000}) {
    const BDenseShape shape = {2, in, 40};
    CheckAgainstReference(shape, kFloatsAndBits, 0, Guard::kAfter, Whole(shape));

    // All bits differ: the largest count, acc = -K.
    std::mt19937 random(1);
    Problem problem(shape, 0, Guard::kAfter, random);
    for (uint32_t& word : problem.in.span()) word = 0;
    for (int64_t o = 0; o < shape.out_features; ++o) {
      for (int64_t w = 0; w < WordsFor(in); ++w) problem.weights[o * WordsFor(in) + w] = WordMask(in, w);
    }
    const EpilogueFixture fixture(kPlainFloats, OutputOf(shape, 0), 1, Guard::kAfter, random);
    for (const BDenseKernel* kernel : RunnableKernels(shape)) {
      EpilogueOutputs outputs(OutputOf(shape, 0), Guard::kAfter);
      Run(*kernel, problem, Guard::kAfter, fixture.Make(&outputs), Whole(shape));
      int64_t wrong = 0;
      for (float x : outputs.floats.ToVector()) wrong += x == -static_cast<float>(in) ? 0 : 1;
      CHECK_MESSAGE(wrong == 0, kernel->name << ": " << in);
    }
  }
}

// Kernels that sum in fields of 4, 8 and 16 bits, and derive a count from the parities of nibbles: every nibble of the
// input the same and every nibble of the weights the same, all 256 pairs, at lengths around those where fields are
// full.
TEST_CASE("nibbles: the largest and smallest sums of every pair of nibbles") {
  for (int64_t in : {28, 32, 64, 160, 500, 504, 512, 1008, 2100, 10272}) {
    const BDenseShape shape = {3, in, 34};
    std::mt19937 random(1);
    Problem problem(shape, 0, Guard::kAfter, random);
    const EpilogueFixture fixture(kPlainFloats, OutputOf(shape, 0), 1, Guard::kAfter, random);
    for (const BDenseKernel* kernel : RunnableKernels(shape)) {
      int64_t wrong = 0;
      for (uint32_t pair = 0; pair < 256; ++pair) {
        for (int64_t i = 0; i < problem.in.size(); ++i) {
          problem.in[i] = pair % 16 * 0x11111111u & WordMask(in, i % WordsFor(in));
        }
        for (int64_t i = 0; i < problem.weights.size(); ++i) {
          problem.weights[i] = pair / 16 * 0x11111111u & WordMask(in, i % WordsFor(in));
        }
        EpilogueOutputs outputs(OutputOf(shape, 0), Guard::kAfter);
        Run(*kernel, problem, Guard::kAfter, fixture.Make(&outputs), Whole(shape));
        const float expected = static_cast<float>(problem.Naive(0, 0));
        for (float x : outputs.floats.ToVector()) wrong += x == expected ? 0 : 1;
      }
      CHECK_MESSAGE(wrong == 0, kernel->name << ": " << in);
    }
  }
}

// Windows that a kernel takes in parts: longer than any of its buffers.
TEST_CASE("words: every kernel equals the reference for every remainder of its steps") {
  for (int64_t words = 1; words <= 40; ++words) {
    for (Guard guard : test::kBothGuards) {
      CheckAgainstReference({3, words * 32, 70}, kPlainFloats, 0, guard, Whole({3, words * 32, 70}));
    }
  }
  for (int64_t words : {319, 320, 321, 322, 323, 324, 640, 641, 1000}) {
    CheckAgainstReference({9, words * 32, 70}, kPlainFloats, 0, Guard::kAfter, Whole({9, words * 32, 70}));
  }
}

TEST_CASE("epilogues: every kernel equals the reference for every chain of steps and outputs") {
  for (const EpilogueCase& epilogue_case : test::AllEpilogueCases(true)) {
    for (int64_t rows : {1, 9}) {
      const BDenseShape shape = {rows, 70, 145};
      for (Guard guard : test::kBothGuards) CheckAgainstReference(shape, epilogue_case, 1, guard, Whole(shape));
    }
  }
}

TEST_CASE("parts: what is named is computed, and nothing else is written") {
  const BDenseShape shape = {11, 100, 300};
  const std::vector<std::vector<Part>> partitions = {
      {{0, 11, 3, 8}},
      {{4, 5, 0, 10}},
      {{4, 5, 1, 9}},
      {{2, 10, 9, 10}},
      {{3, 3, 0, 10}, {0, 11, 4, 4}},                  // nothing
      {{0, 5, 0, 10}, {5, 11, 0, 6}, {5, 11, 6, 10}},  // everything, in pieces
  };
  for (const std::vector<Part>& parts : partitions) {
    for (Guard guard : test::kBothGuards) CheckAgainstReference(shape, kFloatsAndBits, 1, guard, parts);
  }
}

TEST_CASE("select: best first, with a reason for each kernel that was passed over") {
  const BDenseShape shape = {1, 64, 64};
  const BDenseKernelList list = BDenseKernels();
  const BDenseKernel* reference = list.begin[list.size - 1];
  std::vector<std::string> refusals;
  const RefusalFn note = [](void* context, const char* kernel, const char* reason) {
    static_cast<std::vector<std::string>*>(context)->push_back(std::string(kernel) + ": " + reason);
  };
  CHECK(SelectBDense(shape, Isa::kReference, note, &refusals) == reference);
  CHECK(static_cast<int64_t>(refusals.size()) == list.size - 1);
  for (Isa isa : kAllIsas) CHECK(SelectBDense(shape, isa, nullptr, nullptr)->isa <= isa);

  // What a kernel says against few rows does not stand against many.
  for (int64_t i = 0; i < list.size; ++i) CHECK(list.begin[i]->refuse({64, 64, 64}) == nullptr);

  for (int64_t i = 0; i + 1 < list.size; ++i) {
    CHECK(list.begin[i]->refuse({64, kMaxTerms / 15, 64, 4}) == nullptr);
    CHECK(list.begin[i]->refuse({64, kMaxTerms / 15 + 1, 64, 4}) != nullptr);
  }
  const BDenseShape huge = {1, kMaxTerms + 1, 1};
  refusals.clear();
  CHECK(SelectBDense(huge, BestIsa(), note, &refusals) == reference);
  CHECK(static_cast<int64_t>(refusals.size()) == list.size - 1);
}

TEST_CASE(
    "select: a kernel that another one of its instruction set beats on this CPU is passed over, with the reason") {
  const BDenseShape shape = {1, 64, 64};
  test::CheckCpuRefusals(BDenseKernels(), [&](RefusalFn refused, void* context) {
    return SelectBDense(shape, BestIsa(), refused, context);
  });
}

}  // namespace
}  // namespace bnn::kernels
