// A bounded, repeatable share of what tests/fuzz/fuzz_graphdef.cc does without end.
#include <doctest/doctest.h>

#include <string>

#include "tests/formats/graphdef_mutator.h"
#include "tests/formats/import_fuzz_target.h"

namespace bnn::formats {
namespace {

TEST_CASE("mutated frozen graphs never crash the importer, the passes or the interpreter") {
  test::GraphdefMutator mutator(20261121);  // a fixed seed, so that a failure can be repeated
  int sound = 0;
  int broken = 0;
  for (const auto& one : test::ReadGraphdefCases()) {
    for (int i = 0; i < 40; ++i) {
      const std::string bytes = i < 10 ? mutator.MutateBytes(one.model) : mutator.MutateFields(one.model);
      CAPTURE(one.name);
      CAPTURE(i);
      (test::ImportAndInterpretGraphdef(bytes) ? sound : broken) += 1;
    }
  }
  // Mutations that break nothing and mutations that break something both occur, or the test would test nothing.
  CHECK(sound > 1000);
  CHECK(broken > 3000);
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
