// A bounded, repeatable share of what tests/fuzz/fuzz_openvino.cc does without end.
#include <doctest/doctest.h>

#include <string>

#include "tests/formats/import_fuzz_target.h"
#include "tests/formats/openvino_cases.h"
#include "tests/formats/openvino_mutator.h"

namespace bnn::formats {
namespace {

TEST_CASE("mutated IRs never crash the importer, the passes or the interpreter") {
  test::IrMutator mutator(20261121);  // a fixed seed, so that a failure can be repeated
  int sound = 0;
  int broken = 0;
  for (const auto& one : test::ReadOpenvinoCases()) {
    for (int i = 0; i < 60; ++i) {
      const std::string xml = i < 15 ? mutator.MutateBytes(one.model) : mutator.MutateFields(one.model);
      CAPTURE(one.name);
      CAPTURE(i);
      (test::ImportAndInterpretIr(xml + '\0' + one.weights) ? sound : broken) += 1;
    }
  }
  // Mutations that break nothing and mutations that break something both occur, or the test would test nothing.
  CHECK(sound > 500);
  CHECK(broken > 2000);
}

}  // namespace
}  // namespace bnn::formats
