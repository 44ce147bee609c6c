// A bounded, repeatable share of what tests/fuzz/fuzz_graphdef.cc does without end.
#include <doctest/doctest.h>

#include <string>

#include "tests/formats/graphdef_mutator.h"
#include "tests/formats/import_mutations.h"

namespace bnn::formats {
namespace {

TEST_CASE("mutated frozen graphs never crash the importer, the passes or the interpreter") {
  test::GraphdefMutator mutator(20261121);  // a fixed seed, so that a failure can be repeated
  test::MutationCounts counts;
  test::ImportMutations(
      test::ReadGraphdefCases(), 10, 40,
      [](const auto&, const std::string& bytes) { return test::ImportAndInterpretGraphdef(bytes); }, &mutator, &counts);
  CHECK(counts.sound > 1000);
  CHECK(counts.broken > 3000);
}

TEST_CASE("a frozen graph that ends early is refused or read without harm") {
  for (const auto& one : test::ReadGraphdefCases()) {
    const size_t step = one.model.size() / 24 + 1;
    for (size_t length = 0; length < one.model.size(); length += step) {
      test::ImportAndInterpretGraphdef(one.model.substr(0, length));
    }
  }
}

}  // namespace
}  // namespace bnn::formats
