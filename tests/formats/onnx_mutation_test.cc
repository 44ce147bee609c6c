// A bounded, repeatable share of what tests/fuzz/fuzz_onnx.cc does without end.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "tests/formats/onnx_cases.h"
#include "tests/formats/onnx_fuzz_target.h"

namespace bnn::formats {
namespace {

std::string Mutate(std::string bytes, std::mt19937* random) {
  const auto below = [&](size_t limit) { return static_cast<size_t>((*random)() % limit); };
  const size_t changes = 1 + below(3);
  for (size_t i = 0; i < changes && bytes.size() > 8; ++i) {
    const size_t at = below(bytes.size());
    switch (below(4)) {
      case 0:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
        bytes.erase(at, 1 + below(4));
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(below(2) == 0 ? 0xff : below(256)));
        break;
    }
  }
  return bytes;
}

TEST_CASE("mutated files never crash the importer, the passes or the interpreter") {
  std::mt19937 random(20240607);  // NOLINT: a fixed seed, so that a failure can be repeated
  int sound = 0;
  int broken = 0;
  for (const int opset : {7, 9, 11, 13, 17, 18, 21}) {
    for (const auto& one : test::ReadOnnxCases(opset)) {
      for (int i = 0; i < 40; ++i) {
        (test::ImportAndInterpret(Mutate(one.model, &random)) ? sound : broken) += 1;
      }
    }
  }
  // Mutations that break nothing and mutations that break something both occur, or the test would test nothing.
  CHECK(sound > 1000);
  CHECK(broken > 1000);
}

}  // namespace
}  // namespace bnn::formats
