// A bounded, repeatable run of what fuzz_reader does without end.
#include <doctest/doctest.h>

#include <string>

#include "tests/formats/model_fixtures.h"
#include "tests/formats/model_fuzz_target.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {
namespace {

std::string Mutated(std::string file, RandomSource& random) {
  const int64_t changes = random.Int(1, 4);
  for (int64_t i = 0; i < changes; ++i) {
    // Mostly the structure section, which is in front.
    const size_t last = random.OneIn(4) ? file.size() - 1 : std::min<size_t>(file.size() - 1, 700);
    const size_t at = static_cast<size_t>(random.Int(kPreambleBytes, static_cast<int64_t>(last)));
    switch (random.Int(0, 3)) {
      case 0:
        file[at] = static_cast<char>(random.Int(0, 255));
        break;
      case 1:
        file[at] = static_cast<char>(file[at] ^ (1 << random.Int(0, 7)));
        break;
      case 2:
        file.erase(at, static_cast<size_t>(random.Int(1, 4)));
        break;
      default:
        file.insert(at, file, static_cast<size_t>(random.Int(kPreambleBytes, static_cast<int64_t>(at))),
                    static_cast<size_t>(random.Int(1, 40)));
        break;
    }
  }
  return file;
}

TEST_CASE("mutated files with correct checksums are refused or sound") {
  int accepted = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const std::string file = *SerializeModel(seed == 0 ? EveryOpModel() : RandomModel(seed));
    RandomSource random(seed);
    for (int i = 0; i < 500; ++i) accepted += test::ReadAndWriteBack(test::Reseal(Mutated(file, random))) ? 1 : 0;
  }
  MESSAGE(accepted << " of 20000 mutated files are sound models");
  CHECK(accepted > 500);  // else the mutations never get past the parser
}

}  // namespace
}  // namespace bnn::formats
