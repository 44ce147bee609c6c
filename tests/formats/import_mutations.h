// Bounded, repeatable shares of what the fuzz targets of the importers do without end.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tests/formats/import_fuzz_target.h"

namespace bnn::test {

// How many mutated files came through all that bnn-convert does, and how many were refused. A test demands both, or it
// would test nothing.
struct MutationCounts {
  int sound = 0;
  int broken = 0;
};

// Mutates each case's `model` `times` times, the first `of_bytes` of them without regard to fields. Nothing may crash.
// `import` is called with the case and the mutated model and returns one of import_fuzz_target.h's results.
template <typename Mutator, typename Cases, typename Import>
void ImportMutations(const Cases& cases, int of_bytes, int times, const Import& import, Mutator* mutator,
                     MutationCounts* counts) {
  for (const auto& one : cases) {
    for (int i = 0; i < times; ++i) {
      const std::string bytes = i < of_bytes ? mutator->MutateBytes(one.model) : mutator->MutateFields(one.model);
      CAPTURE(one.name);
      CAPTURE(i);
      (import(one, bytes) ? counts->sound : counts->broken) += 1;
    }
  }
}

}  // namespace bnn::test
