// A bounded, repeatable share of what tests/fuzz/fuzz_tflite.cc does without end.
#include <doctest/doctest.h>

#include <string>

#include "tests/formats/import_mutations.h"
#include "tests/formats/tflite_mutator.h"

namespace bnn::formats {
namespace {

TEST_CASE("mutated .tflite files never crash the importer, the passes or the interpreter") {
  test::TfliteMutator mutator(20241121);  // a fixed seed, so that a failure can be repeated
  test::MutationCounts counts;
  for (const char* name : {"tflite_lce", "tflite_builtin"}) {
    test::ImportMutations(
        test::ReadTfliteCases(name), 30, 60,
        [](const auto&, const std::string& bytes) { return test::ImportAndInterpretTflite(bytes); }, &mutator, &counts);
  }
  CHECK(counts.sound > 500);
  CHECK(counts.broken > 1000);
}

}  // namespace
}  // namespace bnn::formats
