// A bounded, repeatable share of what tests/fuzz/fuzz_onnx.cc does without end.
#include <doctest/doctest.h>

#include "tests/formats/import_fuzz_target.h"
#include "tests/formats/onnx_cases.h"
#include "tests/formats/onnx_mutator.h"

namespace bnn::formats {
namespace {

TEST_CASE("mutated files never crash the importer, the passes or the interpreter") {
  test::OnnxMutator mutator(20240607);  // a fixed seed, so that a failure can be repeated
  int sound = 0;
  int broken = 0;
  for (const int opset : {7, 9, 11, 13, 17, 18, 21}) {
    for (const auto& one : test::ReadOnnxCases(opset)) {
      for (int i = 0; i < 60; ++i) {
        const std::string bytes = i < 20 ? mutator.MutateBytes(one.model) : mutator.MutateFields(one.model);
        CAPTURE(one.name);
        CAPTURE(i);
        (test::ImportAndInterpret(bytes) ? sound : broken) += 1;
      }
    }
  }
  // Mutations that break nothing and mutations that break something both occur, or the test would test nothing.
  CHECK(sound > 1000);
  CHECK(broken > 1000);
}

}  // namespace
}  // namespace bnn::formats
