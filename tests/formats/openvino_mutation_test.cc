// A bounded, repeatable share of what tests/fuzz/fuzz_openvino.cc does without end.
#include <doctest/doctest.h>

#include <string>

#include "tests/formats/import_mutations.h"
#include "tests/formats/openvino_cases.h"
#include "tests/formats/openvino_mutator.h"

namespace bnn::formats {
namespace {

TEST_CASE("mutated IRs never crash the importer, the passes or the interpreter") {
  test::IrMutator mutator(20261121);  // a fixed seed, so that a failure can be repeated
  test::MutationCounts counts;
  test::ImportMutations(
      test::ReadOpenvinoCases(), 15, 60,
      [](const auto& one, const std::string& xml) { return test::ImportAndInterpretIr(xml + '\0' + one.weights); },
      &mutator, &counts);
  CHECK(counts.sound > 500);
  CHECK(counts.broken > 2000);
}

}  // namespace
}  // namespace bnn::formats
