// A bounded, repeatable share of what tests/fuzz/fuzz_onnx.cc does without end.
#include <doctest/doctest.h>

#include <string>

#include "tests/formats/import_mutations.h"
#include "tests/formats/onnx_cases.h"
#include "tests/formats/onnx_mutator.h"

namespace bnn::formats {
namespace {

TEST_CASE("mutated files never crash the importer, the passes or the interpreter") {
  test::OnnxMutator mutator(20240607);  // a fixed seed, so that a failure can be repeated
  test::MutationCounts counts;
  for (const int opset : {7, 9, 11, 13, 17, 18, 21}) {
    test::ImportMutations(
        test::ReadOnnxCases(opset), 20, 60,
        [](const auto&, const std::string& bytes) { return test::ImportAndInterpret(bytes); }, &mutator, &counts);
  }
  CHECK(counts.sound > 1000);
  CHECK(counts.broken > 1000);
}

}  // namespace
}  // namespace bnn::formats
