// A bounded, repeatable share of what tests/fuzz/fuzz_tflite.cc does without end.
#include <doctest/doctest.h>

#include "tests/formats/import_fuzz_target.h"
#include "tests/formats/tflite_mutator.h"

namespace bnn::formats {
namespace {

TEST_CASE("mutated .tflite files never crash the importer, the passes or the interpreter") {
  test::TfliteMutator mutator(20241121);  // a fixed seed, so that a failure can be repeated
  int sound = 0;
  int broken = 0;
  for (const char* name : {"tflite_lce", "tflite_builtin"}) {
    for (const auto& one : test::ReadTfliteCases(name)) {
      for (int i = 0; i < 60; ++i) {
        const std::string bytes = i < 30 ? mutator.MutateBytes(one.model) : mutator.MutateFields(one.model);
        CAPTURE(one.name);
        CAPTURE(i);
        (test::ImportAndInterpretTflite(bytes) ? sound : broken) += 1;
      }
    }
  }
  // Mutations that break nothing and mutations that break something both occur, or the test would test nothing.
  CHECK(sound > 500);
  CHECK(broken > 1000);
}

}  // namespace
}  // namespace bnn::formats
